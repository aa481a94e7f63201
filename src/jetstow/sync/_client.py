"""Blocking connections."""

from __future__ import annotations

import inspect
import os
import uuid
from collections.abc import Callable
from functools import wraps
from types import TracebackType
from typing import Any, Final, Self, Unpack
from weakref import WeakValueDictionary

from anyio import to_thread

import jetstow
from jetstow._core.protocol.duration import seconds
from jetstow.errors import ConnectionLostError, InvalidOptionError
from jetstow.sync._call import Call, run
from jetstow.sync._generated import JetStreamContext
from jetstow.sync._portal import close_soon, get_portal, keep_inherited, process_lock
from jetstow.types import BlockingConnectOptions, Duration, JetStreamOptions

Servers = str | list[str] | None

# nats-py awaits these callbacks. In jetstow.sync they are functions, which run in a thread.
_CALLBACKS: Final = (
    "error_cb",
    "disconnected_cb",
    "closed_cb",
    "discovered_server_cb",
    "reconnected_cb",
    "lame_duck_mode_cb",
)


def connect(servers: Servers = None, **options: Unpack[BlockingConnectOptions]) -> Client:
    """Connect to NATS: `with jetstow.connect() as nc`, or `nc = jetstow.connect()`.

    `servers` is a URL or a list of URLs (`nats://host:port`). Without it, the servers are, in
    this order, those of `NATS_URL` (separated by commas), those of the context that the `nats`
    command has selected, or the embedded server. The embedded server starts if it is not running,
    and stops when its last client closes.

    The options are those of nats-py's `connect` (`jetstow.types.BlockingConnectOptions`).
    Callbacks are functions, and run in a thread of their own. The first connection is attempted
    twice at most per server unless `max_reconnect_attempts` or `reconnect_time_wait` is given.
    After that, nats-py reconnects as its options specify. Without `error_cb`, errors are logged.

    Raises: `InvalidOptionError` (the option does not exist, or a URL or a seed is malformed),
    `NoServersError`, `AuthorizationError`, `ContextError`, `EmbeddedServerError`.
    """
    return Client(uuid.uuid4().hex, servers, options, _connect(servers, options))


