"""Windows by batched Direct Get (ADR-31): any replica answers, nothing is made on the server."""

from __future__ import annotations

import re
from typing import Final

from jetstow._core.protocol.message import Message, status
from jetstow._core.protocol.metadata import json_encode
from jetstow._core.protocol.parser import ParsedMessage
from jetstow._core.read.windows import NoDirectGetError, Window, WindowMessage, WindowSource
from jetstow.errors import PermissionDeniedError, ServerError

# What servers write of a message in a batch, behind the headers that it was stored with.
_BATCH_HEADERS: Final = re.compile(
    rb"Nats-Stream: \S+\r\nNats-Subject: (\S+)\r\nNats-Sequence: (\d+)\r\n"
    rb"Nats-Time-Stamp: ([\x21-\x7e]+)\r\nNats-Num-Pending: (\d+)\r\n"
    rb"Nats-Last-Sequence: \d+\r\n\r\n"
)

END_OF_BATCH: Final = 204
NO_SUCH_MESSAGE: Final = 404
_UNAVAILABLE: Final = 503


class _DirectWindow(Window):
    pending_includes_self = False

    async def next_message(self) -> WindowMessage | None:
        try:
            message = await self.next()
        except PermissionDeniedError as error:
            raise NoDirectGetError from error
        code = status(message)
        if code is None:
            return _parse_message(message, int(self.pending_includes_self))
        if code == END_OF_BATCH:
            self.pending_after = int((message.headers or {}).get("Nats-Num-Pending", 0))
        if code in (END_OF_BATCH, NO_SUCH_MESSAGE):
            return None
        if code == _UNAVAILABLE:
            raise NoDirectGetError
        said = (message.headers or {}).get("Description", "")
        raise self.context.error(
            ServerError, f"the server refused to read {self.context}: {code} {said}"
        )

    async def next_messages(self) -> tuple[list[WindowMessage], bool]:
        found: list[WindowMessage] = []
        messages, itself = self._messages, int(self.pending_includes_self)
        while not found or messages:
            if messages and messages[0].data:
                found.append(_parse_message(messages.popleft(), itself))
            elif (piece := await self.next_message()) is not None:
                found.append(piece)
            else:
                return found, True
        return found, False


def _parse_message(message: Message, itself: int) -> WindowMessage:
    if isinstance(message, ParsedMessage):
        # A long listing is mostly headers: what the server has put last is read in one go.
        head = message.head
        if (
            told := _BATCH_HEADERS.fullmatch(head, max(0, head.rfind(b"Nats-Stream: ")))
        ) is not None:
            subject, seq, time, pending = told.groups()
            return WindowMessage(
                int(seq),
                int(pending) - itself,
                message.data,
                subject.decode("utf-8", "replace"),
                time.decode(),
            )
    headers = message.headers or {}
    try:
        return WindowMessage(
            seq=int(headers["Nats-Sequence"]),
            pending=int(headers["Nats-Num-Pending"]) - itself,
            data=message.data,
            subject=headers["Nats-Subject"],
            time=headers["Nats-Time-Stamp"],
        )
    except (KeyError, ValueError):
        # An older server behind the one we are connected to answers without a count.
        raise NoDirectGetError from None


class DirectWindows(WindowSource):
    """Windows by batched Direct Get."""

    async def _open(self) -> Window:
        window = await self._stream.api.open(_DirectWindow, self._context)
        # Only 2.11 counts a message among those that follow it.
        window.pending_includes_self = self._stream.api.server_version == (2, 11)
        return window

    async def _send_request(self, window: Window, seq: int, count: int) -> None:
        # Unset, `max_bytes` is the same 64 MiB at which the server drops the connection.
        body = {
            "seq": seq,
            "next_by_subj": self._subject,
            "batch": count,
            "max_bytes": window.remaining_bytes,
        }
        js = self._stream.api
        await window.send(f"{js.prefix}.DIRECT.GET.{self._stream.name}", json_encode(body))

    async def close(self) -> None:
        """Nothing was made there."""
