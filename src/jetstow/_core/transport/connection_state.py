"""Whether a connection stands: who waits until it does, and what is done then."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, Final

from jetstow._core.aio.cancellation import wait_unless_cancelled
from jetstow._core.protocol.context import ErrorContext
from jetstow.errors import ConnectionLostError, JetstowError

if TYPE_CHECKING:
    from nats.aio.client import Client

Step = Callable[[], Coroutine[Any, Any, None]]

# nats-py tells when it has reconnected or given up. But an error of its own may end it, and
# that nobody tells: so it is looked at every so many seconds.
_POLL_INTERVAL: Final = 1.0


class ConnectionState:
    """What nats-py tells of its connection, heard beside its user; `losses` counts them.

    `on_loss` is told why, each time.
    """

    def __init__(self, nc: Client, on_loss: Callable[[str], None]) -> None:
        self.losses = 0
        self._nc = nc
        self._on_loss = on_loss
        # Set while it is known whether there is a connection: it stands, or it is closed.
        self._decided = asyncio.Event()
        self._pending: list[Step] = []
        self._tasks: set[asyncio.Task[None]] = set()
        told: Any = nc
        told._closed_cb = self._wrap_callback(told._closed_cb, "it was closed")
        told._disconnected_cb = self._wrap_callback(told._disconnected_cb, "it was interrupted")
        told._reconnected_cb = self._wrap_callback(told._reconnected_cb)

    async def wait_connected(self, context: ErrorContext) -> None:
        """Return when there is a connection, at once or after nats-py has reconnected.

        Raises `ConnectionLostError` when it has given up, and where the caller has.
        """
        nc = self._nc
        while not nc.is_connected:
            task = nc._reconnection_task
            if nc.is_closed or task is None or task.done():
                raise connection_lost(context, "it was closed")
            self._decided.clear()
            if not await wait_unless_cancelled(self._decided, _POLL_INTERVAL):
                raise connection_lost(context, "it was interrupted")

    def run_when_connected(self, chore: Step) -> None:
        """Do that once there is a connection again, if there will be one."""
        self._pending.append(chore)

    def run_in_background(self, step: Coroutine[Any, Any, None]) -> None:
        """Do that when there is time; nobody waits for it."""
        task = asyncio.ensure_future(step)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _wrap_callback(
        self, tell_user: Callable[[], Awaitable[None]] | None, why: str | None = None
    ) -> Callable[[], Awaitable[None]]:
        async def on_event() -> None:
            self._decided.set()
            if why is not None:
                self.losses += 1
                self._on_loss(why)
            else:
                self._run_pending()
            if tell_user is not None:
                await tell_user()

        return on_event

    def _run_pending(self) -> None:
        chores, self._pending = self._pending, []
        for chore in chores:
            self.run_in_background(_quietly(chore()))


def connection_lost(context: ErrorContext, why: str) -> ConnectionLostError:
    """The error for a connection that is not there."""
    return context.error(ConnectionLostError, f"the connection failed for {context}: {why}")


async def _quietly(chore: Coroutine[Any, Any, None]) -> None:
    with contextlib.suppress(JetstowError):
        await chore
