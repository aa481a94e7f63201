"""Windows by batched Direct Get (ADR-31): any replica replies, and no consumer is created."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from jetstow._core.protocol.message import NO_RESPONDERS, Message, status
from jetstow._core.protocol.metadata import json_encode
from jetstow._core.protocol.parser import ParsedMessage
from jetstow._core.read.windows import (
    NoDirectGetError,
    Take,
    Window,
    WindowMessage,
    WindowSource,
)
from jetstow.errors import PermissionDeniedError, ServerError, TimeoutError

# The headers that the server adds to a message of a batch, after those that it was stored with.
_BATCH_HEADERS: Final = re.compile(
    rb"Nats-Stream: \S+\r\nNats-Subject: (\S+)\r\nNats-Sequence: (\d+)\r\n"
    rb"Nats-Time-Stamp: ([\x21-\x7e]+)\r\nNats-Num-Pending: (\d+)\r\n"
    rb"Nats-Last-Sequence: \d+\r\n\r\n"
)

END_OF_BATCH: Final = 204
NO_SUCH_MESSAGE: Final = 404


class _DirectWindow(Window):
    pending_includes_self = False

    _take: Take | None = None
    """Set while the reader waits, and all messages before were read."""

    async def next_message(self) -> WindowMessage | None:
        while not self._messages:
            await self._wait_for_messages(None)
        return self._read(self._messages.popleft())

    async def next_messages(self, take: Take | None = None) -> tuple[list[WindowMessage], bool]:
        result: list[WindowMessage] = []
        messages, surplus = self._messages, int(self.pending_includes_self)
        if not messages:
            await self._wait_for_messages(take)
        while messages:
            together: list[Message] = []
            while messages and messages[0].data:
                together.append(messages.popleft())
            result += _parse_messages(together, surplus)
            if messages:
                if (empty := self._read(messages.popleft())) is None:
                    return result, True
                result.append(empty)
        return result, False

    def take(self, message: Message) -> bool:
        if self._take is None or self._messages or not message.data:
            return False
        try:
            parsed = parse_message(message, int(self.pending_includes_self))
        except NoDirectGetError:
            return False  # the reader raises it
        if not self._take(parsed):
            return False
        self._count_arrival(message)
        self.wake()
        return True

    def deliver(self, message: Message) -> None:
        if not self.take(message):
            super().deliver(message)

    def deliver_all(self, messages: Sequence[Message]) -> None:
        if self._take is None:
            super().deliver_all(messages)
        else:
            for message in messages:
                self.deliver(message)

    async def _wait_for_messages(self, take: Take | None) -> None:
        self._take = take
        try:
            await self.wait()
        except PermissionDeniedError as error:
            raise NoDirectGetError from error
        except TimeoutError:
            self.raise_if_cut_off()
            raise
        finally:
            self._take = None

    def _read(self, message: Message) -> WindowMessage | None:
        """Return a message of the window, or None if it marks its end."""
        code = status(message)
        if code is None:
            return parse_message(message, int(self.pending_includes_self))
        if code == END_OF_BATCH:
            self.pending_after = int((message.headers or {}).get("Nats-Num-Pending", 0))
        if code in (END_OF_BATCH, NO_SUCH_MESSAGE):
            return None
        if code == NO_RESPONDERS:
            raise NoDirectGetError(for_good=False)
        description = (message.headers or {}).get("Description", "")
        raise self.context.error(
            ServerError, f"the server refused to read {self.context}: {code} {description}"
        )


def _parse_messages(messages: list[Message], surplus: int) -> list[WindowMessage]:
    """Parse messages of a batch, whose headers are matched in one call."""
    heads = [message.raw_headers for message in messages if isinstance(message, ParsedMessage)]
    found = _BATCH_HEADERS.findall(b"".join(heads))
    # The headers that a message was stored with may look the same: then there are more matches.
    if not len(found) == len(heads) == len(messages):
        return [parse_message(message, surplus) for message in messages]
    return [
        WindowMessage(
            int(seq),
            int(pending) - surplus,
            message.data,
            subject.decode("utf-8", "replace"),
            time.decode(),
            message,
        )
        for message, (subject, seq, time, pending) in zip(messages, found, strict=True)
    ]


def parse_message(message: Message, surplus: int) -> WindowMessage:
    """Parse a message of a batch; its count of pending messages is too high by `surplus`."""
    if isinstance(message, ParsedMessage):
        # Parsing headers takes most of the time of a long listing. The server's own headers are
        # the last ones, so one regular expression reads them all.
        head = message.raw_headers
        if (
            match := _BATCH_HEADERS.fullmatch(head, max(0, head.rfind(b"Nats-Stream: ")))
        ) is not None:
            subject, seq, time, pending = match.groups()
            return WindowMessage(
                int(seq),
                int(pending) - surplus,
                message.data,
                subject.decode("utf-8", "replace"),
                time.decode(),
                message,
            )
    headers = message.headers or {}
    try:
        return WindowMessage(
            seq=int(headers["Nats-Sequence"]),
            pending=int(headers["Nats-Num-Pending"]) - surplus,
            data=message.data,
            subject=headers["Nats-Subject"],
            time=headers["Nats-Time-Stamp"],
            received=message,
        )
    except (KeyError, ValueError):
        # In a cluster of different versions, a server before 2.11 replies without a count.
        raise NoDirectGetError from None


class DirectWindows(WindowSource):
    """Windows by batched Direct Get."""

    async def _open(self) -> Window:
        api = self._stream.api
        window = await self._inbox.open_mailbox(_DirectWindow, self._context, api.timeout)
        # Only server 2.11 includes a message in its own pending count (docs/decisions/0009).
        window.pending_includes_self = api.server_version == (2, 11)
        return window

    async def _send_request(self, window: Window, seq: int, count: int) -> None:
        # The default of `max_bytes` is 64 MiB. With that many bytes pending, the server drops the
        # connection.
        body = {
            "seq": seq,
            "next_by_subj": self._subject,
            "batch": count,
            "max_bytes": window.remaining_bytes,
        }
        api = f"{self._stream.api.prefix}.DIRECT.GET.{self._stream.name}"
        await window.send(api, json_encode(body))

    async def close(self) -> None:
        """Do nothing: Direct Get creates nothing on the server."""
