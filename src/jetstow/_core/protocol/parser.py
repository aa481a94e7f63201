"""What a NATS server sends, cut into messages without being copied twice.

The bytes of the socket go into one buffer that is used again and again; a message that is
whole is copied out of it once. Headers are parsed when somebody asks for them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

# One read of the socket takes as much as fits here.
_BUFFER: Final = 1024 * 1024

# Longer than any line that a server sends: INFO names every server of its cluster.
_LONGEST_LINE: Final = _BUFFER // 2

# The server's own bound on `max_payload` is 64 MiB; headers come on top of it.
_LARGEST_MESSAGE: Final = 128 * 1024 * 1024

_END: Final = b"\r\n"
_CR, _LF = _END
_H: Final = ord("H")
_MESSAGES: Final = (b"MSG ", b"HMSG ")
_VERSION: Final = "NATS/1.0"
_BLANKS: Final = " \t"


class ProtocolError(Exception):
    """What arrived is not what a NATS server sends."""


class ParsedMessage(msgspec.Struct, gc=False):
    """One message: what nats-py's `Msg` says of it, in as far as anything here asks."""

    sid: int
    subject: str
    reply: str
    head: bytes
    data: bytes
    _headers: dict[str, str] | None = None

    @property
    def headers(self) -> dict[str, str] | None:
        """The headers; those of a status line are `Status` and `Description`, as in nats-py."""
        if self._headers is None and self.head:
            self._headers = parse_headers(self.head)
        return self._headers


def parse_headers(head: bytes) -> dict[str, str]:
    """A block of headers by name; what is not UTF-8 in it is replaced."""
    first, *lines = head.decode("utf-8", "replace").split("\r\n")
    status, _, description = first.removeprefix(_VERSION).strip().partition(" ")
    headers = {}
    if status.isdigit():
        headers["Status"] = status
        if description:
            headers["Description"] = description.strip()
    for line in lines:
        name, colon, value = line.partition(":")
        if colon:
            # No more than blanks: a subject may end in what Python takes for space.
            headers[name.strip(_BLANKS)] = value.strip(_BLANKS)
    return headers


class Parser:
    """A stream of bytes in; messages and all other lines out, in their order.

    Whoever receives writes to `room()`, and says with `arrived(n)` how much it was.
    """

    def __init__(
        self, on_message: Callable[[ParsedMessage], None], on_line: Callable[[bytes], None]
    ) -> None:
        self._on_message = on_message
        self._on_line = on_line
        self._buffer = bytearray(_BUFFER)
        self._view = memoryview(self._buffer)
        self._end = 0
        # The message whose line was read, and how many of its bytes are needed; else 0.
        self._need = 0
        self._head = 0
        self._address: bytearray | None = None
        self._sid, self._subject, self._reply = 0, "", ""
        # One that does not fit into the buffer gets a place of its own.
        self._large: memoryview | None = None
        self._filled = 0

    def get_buffer(self) -> memoryview:
        """Where the next bytes go. Never empty."""
        if self._large is not None:
            return self._large[self._filled :]
        return self._view[self._end :]

    def buffer_updated(self, size: int) -> None:
        """So many bytes were written to `room()`. Raises `FramingError`."""
        if self._large is not None:
            self._filled += size
            if self._filled == self._need:
                large, self._large = self._large, None
                self._emit(large)
            return
        self._end += size
        rest = self._parse()
        if rest < self._end and rest:
            left = bytes(self._view[rest : self._end])
            self._view[: len(left)] = left
        self._end -= rest
        if self._need > _BUFFER:
            self._large = memoryview(bytearray(self._need))
            self._large[: self._end] = self._view[: self._end]
            self._filled, self._end = self._end, 0

    def _parse(self) -> int:
        """Tell all that is whole; return where what is not begins."""
        buffer, start, end = self._buffer, 0, self._end
        while start < end:
            if not self._need:
                stop = buffer.find(_END, start, end)
                if stop < 0:
                    if end - start > _LONGEST_LINE:
                        raise ProtocolError("a line without an end")
                    break
                line, start = buffer[start:stop], stop + 2
                if line.startswith(_MESSAGES):
                    self._parse_header_line(line)
                else:
                    self._on_line(bytes(line) + _END)
            elif end - start >= self._need:
                stop = start + self._need
                self._emit(self._view[start:stop])
                start = stop
            else:
                break
        return start

    def _parse_header_line(self, line: bytearray) -> None:
        """MSG subject sid [reply] size; HMSG subject sid [reply] size-of-headers size."""
        try:
            if line[0] == _H:
                address, head_size, size = line.rsplit(b" ", 2)
                self._head = int(head_size)
            else:
                address, size = line.rsplit(b" ", 1)
                self._head = 0
            # The messages of a batch differ in their sizes alone.
            if address != self._address:
                # The server takes subjects of any bytes, and hands them on to whoever listens.
                _, self._subject, sid, *reply = address.decode("utf-8", "replace").split(" ")
                self._sid, (self._reply,) = int(sid), reply or ("",)
                self._address = address
            self._need = int(size) + len(_END)
            if not 0 <= self._head <= self._need - len(_END) <= _LARGEST_MESSAGE:
                raise ValueError("an impossible size")
        except ValueError as error:
            self._address = None
            raise ProtocolError(f"not a message: {bytes(line[:80])!r}: {error}") from None

    def _emit(self, body: memoryview) -> None:
        if body[-2] != _CR or body[-1] != _LF:
            raise ProtocolError(f"a message to {self._subject!r} that ends where it should not")
        head, data = bytes(body[: self._head]), bytes(body[self._head : -2])
        self._need = 0
        self._on_message(ParsedMessage(self._sid, self._subject, self._reply, head, data))
