"""A parser of the NATS protocol that copies each message once.

Reads of the socket fill one buffer, which is used again. A complete message is copied out of it, by
the parser or by the receiver of a large message.
Headers are parsed on first access.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

# The most that one read of the socket returns, in bytes.
_BUFFER_SIZE: Final = 1024 * 1024

# Longer than any line of a server: INFO lists all servers of a cluster.
_MAX_LINE_SIZE: Final = _BUFFER_SIZE // 2

# A server's `max_payload` is at most 64 MiB. It does not count all headers.
_MAX_MESSAGE_SIZE: Final = 128 * 1024 * 1024

# Bodies of at least this size are offered before they are copied, in bytes.
_MIN_OFFERED_SIZE: Final = 16 * 1024

_END: Final = b"\r\n"
_CR, _LF = _END
_H: Final = ord("H")
_MESSAGES: Final = (b"MSG ", b"HMSG ")
_VERSION: Final = "NATS/1.0"
_BLANKS: Final = " \t"


class ProtocolError(Exception):
    """The received bytes are not the NATS protocol."""


class ParsedMessage(msgspec.Struct, gc=False):
    """A received message; its attributes are those of nats-py's `Msg` that jetstow uses."""

    sid: int
    subject: str
    reply: str
    raw_headers: bytes
    data: bytes
    """A view of the parser's buffer while the message is offered, which then is reused."""

    _headers: dict[str, str] | None = None

    @property
    def headers(self) -> dict[str, str] | None:
        """The headers; a status line becomes `Status` and `Description`, as in nats-py."""
        if self._headers is None and self.raw_headers:
            self._headers = parse_headers(self.raw_headers)
        return self._headers


def parse_headers(raw: bytes) -> dict[str, str]:
    """Parse a block of headers; invalid UTF-8 in it is replaced."""
    first, *lines = raw.decode("utf-8", "replace").split("\r\n")
    status, _, description = first.removeprefix(_VERSION).strip().partition(" ")
    headers = {}
    if status.isdigit():
        headers["Status"] = status
        if description:
            headers["Description"] = description.strip()
    for line in lines:
        name, colon, value = line.partition(":")
        if colon:
            # Strip blanks only: a subject may end in other white space.
            headers[name.strip(_BLANKS)] = value.strip(_BLANKS)
    return headers


class Parser:
    """Splits a stream of bytes into messages and other protocol lines, reported in their order.

    Messages that follow each other to one subject of one subscription are reported together.

    The receiver writes to `get_buffer()` and then calls `buffer_updated(size)`, as in
    `asyncio.BufferedProtocol`. `take` is offered each large message first, whose data is a view of
    the buffer. It returns whether it has processed the message.
    """

    def __init__(
        self,
        on_messages: Callable[[list[ParsedMessage]], None],
        on_line: Callable[[bytes], None],
        take: Callable[[ParsedMessage], bool] = lambda _: False,
    ) -> None:
        self._on_messages = on_messages
        self._messages: list[ParsedMessage] = []
        self._on_line = on_line
        self._take = take
        self._buffer = bytearray(_BUFFER_SIZE)
        self._view = memoryview(self._buffer)
        self._end = 0
        # The size of the message whose first line was parsed, with its headers and CRLF; else 0.
        self._body_size = 0
        self._header_size = 0
        self._last_address: bytearray | None = None
        self._sid, self._subject, self._reply = 0, "", ""
        # The body of a message that is larger than the buffer.
        self._large_body: memoryview | None = None
        self._large_body_end = 0

    @property
    def arriving(self) -> tuple[int, str] | None:
        """The subscription and subject of a message of which only a part has arrived."""
        return (self._sid, self._subject) if self._body_size else None

    def get_buffer(self) -> memoryview:
        """Return the memory for the next bytes; it is never empty."""
        if self._large_body is not None:
            return self._large_body[self._large_body_end :]
        return self._view[self._end :]

    def buffer_updated(self, size: int) -> None:
        """Parse `size` bytes that were written to the buffer.

        Raises: `ProtocolError` (they are not the NATS protocol).
        """
        if self._large_body is not None:
            self._large_body_end += size
            if self._large_body_end == self._body_size:
                body, self._large_body = self._large_body, None
                self._emit(body)
                self._report()
            return
        self._end += size
        try:
            parsed = self._parse()
        finally:
            self._report()
        if 0 < parsed < self._end:
            remaining = bytes(self._view[parsed : self._end])
            self._view[: len(remaining)] = remaining
        self._end -= parsed
        if self._body_size > _BUFFER_SIZE:
            self._large_body = memoryview(bytearray(self._body_size))
            self._large_body[: self._end] = self._view[: self._end]
            self._large_body_end, self._end = self._end, 0

    def _parse(self) -> int:
        """Report all complete messages and lines; return the size of what was parsed."""
        buffer, start, end = self._buffer, 0, self._end
        while start < end:
            if not self._body_size:
                stop = buffer.find(_END, start, end)
                if stop < 0:
                    if end - start > _MAX_LINE_SIZE:
                        raise ProtocolError(f"a line is longer than {_MAX_LINE_SIZE} bytes")
                    break
                line, start = buffer[start:stop], stop + 2
                if line.startswith(_MESSAGES):
                    self._parse_message_line(line)
                else:
                    self._report()
                    self._on_line(bytes(line) + _END)
            elif end - start >= self._body_size:
                stop = start + self._body_size
                self._emit(self._view[start:stop])
                start = stop
            else:
                break
        return start

    def _parse_message_line(self, line: bytearray) -> None:
        """Parse `MSG subject sid [reply] size` or `HMSG subject sid [reply] header-size size`."""
        try:
            if line[0] == _H:
                address, header_size, size = line.rsplit(b" ", 2)
                self._header_size = int(header_size)
            else:
                address, size = line.rsplit(b" ", 1)
                self._header_size = 0
            # Most messages of a batch differ only in their sizes.
            if address != self._last_address:
                if self._messages:
                    self._report()
                # The server accepts and delivers subjects that are not UTF-8.
                _, self._subject, sid, *reply = address.decode("utf-8", "replace").split(" ")
                self._sid, (self._reply,) = int(sid), reply or ("",)
                self._last_address = address
            self._body_size = int(size) + len(_END)
            if not 0 <= self._header_size <= self._body_size - len(_END) <= _MAX_MESSAGE_SIZE:
                raise ValueError("invalid size")
        except ValueError as error:
            self._last_address = None
            raise ProtocolError(f"invalid message line {bytes(line[:80])!r}: {error}") from None

    def _emit(self, body: memoryview) -> None:
        if body[-2] != _CR or body[-1] != _LF:
            raise ProtocolError(f"a message to {self._subject!r} does not end in CRLF")
        size, self._body_size = self._header_size, 0
        headers, data = bytes(body[:size]) if size else b"", body[size:-2]
        if len(data) < _MIN_OFFERED_SIZE:
            self._messages.append(
                ParsedMessage(self._sid, self._subject, self._reply, headers, bytes(data))
            )
            return
        self._report()
        view: Any = data  # only `take` sees it
        message = ParsedMessage(self._sid, self._subject, self._reply, headers, view)
        if not self._take(message):
            message.data = bytes(data)
            self._messages.append(message)

    def _report(self) -> None:
        """Report the messages parsed so far. All are to one subject of one subscription."""
        if self._messages:
            messages, self._messages = self._messages, []
            self._on_messages(messages)
