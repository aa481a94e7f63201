"""Whether a connection stands: who waits until it does, and what is done then."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, Final

from jetstow._core.aio.cancellation import while_wanted
from jetstow._core.protocol.context import Target
from jetstow.errors import ConnectionLostError, JetstowError

if TYPE_CHECKING:
    from nats.aio.client import Client

Chore = Callable[[], Coroutine[Any, Any, None]]

# nats-py tells when it has reconnected or given up. But an error of its own may end it, and
# that nobody tells: so it is looked at every so many seconds.
_GLANCE: Final = 1.0


class Standing:
    """What nats-py tells of its connection, heard beside its user; `losses` counts them.

    `on_loss` is told why, each time.
    """

    def __init__(self, nc: Client, on_loss: Callable[[str], None]) -> None:
        self.losses = 0
        self._nc = nc
        self._on_loss = on_loss
        # Set while it is known whether there is a connection: it stands, or it is closed.
        self._decided = asyncio.Event()
        self._chores: list[Chore] = []
        self._errands: set[asyncio.Task[None]] = set()
        told: Any = nc
        told._closed_cb = self._then(told._closed_cb, "it was closed")
        told._disconnected_cb = self._then(told._disconnected_cb, "it was interrupted")
        told._reconnected_cb = self._then(told._reconnected_cb)

    async def restored(self, target: Target) -> None:
        """Return when there is a connection, at once or after nats-py has reconnected.

        Raises `ConnectionLostError` when it has given up, and where the caller has.
        """
        nc = self._nc
        while not nc.is_connected:
            task = nc._reconnection_task
            if nc.is_closed or task is None or task.done():
                raise lost(target, "it was closed")
            self._decided.clear()
            if not await while_wanted(self._decided, _GLANCE):
                raise lost(target, "it was interrupted")

    def afterwards(self, chore: Chore) -> None:
        """Do that once there is a connection again, if there will be one."""
        self._chores.append(chore)

    def see_to(self, step: Coroutine[Any, Any, None]) -> None:
        """Do that when there is time; nobody waits for it."""
        task = asyncio.ensure_future(step)
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)

    def _then(
        self, tell_user: Callable[[], Awaitable[None]] | None, why: str | None = None
    ) -> Callable[[], Awaitable[None]]:
        async def on_event() -> None:
            self._decided.set()
            if why is not None:
                self.losses += 1
                self._on_loss(why)
            else:
                self._catch_up()
            if tell_user is not None:
                await tell_user()

        return on_event

    def _catch_up(self) -> None:
        chores, self._chores = self._chores, []
        for chore in chores:
            self.see_to(_quietly(chore()))


def lost(target: Target, why: str) -> ConnectionLostError:
    """The error for a connection that is not there."""
    return target.error(ConnectionLostError, f"the connection failed for {target}: {why}")


async def _quietly(chore: Coroutine[Any, Any, None]) -> None:
    with contextlib.suppress(JetstowError):
        await chore
