"""Connections, blocking."""

from __future__ import annotations

import inspect
import os
import uuid
from collections.abc import Callable
from functools import wraps
from types import TracebackType
from typing import Any, Final, Self
from weakref import WeakValueDictionary

from anyio import to_thread

import jetstow
from jetstow.errors import ConnectionLostError, InvalidOptionError
from jetstow.sync.call import Call, run
from jetstow.sync.context import JetStreamContext
from jetstow.sync.likeness import like
from jetstow.sync.portal import background, inherit, let_go, lock

Servers = str | list[str] | None

# The callbacks that nats-py awaits. Plain functions here, they run in a worker thread.
_CALLBACKS: Final = (
    "error_cb",
    "disconnected_cb",
    "closed_cb",
    "discovered_server_cb",
    "reconnected_cb",
    "lame_duck_mode_cb",
)


@like(jetstow.connect)
def connect(servers: Servers = None, **options: Any) -> Client:
    nc = _connected(servers, options)
    return Client(uuid.uuid4().hex, servers, options, nc)


class Client:
    """A connection to NATS, whose JetStream context has jetstow's object store.

    A forked child that uses one connects anew, with the same arguments. So does a process
    to which it comes as a pickle; what comes there from the same connection shares one. The
    arguments travel in the pickle as they were given, passwords too.
    """

    def __init__(
        self,
        identity: str,
        servers: Servers,
        options: dict[str, Any],
        nc: jetstow.Client | None = None,
    ) -> None:
        self._identity = identity
        self._servers = servers
        self._options = options
        self._nc = nc
        self._pid = os.getpid()
        self._closed = False
        _known[identity] = self
        if nc is not None:
            background().keep_connection(nc, nc.close)

    def here(self) -> jetstow.Client:
        """The asynchronous client of this process, connected if it was not."""
        if self._nc is not None and self._pid == os.getpid():
            return self._nc
        with lock():
            if self._pid != os.getpid():
                inherit(self._nc)
                self._nc, self._pid = None, os.getpid()
            if self._closed:
                raise ConnectionLostError("the connection is closed")
            if self._nc is None:
                self._nc = _connected(self._servers, self._options)
                background().keep_connection(self._nc, self._nc.close)
            return self._nc

    @like(jetstow.Client.jetstream)
    def jetstream(self, **opts: Any) -> JetStreamContext:
        context = JetStreamContext(self, **opts)
        context.here()
        return context

    def close(self) -> None:
        """Close the connection. Whoever is waiting for it gets a `ConnectionLostError`."""
        self._leave(jetstow.Client.close)

    def drain(self) -> None:
        """Let what is under way come to its end, then close the connection."""
        self._leave(jetstow.Client.drain)

    def flush(self, timeout: int = 10) -> None:
        """Wait until the server has everything that was sent."""
        run(self.here().flush, timeout)

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection now."""
        return self._says("is_connected")

    @property
    def is_closed(self) -> bool:
        """Whether the connection was closed, or given up."""
        return self._says("is_closed")

    @property
    def is_reconnecting(self) -> bool:
        """Whether the connection is lost, and is being made anew."""
        return self._says("is_reconnecting")

    @property
    def connected_url(self) -> Any:
        """The server's address, parsed; None without a connection."""
        return self.here().connected_url

    @property
    def max_payload(self) -> int:
        """The largest message that the server takes, in bytes."""
        return int(self.here().max_payload)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __reduce__(self) -> tuple[Any, ...]:
        return _received, (self._identity, self._servers, self._options)

    def __del__(self) -> None:
        nc = getattr(self, "_nc", None)
        if nc is None or self._closed:
            return
        if self._pid == os.getpid():
            let_go(nc, nc.close)
        else:
            inherit(nc)

    def _leave(self, how: Callable[..., Any]) -> None:
        nc, mine = self._nc, self._pid == os.getpid()
        self._closed = True
        if nc is not None and mine:
            run(how, nc)
            background().drop(nc)

    def _says(self, what: str) -> bool:
        if self._nc is None or self._pid != os.getpid():
            return what == "is_closed" and self._closed
        return bool(getattr(self._nc, what))


_known: WeakValueDictionary[str, Client] = WeakValueDictionary()
# What came as a pickle lives as long as the process: the next one may come from there, too.
_foreign: dict[str, Client] = {}


def _received(identity: str, servers: Servers, options: dict[str, Any]) -> Client:
    with lock():
        client = _known.get(identity)
        if client is None or client.is_closed:
            client = _foreign[identity] = Client(identity, servers, options)
        return client


def _connected(servers: Servers, options: dict[str, Any]) -> jetstow.Client:
    return Call(undo=jetstow.Client.close).run(jetstow.connect, servers, **_awaited(options))


def _awaited(options: dict[str, Any]) -> dict[str, Any]:
    named = {key: options[key] for key in _CALLBACKS if options.get(key) is not None}
    return options | {key: _in_thread(callback) for key, callback in named.items()}


def _in_thread(callback: Callable[..., Any]) -> Callable[..., Any]:
    if inspect.iscoroutinefunction(callback):
        return callback

    @wraps(callback)
    async def call(*args: Any) -> None:
        await to_thread.run_sync(callback, *args, abandon_on_cancel=True)

    return call


def jetstream(nc: Client, **opts: Any) -> JetStreamContext:
    """The JetStream context of a blocking connection, as `nc.jetstream()` gives it.

    A connection of nats-py, or of the asynchronous face, belongs to the loop that made it and
    cannot be used here: `InvalidOptionError`.
    """
    if not isinstance(nc, Client):
        raise InvalidOptionError(
            f"{type(nc).__name__} belongs to an event loop: connect with jetstow.sync.connect, "
            "or use jetstow.jetstream where it was made"
        )
    return nc.jetstream(**opts)