class Client:
    """A connection to NATS, whose JetStream context has jetstow's object store.

    `connect` creates it. It is a context manager, which closes the connection. A forked child, and
    a process that unpickles a client, connects with the same arguments when it first uses the
    connection. All that was pickled from one connection shares one there. A pickle has the
    arguments of `connect`, passwords included.
    """

    def __init__(
        self,
        identity: str,
        servers: Servers,
        options: BlockingConnectOptions,
        client: jetstow.Client | None = None,
    ) -> None:
        self._identity = identity
        self._servers = servers
        self._options = options
        self._client = client
        self._pid = os.getpid()
        self._closed = False
        _clients[identity] = self
        if client is not None:
            get_portal().register_connection(client, client.close)

    def async_client(self) -> jetstow.Client:
        """Return the asynchronous client of this process. Connect if it is of another process."""
        if self._client is not None and self._pid == os.getpid():
            return self._client
        with process_lock():
            if self._pid != os.getpid():
                keep_inherited(self._client)
                self._client, self._pid = None, os.getpid()
            if self._closed:
                raise ConnectionLostError("the connection is closed")
            if self._client is None:
                self._client = _connect(self._servers, self._options)
                get_portal().register_connection(self._client, self._client.close)
            return self._client

    def jetstream(self, **opts: Unpack[JetStreamOptions]) -> JetStreamContext:
        """Return a JetStream context.

        `timeout` is in seconds, or a timedelta (default: 5); `domain` and `prefix` select the
        JetStream API of another domain or account, by default those of the `nats` context in use.
        `subject_prefix` precedes the subjects `$O.>` that objects are published to, if the account
        imports them with a prefix.

        Raises: `InvalidOptionError` (the option does not exist, the timeout is not above 0, or the
        prefix is not a subject).
        """
        context = JetStreamContext(self, opts)
        context.async_context()
        return context

    def close(self) -> None:
        """Close the connection. Calls that wait for the server raise `ConnectionLostError`."""
        self._close(jetstow.Client.close)

    def drain(self) -> None:
        """Complete what is in progress, then close the connection."""
        self._close(jetstow.Client.drain)

    def flush(self, timeout: Duration = 10) -> None:
        """Wait up to `timeout` seconds until the server has received everything sent so far."""
        run(self.async_client().flush, seconds(timeout))

    @property
    def is_connected(self) -> bool:
        """Whether the connection is established now."""
        client = self._own_client()
        return client is not None and client.is_connected

    @property
    def is_closed(self) -> bool:
        """Whether the connection was closed, or nats-py has given up reconnecting."""
        client = self._own_client()
        return self._closed if client is None else client.is_closed

    @property
    def is_reconnecting(self) -> bool:
        """Whether the connection is lost and nats-py tries to reconnect."""
        client = self._own_client()
        return client is not None and client.is_reconnecting

    @property
    def connected_url(self) -> Any:
        """The server's URL as a `urllib.parse.ParseResult`; None if not connected."""
        return self.async_client().connected_url

    @property
    def max_payload(self) -> int:
        """The largest message that the server accepts, in bytes."""
        return int(self.async_client().max_payload)

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
        return _unpickle_client, (self._identity, self._servers, self._options)

    def __del__(self) -> None:
        client = getattr(self, "_client", None)
        if client is None or self._closed:
            return
        if self._pid == os.getpid():
            close_soon(client, client.close)
        else:
            keep_inherited(client)

    def _own_client(self) -> jetstow.Client | None:
        """Return the asynchronous client if this process has connected."""
        return self._client if self._pid == os.getpid() else None

    def _close(self, close: Callable[[jetstow.Client], Any]) -> None:
        client = self._own_client()
        self._closed = True
        if client is not None:
            run(close, client)
            get_portal().unregister(client)


_clients: WeakValueDictionary[str, Client] = WeakValueDictionary()
# Unpickled clients live as long as the process: later pickles of the same connection use them.
_unpickled: dict[str, Client] = {}


def _unpickle_client(identity: str, servers: Servers, options: BlockingConnectOptions) -> Client:
    with process_lock():
        client = _clients.get(identity)
        if client is None or client.is_closed:
            client = _unpickled[identity] = Client(identity, servers, options)
        return client


def _connect(servers: Servers, options: BlockingConnectOptions) -> jetstow.Client:
    call = Call(undo=jetstow.Client.close)
    return call.run(jetstow.connect, servers, **_with_async_callbacks({**options}))


def _with_async_callbacks(options: dict[str, Any]) -> dict[str, Any]:
    callbacks = {name: options[name] for name in _CALLBACKS if options.get(name) is not None}
    return options | {name: _in_thread(callback) for name, callback in callbacks.items()}


def _in_thread(callback: Callable[..., Any]) -> Callable[..., Any]:
    if inspect.iscoroutinefunction(callback):
        return callback

    @wraps(callback)
    async def run_callback(*args: Any) -> None:
        await to_thread.run_sync(callback, *args, abandon_on_cancel=True)

    return run_callback


def jetstream(nc: Client, **opts: Unpack[JetStreamOptions]) -> JetStreamContext:
    """Return a JetStream context of a blocking connection, as `nc.jetstream()` does.

    Raises: `InvalidOptionError` (`nc` is a connection of nats-py or of the asynchronous `jetstow`,
    which belongs to an event loop; or the option does not exist).
    """
    if not isinstance(nc, Client):
        raise InvalidOptionError(
            f"{type(nc).__name__} belongs to an event loop: connect with jetstow.sync.connect, "
            "or use jetstow.jetstream in that loop"
        )
    return nc.jetstream(**opts)
