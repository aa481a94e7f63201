"""Windows: consecutive messages of one subject, requested together.

If the server has batched Direct Get (2.11+), a window is one batch (`direct_get.py`). If not, it is
a pull from an ephemeral consumer (`pull_windows.py`). Both report with each message how many
messages of its subject follow.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec

from jetstow._core.aio.congestion_window import Departure
from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.protocol.message import Message
from jetstow._core.transport.mailbox import Mailbox
from jetstow.errors import TimeoutError

if TYPE_CHECKING:
    from jetstow._core.bucket.stream import Stream

# Takes a message of a window when it arrives, or returns False. The data of the message may be a
# view that is valid during the call only.
Take: TypeAlias = "Callable[[WindowMessage], bool]"

# Bytes that the server adds to the size of a message for its subject and headers.
MESSAGE_OVERHEAD: Final = 512


# Small messages that arrive together count as one of this size, in bytes.
_MAX_PORTION: Final = 128 * 1024


class WindowMessage(msgspec.Struct, gc=False):
    """A message of a window. `pending` is the number of messages of its subject that follow.

    `received` is the message with its headers.
    """

    seq: int
    pending: int
    data: bytes
    subject: str
    time: str
    received: Message


class NoDirectGetError(Exception):
    """Batched Direct Get is not available for the stream: read it by consumer.

    The stream is a mirror, the user has no permission, or an older server replied. If no server
    replied, it is not `for_good`.
    """

    def __init__(self, *, for_good: bool = True) -> None:
        super().__init__()
        self.for_good = for_good


class Window(Mailbox):
    """The messages of one window.

    Its bytes count as in flight until they arrive here, whether they were read or not. So the
    connection's limit never waits for a reader.
    """

    remaining_bytes = 0
    message_count = 0

    departure: Departure
    """When it was requested."""

    source: WindowSource
    """Where it was requested."""

    pending_after: int | None = None
    """The number of messages that follow the window, if the end of the window reported it."""

    @property
    def is_complete(self) -> bool:
        """Whether all messages have arrived."""
        return not self.remaining_bytes

    async def next_message(self) -> WindowMessage | None:
        """Return the next message, or None at the end of the window."""
        raise NotImplementedError

    async def next_messages(self, take: Take | None = None) -> tuple[list[WindowMessage], bool]:
        """Return the messages that have arrived, and whether the window ends with them.

        Wait for the first one. `take` is offered each message that arrives during the wait, in
        order. Those that it takes are not returned, so that the list may be empty.
        """
        message = await self.next_message()
        if message is None:
            return [], True
        return ([], False) if take is not None and take(message) else ([message], False)

    def deliver(self, message: Message) -> None:
        self._count_arrival(message)
        super().deliver(message)

    def deliver_all(self, messages: Sequence[Message]) -> None:
        size = 0
        for message in messages:
            if not message.data:  # it ends the window
                super().deliver_all(messages)
                return
            size += len(message.data) + MESSAGE_OVERHEAD
        self.message_count += len(messages)
        while size and self.remaining_bytes:
            # In portions, as the connection's window measures the rate by the size of messages.
            portion = min(size, _MAX_PORTION, self.remaining_bytes)
            size, self.remaining_bytes = size - portion, self.remaining_bytes - portion
            self.inbox.inbound.answer(self.departure, portion)
        self._messages.extend(messages)
        self.wake()

    def _count_arrival(self, message: Message) -> None:
        self.message_count += 1
        if self.remaining_bytes and message.data:
            size = min(len(message.data) + MESSAGE_OVERHEAD, self.remaining_bytes)
            self.remaining_bytes -= size
            self.inbox.inbound.answer(self.departure, size)
        elif self.remaining_bytes:
            # A message without data ends the window. Or it was stored empty, which is rare: then it
            # does no harm to release the rest of the window early.
            self._release()

    def close(self) -> None:
        super().close()
        self._release()

    def raise_if_cut_off(self) -> None:
        """Raise the reason why a window has one message only, if it is known.

        Raises: `TimeoutError` (an account exports its API for single replies).
        """
        if self.message_count == 1 and self.source.is_imported:
            raise cut_off_error(self.context)

    def _release(self) -> None:
        if self.remaining_bytes:
            size, self.remaining_bytes = self.remaining_bytes, 0
            self.inbox.inbound.release(self.departure, size)


def cut_off_error(context: ErrorContext) -> TimeoutError:
    """Return the error for a reply of several messages of which only the first one arrived."""
    return context.error(
        TimeoutError,
        f"only the first message of a reply arrived for {context}: the account that exports the "
        "JetStream API must set response_type: stream",
    )


class WindowSource(ABC):
    """Requests the windows of one subject."""

    overlap = True
    """Whether a window may be requested before the previous one has arrived."""

    def __init__(self, stream: Stream, context: ErrorContext, subject: str) -> None:
        self._stream = stream
        self._context = context
        self._subject = subject
        self._inbox = stream.api.inbox

    @property
    def is_imported(self) -> bool:
        """Whether the account imports the JetStream API of another one."""
        return self._stream.api.is_imported

    @property
    def max_window_size(self) -> int:
        """The bytes that fit the connection's rate: all of them, or those of one of two windows."""
        inbound = self._inbox.inbound
        return inbound.size // 2 if inbound.used else inbound.size

    async def request(self, seq: int, count: int, size: int) -> Window:
        """Request up to `count` messages of up to `size` bytes each, from sequence `seq` on.

        Wait until they fit into the connection's limit.
        """
        cost = count * (size + MESSAGE_OVERHEAD)
        window = await self._open()
        try:
            try:
                departure = await window.reserve(self._inbox.inbound, cost)
            except TimeoutError:
                # The bytes in flight do not arrive, as a replica was lost.
                self._inbox.inbound.clear()
                departure = self._inbox.inbound.take(cost)
            await self._request_window(window, seq, count, departure)
        except BaseException:
            window.close()
            raise
        return window

    async def try_request(self, seq: int, count: int, size: int) -> Window | None:
        """Request a window as `request` does, or return None if it would have to wait."""
        departure = self._inbox.inbound.try_acquire(count * (size + MESSAGE_OVERHEAD))
        if departure is None:
            return None
        try:
            window = await self._open()
        except BaseException:
            self._inbox.inbound.release(departure)
            raise
        try:
            await self._request_window(window, seq, count, departure)
        except BaseException:
            window.close()
            raise
        return window

    async def _request_window(
        self, window: Window, seq: int, count: int, departure: Departure
    ) -> None:
        window.departure, window.source = departure, self
        window.remaining_bytes = departure.size
        await self._send_request(window, seq, count)

    @abstractmethod
    async def _open(self) -> Window: ...

    @abstractmethod
    async def _send_request(self, window: Any, seq: int, count: int) -> None: ...

    @abstractmethod
    async def close(self) -> None:
        """Delete what the source created on the server."""
