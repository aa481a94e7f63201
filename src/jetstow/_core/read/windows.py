"""Windows: consecutive messages of one subject, requested together.

If the server has batched Direct Get (2.11+), a window is one batch (`direct_get.py`). If not, it is
a pull from an ephemeral consumer (`pull_windows.py`). Both report with each message how many
messages of its subject follow.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Final

import msgspec

from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.protocol.message import Message
from jetstow._core.transport.mailbox import Mailbox
from jetstow.errors import TimeoutError

if TYPE_CHECKING:
    from jetstow._core.bucket.stream import Stream

# Bytes that the server adds to the size of a message for its subject and headers.
MESSAGE_OVERHEAD: Final = 512


class WindowMessage(msgspec.Struct, gc=False):
    """A message of a window. `pending` is the number of messages of its subject that follow."""

    seq: int
    pending: int
    data: bytes
    subject: str
    time: str


class NoDirectGetError(Exception):
    """Batched Direct Get is not available for the stream: read it by consumer.

    The stream is a mirror, the user has no permission, or an older server replied.
    """


def missing_replies(context: ErrorContext, error: TimeoutError, received: int) -> TimeoutError:
    """Return the error for a request with several replies, of which some were received.

    Between accounts, a service passes one reply on by default.
    """
    if received != 1:
        return error
    return context.error(
        TimeoutError,
        f"{error}: only the first reply arrived; if the JetStream API is imported from another "
        "account, its export needs response_type: stream",
    )


class Window(Mailbox):
    """The messages of one window.

    Its bytes count as in flight until they arrive here, whether they were read or not. So the
    connection's limit never waits for a reader.
    """

    remaining_bytes = 0

    source: WindowSource
    """Where it was requested."""

    received = 0
    """The number of messages that were taken."""

    pending_after: int | None = None
    """The number of messages that follow the window, if the end of the window reported it."""

    async def next_reply(self) -> Message:
        """Wait for a message of the window or its end, and take it.

        Raises: what `Mailbox.next` raises.
        """
        try:
            message = await self.next()
        except TimeoutError as error:
            raise missing_replies(self.context, error, self.received) from None
        self.received += 1
        return message

    @property
    def is_complete(self) -> bool:
        """Whether all messages have arrived."""
        return not self.remaining_bytes

    async def next_message(self) -> WindowMessage | None:
        """Return the next message, or None at the end of the window."""
        raise NotImplementedError

    async def next_messages(self) -> tuple[list[WindowMessage], bool]:
        """Return the messages that have arrived, and whether the window ends with them.

        Wait for the first one. The list is empty only at the end of the window.
        """
        message = await self.next_message()
        return ([], True) if message is None else ([message], False)

    def deliver(self, message: Message) -> None:
        if self.remaining_bytes:
            # A message without data ends the window. Or it was stored empty, which is rare: then it
            # does no harm to release the rest of the window early.
            self._release(
                len(message.data) + MESSAGE_OVERHEAD if message.data else self.remaining_bytes
            )
        super().deliver(message)

    def close(self) -> None:
        super().close()
        self._release(self.remaining_bytes)

    def _release(self, size: int) -> None:
        size = min(size, self.remaining_bytes)
        self.remaining_bytes -= size
        self.inbox.inbound.release(size)


class WindowSource(ABC):
    """Requests the windows of one subject."""

    overlap = True
    """Whether a window may be requested before the previous one has arrived."""

    def __init__(self, stream: Stream, context: ErrorContext, subject: str) -> None:
        self._stream = stream
        self._context = context
        self._subject = subject
        self._inbox = stream.api.inbox

    async def request(self, seq: int, count: int, size: int) -> Window:
        """Request up to `count` messages of up to `size` bytes each, from sequence `seq` on.

        Wait until they fit into the connection's limit.
        """
        cost = count * (size + MESSAGE_OVERHEAD)
        await self._inbox.inbound.acquire(cost)
        return await self._request_window(seq, count, cost)

    async def try_request(self, seq: int, count: int, size: int) -> Window | None:
        """Request a window as `request` does, or return None if it would have to wait."""
        cost = count * (size + MESSAGE_OVERHEAD)
        if not self._inbox.inbound.try_acquire(cost):
            return None
        return await self._request_window(seq, count, cost)

    async def _request_window(self, seq: int, count: int, cost: int) -> Window:
        try:
            window = await self._open()
        except BaseException:
            self._inbox.inbound.release(cost)
            raise
        window.remaining_bytes, window.source = cost, self
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
        """Delete what the source created on the server."""
