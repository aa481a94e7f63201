"""Runs of messages, asked for a window at a time.

On servers that have it (2.11+) a window is one batched Direct Get (ADR-31): any replica
answers, and nothing is made on the server. Elsewhere a window is a pull from an ephemeral
consumer. Both say of each message how many of its subject follow it.
"""

from __future__ import annotations

import contextlib
import re
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any, Final

import msgspec

from jetstow._core.delivery import Delivery
from jetstow._core.frames import Frame
from jetstow._core.jetstream import status
from jetstow._core.mailbox import Mailbox, Message
from jetstow._core.target import Target
from jetstow._core.wire import json_encode
from jetstow.errors import JetstowError, PermissionDeniedError, ServerError, TimeoutError

if TYPE_CHECKING:
    from jetstow._core.stream import Stream

# What the server adds to a message when it counts bytes: subject and headers.
OVERHEAD: Final = 512

# What servers write of a message in a batch, behind the headers that it was stored with.
_TOLD: Final = re.compile(
    rb"Nats-Stream: \S+\r\nNats-Subject: (\S+)\r\nNats-Sequence: (\d+)\r\n"
    rb"Nats-Time-Stamp: ([\x21-\x7e]+)\r\nNats-Num-Pending: (\d+)\r\n"
    rb"Nats-Last-Sequence: \d+\r\n\r\n"
)

_END_OF_BATCH: Final = 204
_NO_SUCH_MESSAGE: Final = 404
_UNAVAILABLE: Final = 503


class Piece(msgspec.Struct, gc=False):
    """One message of a run: `pending` of its subject come after it."""

    seq: int
    pending: int
    data: bytes
    subject: str
    time: str


class NoDirectGetError(Exception):
    """Batched Direct Get does not work here after all: ask for other windows.

    The stream is a mirror, the user may not use it, an older server answers.
    """


class Window(Mailbox):
    """One run that was asked for.

    Its bytes are on their way until they arrive here, whether anybody reads them or not:
    so the budget of the connection never waits for a reader.
    """

    cost = 0

    left: int | None = None
    """How many messages of the subject follow the run, if its end has told."""

    @property
    def is_complete(self) -> bool:
        """Whether all of it has arrived."""
        return not self.cost

    async def next_piece(self) -> Piece | None:
        """The next message of the run, or None at its end."""
        raise NotImplementedError

    async def next_pieces(self) -> tuple[list[Piece], bool]:
        """Messages of the run that are there, and whether they are its last.

        There is one of them at least, or the run is over.
        """
        piece = await self.next_piece()
        return ([], True) if piece is None else ([piece], False)

    def deliver(self, message: Message) -> None:
        if self.cost:
            # What is empty is the end of the window, or as good as nothing.
            self._arrived(len(message.data) + OVERHEAD if message.data else self.cost)
        super().deliver(message)

    def close(self) -> None:
        super().close()
        self._arrived(self.cost)

    def _arrived(self, size: int) -> None:
        size = min(size, self.cost)
        self.cost -= size
        self.replies.inbound.give(size)


class Windows(ABC):
    """Where the windows of one subject come from."""

    overlap = True
    """Whether a window may be asked for while the one before it is still arriving."""

    def __init__(self, stream: Stream, target: Target, subject: str) -> None:
        self._stream = stream
        self._target = target
        self._subject = subject

    async def ask(self, seq: int, count: int, size: int) -> Window:
        """Ask for `count` messages of `size` bytes at most, from sequence `seq` on."""
        await self._stream.js.replies.inbound.take(count * (size + OVERHEAD))
        return await self._ask(seq, count, count * (size + OVERHEAD))

    async def ask_now(self, seq: int, count: int, size: int) -> Window | None:
        """The same, unless the connection is busy enough already."""
        if not self._stream.js.replies.inbound.take_now(count * (size + OVERHEAD)):
            return None
        return await self._ask(seq, count, count * (size + OVERHEAD))

    async def _ask(self, seq: int, count: int, cost: int) -> Window:
        replies = self._stream.js.replies
        try:
            window = await self._open()
        except BaseException:
            replies.inbound.give(cost)
            raise
        window.cost = cost
        try:
            await self._request(window, seq, count)
        except BaseException:
            window.close()
            raise
        return window

    @abstractmethod
    async def _open(self) -> Window: ...

    @abstractmethod
    async def _request(self, window: Any, seq: int, count: int) -> None: ...

    @abstractmethod
    async def close(self) -> None:
        """Leave nothing behind on the server."""


class _DirectWindow(Window):
    counts_itself = False

    async def next_piece(self) -> Piece | None:
        try:
            message = await self.next()
        except PermissionDeniedError as error:
            raise NoDirectGetError from error
        code = status(message)
        if code is None:
            return _direct_piece(message, int(self.counts_itself))
        if code == _END_OF_BATCH:
            self.left = int((message.headers or {}).get("Nats-Num-Pending", 0))
        if code in (_END_OF_BATCH, _NO_SUCH_MESSAGE):
            return None
        if code == _UNAVAILABLE:
            raise NoDirectGetError
        said = (message.headers or {}).get("Description", "")
        raise self.target.error(
            ServerError, f"the server refused to read {self.target}: {code} {said}"
        )

    async def next_pieces(self) -> tuple[list[Piece], bool]:
        found: list[Piece] = []
        messages, itself = self._messages, int(self.counts_itself)
        while not found or messages:
            if messages and messages[0].data:
                found.append(_direct_piece(messages.popleft(), itself))
            elif (piece := await self.next_piece()) is not None:
                found.append(piece)
            else:
                return found, True
        return found, False


