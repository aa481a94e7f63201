"""The interface of what receives the replies to a request."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol, TypeAlias

from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.protocol.message import Message
from jetstow._core.transport.silence import Progress
from jetstow.errors import JetstowError

if TYPE_CHECKING:
    from nats.aio.subscription import Subscription


# Called when the server has been silent for a while, and may then end the wait.
OnSilence: TypeAlias = "Callable[[Receiver], None]"


class Receiver(Protocol):
    """Receives the replies to one request. `subjects` are those published to, by lower case."""

    address: str
    context: ErrorContext

    @property
    def subjects(self) -> dict[str, str]: ...

    @property
    def subscription(self) -> Subscription | None: ...

    def deliver_all(self, messages: Sequence[Message]) -> None: ...

    def fail(self, error: JetstowError) -> None: ...

    def check_timeout(
        self, now: float, progress: Progress, *, is_arriving: bool, late: float
    ) -> float | None: ...
