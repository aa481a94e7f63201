"""The state of a connection: wait until it is connected, and for work that needs it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, Final, TypeVar
from weakref import WeakValueDictionary

import nats.errors

from jetstow._core.aio.cancellation import wait_unless_cancelled
from jetstow._core.aio.unawaited import Unawaited
from jetstow._core.protocol.error_context import ErrorContext
from jetstow.errors import ConnectionLostError

if TYPE_CHECKING:
    from nats.aio.client import Client

T = TypeVar("T")
Callback = Callable[[], Awaitable[None]]

# nats-py calls back when it has reconnected or given up, but not if an internal error ends its
# reconnection. So waiters poll its state at this interval, in seconds.
_POLL_INTERVAL: Final = 1.0


class ConnectionState:
    """Follows a connection through nats-py's callbacks, which still call the user's own.

    `on_loss` is called with the reason of each lost connection.
    """

    def __init__(self, nc: Client, on_loss: Callable[[str], None]) -> None:
        self._nc = nc
        self._on_loss = on_loss
        # Set when the connection is established or closed, so that waiters check the state.
        self._changed = asyncio.Event()
        self._unawaited: WeakValueDictionary[object, Unawaited] = WeakValueDictionary()
        self._running: set[asyncio.Task[None]] = set()
        client: Any = nc
        client._closed_cb = self._on_disconnected("it was closed", client._closed_cb)
        client._disconnected_cb = self._on_disconnected(
            "it was interrupted", client._disconnected_cb
        )
        client._reconnected_cb = self._on_reconnected(client._reconnected_cb)

    async def wait_connected(self, context: ErrorContext) -> None:
        """Return when connected: at once, or after nats-py has reconnected.

        Raises: `ConnectionLostError` (nats-py has given up, or the caller was cancelled).
        """
        nc = self._nc
        while not nc.is_connected:
            reconnection = nc._reconnection_task
            if nc.is_closed or reconnection is None or reconnection.done():
                raise connection_lost(context, "it was closed")
            self._changed.clear()
            if not await wait_unless_cancelled(self._changed, _POLL_INTERVAL):
                raise connection_lost(context, "it was interrupted")

    def unawaited(self, key: object) -> Unawaited:
        """Return the work with a key that needs the connection, and that no caller waits for."""
        return self._unawaited.setdefault(key, Unawaited())

    async def finish_unawaited(self, timeout: float) -> None:
        """End all unawaited work, before the connection is closed."""
        work = list(self._unawaited.values())
        timeout = timeout if self._nc.is_connected else 0.0
        await asyncio.gather(*(each.finish(timeout) for each in work))

    def run_in_background(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine that the caller does not wait for."""
        task = asyncio.ensure_future(coroutine)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def _on_disconnected(self, reason: str, user_callback: Callback | None) -> Callback:
        async def callback() -> None:
            self._changed.set()
            self._on_loss(reason)
            if user_callback is not None:
                await user_callback()

        return callback

    def _on_reconnected(self, user_callback: Callback | None) -> Callback:
        async def callback() -> None:
            self._changed.set()
            if user_callback is not None:
                await user_callback()

        return callback


def connection_lost(context: ErrorContext, reason: str) -> ConnectionLostError:
    """Return the error for a lost connection."""
    return context.error(ConnectionLostError, f"the connection failed for {context}: {reason}")


async def translate_errors(awaitable: Awaitable[T], context: ErrorContext) -> T:
    """Await a call of nats-py.

    Raises: `ConnectionLostError`.
    """
    try:
        return await awaitable
    except (nats.errors.Error, OSError) as error:
        raise connection_lost(context, str(error).removeprefix("nats: ")) from error
