"""Runs of messages, asked for a window at a time.

On servers that have it (2.11+) a window is one batched Direct Get (`direct.py`). Elsewhere it
is a pull from an ephemeral consumer (`pulled.py`). Both say of each message how many of its
subject follow it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Final

import msgspec

from jetstow._core.protocol.context import ErrorContext
from jetstow._core.protocol.message import Message
from jetstow._core.transport.mailbox import Mailbox

if TYPE_CHECKING:
    from jetstow._core.bucket.stream import Stream

# What the server adds to a message when it counts bytes: subject and headers.
MESSAGE_OVERHEAD: Final = 512


class WindowMessage(msgspec.Struct, gc=False):
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

    remaining_bytes = 0

    pending_after: int | None = None
    """How many messages of the subject follow the run, if its end has told."""

    @property
    def is_complete(self) -> bool:
        """Whether all of it has arrived."""
        return not self.remaining_bytes

    async def next_message(self) -> WindowMessage | None:
        """The next message of the run, or None at its end."""
        raise NotImplementedError

    async def next_messages(self) -> tuple[list[WindowMessage], bool]:
        """Messages of the run that are there, and whether they are its last.

        There is one of them at least, or the run is over.
        """
        piece = await self.next_message()
        return ([], True) if piece is None else ([piece], False)

    def deliver(self, message: Message) -> None:
        if self.remaining_bytes:
            # What is empty is the end of the window, or as good as nothing.
            self._arrived(
                len(message.data) + MESSAGE_OVERHEAD if message.data else self.remaining_bytes
            )
        super().deliver(message)

    def close(self) -> None:
        super().close()
        self._arrived(self.remaining_bytes)

    def _arrived(self, size: int) -> None:
        size = min(size, self.remaining_bytes)
        self.remaining_bytes -= size
        self.inbox.inbound.release(size)


class WindowSource(ABC):
    """Where the windows of one subject come from."""

    overlap = True
    """Whether a window may be asked for while the one before it is still arriving."""

    def __init__(self, stream: Stream, context: ErrorContext, subject: str) -> None:
        self._stream = stream
        self._context = context
        self._subject = subject

    async def request(self, seq: int, count: int, size: int) -> Window:
        """Ask for `count` messages of `size` bytes at most, from sequence `seq` on."""
        await self._stream.api.inbox.inbound.acquire(count * (size + MESSAGE_OVERHEAD))
        return await self._request_window(seq, count, count * (size + MESSAGE_OVERHEAD))

    async def try_request(self, seq: int, count: int, size: int) -> Window | None:
        """The same, unless the connection is busy enough already."""
        if not self._stream.api.inbox.inbound.try_acquire(count * (size + MESSAGE_OVERHEAD)):
            return None
        return await self._request_window(seq, count, count * (size + MESSAGE_OVERHEAD))

    async def _request_window(self, seq: int, count: int, cost: int) -> Window:
        replies = self._stream.api.inbox
        try:
            window = await self._open()
        except BaseException:
            replies.inbound.release(cost)
            raise
        window.remaining_bytes = cost
        try:
            await self._send_request(window, seq, count)
        except BaseException:
            window.close()
            raise
        return window

    @abstractmethod
    async def _open(self) -> Window: ...

    @abstractmethod
    async def _send_request(self, window: Any, seq: int, count: int) -> None: ...

    @abstractmethod
    async def close(self) -> None:
        """Leave nothing behind on the server."""