def _direct_piece(message: Message, itself: int) -> Piece:
    if isinstance(message, Frame):
        # A long listing is mostly headers: what the server has put last is read in one go.
        head = message.head
        if (told := _TOLD.fullmatch(head, max(0, head.rfind(b"Nats-Stream: ")))) is not None:
            subject, seq, time, pending = told.groups()
            return Piece(
                int(seq),
                int(pending) - itself,
                message.data,
                subject.decode("utf-8", "replace"),
                time.decode(),
            )
    headers = message.headers or {}
    try:
        return Piece(
            seq=int(headers["Nats-Sequence"]),
            pending=int(headers["Nats-Num-Pending"]) - itself,
            data=message.data,
            subject=headers["Nats-Subject"],
            time=headers["Nats-Time-Stamp"],
        )
    except (KeyError, ValueError):
        # An older server behind the one we are connected to answers without a count.
        raise NoDirectGetError from None


class DirectWindows(Windows):
    """Windows by batched Direct Get."""

    async def _open(self) -> Window:
        window = await self._stream.js.open(_DirectWindow, self._target)
        # Only 2.11 counts a message among those that follow it.
        window.counts_itself = self._stream.js.server_version == (2, 11)
        return window

    async def _request(self, window: Window, seq: int, count: int) -> None:
        # Unset, `max_bytes` is the same 64 MiB at which the server drops the connection.
        body = {
            "seq": seq,
            "next_by_subj": self._subject,
            "batch": count,
            "max_bytes": window.cost,
        }
        js = self._stream.js
        await window.send(f"{js.prefix}.DIRECT.GET.{self._stream.name}", json_encode(body))

    async def close(self) -> None:
        """Nothing was made there."""


class _PulledWindow(Window):
    to_come = 0

    async def next_piece(self) -> Piece | None:
        if not self.to_come:
            return None
        try:
            message = await self.next()
        except TimeoutError:
            # Older servers say nothing more where the stream was purged or deleted meanwhile.
            return None
        if status(message) is not None:
            return None  # nothing is left, or the consumer is gone
        self.to_come -= 1
        place = Delivery.of(message.reply)
        return Piece(place.stream_seq, place.pending, message.data, message.subject, place.stamp)


class PulledWindows(Windows):
    """Windows by pulling from an ephemeral consumer, which the first one makes.

    The consumer goes on where the last window ended: `seq` counts for the first one alone.
    """

    # The server shares a consumer's messages out among the pulls that wait.
    overlap = False

    # The server forgets a consumer that nobody has pulled from for so long, in nanoseconds.
    _INACTIVE = 30 * 10**9

    _consumer: str | None = None

    async def _open(self) -> Window:
        return await self._stream.js.replies.open_private(
            _PulledWindow, self._target, self._stream.timeout
        )

    async def _request(self, window: _PulledWindow, seq: int, count: int) -> None:
        if self._consumer is None:
            self._consumer = await self._create(seq)
        window.to_come = count
        js = self._stream.js
        api = f"{js.prefix}.CONSUMER.MSG.NEXT.{self._stream.name}.{self._consumer}"
        await window.send(api, json_encode({"batch": count, "no_wait": True}))

    async def _create(self, seq: int) -> str:
        config = {
            "deliver_policy": "by_start_sequence",
            "opt_start_seq": max(1, seq),
            "ack_policy": "none",
            "filter_subject": self._subject,
            "inactive_threshold": self._INACTIVE,
            "mem_storage": True,
            "num_replicas": 1,
        }
        name = self._stream.name
        reply = await self._stream.js.request(
            self._target, f"CONSUMER.CREATE.{name}", {"stream_name": name, "config": config}
        )
        return str(reply["name"])

    async def close(self) -> None:
        if self._consumer is None:
            return
        consumer, self._consumer = self._consumer, None
        # It ends by itself as well: a failure here is nobody's trouble.
        with contextlib.suppress(JetstowError):
            await self._stream.js.request(
                self._target, f"CONSUMER.DELETE.{self._stream.name}.{consumer}"
            )


def windows(stream: Stream, target: Target, subject: str) -> Windows:
    """The best way that the bucket has to read a subject's messages in runs."""
    kind = DirectWindows if stream.has_batched_get else PulledWindows
    return kind(stream, target, subject)


async def pieces(window: Window) -> AsyncGenerator[Piece, None]:
    """The messages of one window, in order; the window is closed after them."""
    try:
        while (piece := await window.next_piece()) is not None:
            yield piece
    finally:
        window.close()
