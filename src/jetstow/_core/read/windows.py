"""Runs of messages, asked for a window at a time.

On servers that have it (2.11+) a window is one batched Direct Get (`direct.py`). Elsewhere it
is a pull from an ephemeral consumer (`pulled.py`). Both say of each message how many of its
subject follow it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Final

import msgspec

from jetstow._core.protocol.context import Target
from jetstow._core.protocol.message import Message
from jetstow._core.transport.mailbox import Mailbox

if TYPE_CHECKING:
    from jetstow._core.bucket.stream import Stream

# What the server adds to a message when it counts bytes: subject and headers.
OVERHEAD: Final = 512


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
