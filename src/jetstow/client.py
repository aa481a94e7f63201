"""Connections and contexts: where buckets are made and found."""

from __future__ import annotations

import inspect
import logging
import os
import ssl
from pathlib import Path
from typing import Any, Final, Self

import nats.errors
import nats.js.client
from nats.aio.client import (
    DEFAULT_MAX_RECONNECT_ATTEMPTS,
    DEFAULT_RECONNECT_TIME_WAIT,
    RawCredentials,
)
from nats.aio.client import (
    Client as _NatsClient,
)
from nats.js import api

from jetstow import contexts, embedded
from jetstow._core import buckets
from jetstow._core.awaitables import Listing
from jetstow._core.jetstream import JetStream
from jetstow.errors import (
    AuthorizationError,
    ConnectionLostError,
    InvalidOptionError,
    NoServersError,
)
from jetstow.models import BucketStatus
from jetstow.store import ObjectStore

_log = logging.getLogger("jetstow.client")


class JetStreamContext(nats.js.client.JetStreamContext):
    """nats-py's JetStream context, with an object store that is all of ADR-20.

    `timeout`, in seconds, is the longest silence of the server that a call waits through;
    no transfer is bounded by it as a whole.
    """

    @property
    def _jetstream(self) -> JetStream:
        return JetStream(self._nc, self._prefix, self._timeout)

    async def create_object_store(
        self,
        bucket: str | None = None,
        config: api.ObjectStoreConfig | None = None,
        **params: Any,
    ) -> ObjectStore:
        """Make a bucket, or open it if it is there with the same configuration.

        The configuration's fields can be given by name: description, ttl (seconds),
        max_bytes, storage, replicas, placement, compression, metadata.

        Raises `InvalidBucketNameError`, `InvalidOptionError`, `BucketExistsError` (it is
        there with another configuration).
        """
        wanted = buckets.checked_config(bucket, config, params)
        return ObjectStore(self, await buckets.create(self._jetstream, wanted))

    async def update_object_store(
        self,
        bucket: str | None = None,
        config: api.ObjectStoreConfig | None = None,
        **params: Any,
    ) -> ObjectStore:
        """Change a bucket's configuration: what is given changes, what is None stays.

        Raises `BucketNotFoundError`, `InvalidOptionError` (such as another storage).
        """
        wanted = buckets.checked_config(bucket, config, params)
        return ObjectStore(self, await buckets.update(self._jetstream, wanted))

    async def create_or_update_object_store(
        self,
        bucket: str | None = None,
        config: api.ObjectStoreConfig | None = None,
        **params: Any,
    ) -> ObjectStore:
        """Make a bucket, or change the one that is there. Raises as these two do."""
        wanted = buckets.checked_config(bucket, config, params)
        return ObjectStore(self, await buckets.create_or_update(self._jetstream, wanted))

    async def object_store(self, bucket: str) -> ObjectStore:
        """Open a bucket. Raises `BucketNotFoundError`, `InvalidBucketNameError`."""
        return ObjectStore(self, await buckets.find(self._jetstream, bucket))

    async def delete_object_store(self, bucket: str) -> bool:
        """Drop a bucket and all that is in it, for ever. Raises `BucketNotFoundError`."""
        return await buckets.delete(self._jetstream, bucket)

    def object_store_names(self) -> Listing[str]:
        """The names of the account's buckets: `await` the list, or iterate."""
        return Listing(lambda: buckets.list_names(self._jetstream))

    def object_stores(self) -> Listing[BucketStatus]:
        """The states of the account's buckets: `await` the list, or iterate."""
        return Listing(lambda: buckets.list_states(self._jetstream))


class Client(_NatsClient):
    """A nats-py connection whose JetStream context has jetstow's object store."""

    def __init__(self) -> None:
        super().__init__()
        self._hold: embedded.Hold | None = None
        self._context_options: dict[str, Any] = {}

    def jetstream(self, **opts: Any) -> JetStreamContext:
        """A JetStream context; `prefix`, `domain` and `timeout` as in nats-py."""
        named = {} if {"prefix", "domain"} & opts.keys() else self._context_options
        return JetStreamContext(self, **named, **opts)

    async def __aenter__(self) -> Self:
        return self  # as nats-py does, whose annotation takes it for a client of nats-py

    async def _close(self, status: int, do_cbs: bool = True) -> None:
        try:
            await super()._close(status, do_cbs)
        finally:
            # nats-py closes half-way between its tries to connect, too.
            if status == self.CLOSED:
                await self._release()

    async def _give_up(self) -> None:
        """Leave nothing of a connection that was never made. No callback hears of it."""
        try:
            if self._flush_queue is not None:  # else nats-py did not even begin
                self._status = self.DISCONNECTED  # it may take itself for closed between tries
                await super()._close(self.CLOSED, do_cbs=False)
        finally:
            await self._release()

    async def _process_connect_init(self) -> None:
        try:
            await super()._process_connect_init()
        except BaseException:
            # After a TLS handshake that failed, nats-py would wait without end for a stream to
            # close whose socket the handshake took over, and closed.
            stream = getattr(self._transport, "_io_writer", None)
            if stream is not None and stream.is_closing():
                self._transport = None
            raise

    async def _release(self) -> None:
        if self._hold is not None:
            hold, self._hold = self._hold, None
            await hold.arelease()


def jetstream(nc: _NatsClient, **opts: Any) -> JetStreamContext:
    """jetstow's JetStream context on a nats-py connection that exists already."""
    return JetStreamContext(nc, **opts)


async def connect(servers: str | list[str] | None = None, **options: Any) -> Client:
    """Connect to NATS; every option of nats-py's `connect` passes through.

    Without `servers`: to what `NATS_URL` names, else to the `nats` command line's selected
    context, else to the embedded server, which is started if need be and stopped when its
    last user closes. The first try is short: an address where nobody answers is reported
    within seconds. Once connected, nats-py reconnects as its options say.

    Raises `NoServersError`, `AuthorizationError`, `ContextError`, `EmbeddedServerError`.
    """
    client = Client()
    if servers is None:
        servers, found = await _find_servers(client)
        if client._hold is None and _CREDENTIALS & options.keys():
            found = {key: value for key, value in found.items() if key not in _CREDENTIALS}
        options = found | options
    try:
        await _first_connection(client, servers, options)
    except BaseException:
        await client._give_up()
        raise
    return client


async def _find_servers(client: Client) -> tuple[list[str], dict[str, Any]]:
    if url := os.environ.get("NATS_URL"):
        return [part.strip() for part in url.split(",") if part.strip()], {}
    if (context := contexts.selected()) is not None:
        named = {"domain": context.js_domain, "prefix": context.js_prefix}
        client._context_options = {key: value for key, value in named.items() if value}
        found = dict(context.options)
        return found.pop("servers"), found
    client._hold = await embedded.acquire()
    return [client._hold.endpoint.url], {"token": client._hold.endpoint.token}


async def _first_connection(
    client: Client, servers: str | list[str], options: dict[str, Any]
) -> None:
    """Connect with a few tries, where nats-py would go on for two minutes."""
    connecting, failures = True, list[Exception]()
    tell_user = options.get("error_cb")
    if tell_user is not None and not inspect.iscoroutinefunction(tell_user):
        raise nats.errors.InvalidCallbackTypeError
    _check_credentials(options.get("user_credentials"))

    async def on_error(error: Exception) -> None:
        if connecting:
            failures.append(error)
        if tell_user is not None:
            await tell_user(error)
        else:
            _log.warning("%s", error)

    patient = {key: value for key, value in _PATIENT.items() if key not in options}
    hasty = {key: _HASTY[key] for key in patient}
    try:
        await client.connect(servers, **options | hasty | {"error_cb": on_error})
    except (nats.errors.Error, OSError) as error:
        if not failures and not isinstance(error, nats.errors.NoServersError):
            # Not the servers' fault: an address or an option that cannot be. What led to it
            # may quote a password.
            raise error from None
        raise _refused(servers, failures or [error]) from error
    if not client.is_connected:  # nats-py does not notice when a server hangs up just then
        raise _refused(servers, failures or [nats.errors.UnexpectedEOF()])
    connecting = False
    client.options.update(patient)


def _check_credentials(named: Any) -> None:
    """nats-py looks for a missing part without end, and takes a missing file for the server's.

    Raises `InvalidOptionError`, `FileNotFoundError`.
    """
    if isinstance(named, RawCredentials):
        told = str(named).encode()
    elif isinstance(named, str | Path):
        told = Path(named).read_bytes()
    else:
        return
    if not all(part in told for part in contexts.CREDS_PARTS):
        where = "" if isinstance(named, RawCredentials) else f": {named}"
        raise InvalidOptionError(f"user_credentials are not a user's JWT and seed{where}")


# What tells the server who we are. Who says one of these here wants none of a context's.
_CREDENTIALS: Final = frozenset({
    "user", "password", "token", "user_credentials", "nkeys_seed", "nkeys_seed_str",
    "signature_cb", "user_jwt_cb",
})  # fmt: skip

# How nats-py tries again by default, and how it does while there is no connection yet.
_PATIENT: Final[dict[str, Any]] = {
    "max_reconnect_attempts": DEFAULT_MAX_RECONNECT_ATTEMPTS,
    "reconnect_time_wait": DEFAULT_RECONNECT_TIME_WAIT,
}
_HASTY: Final[dict[str, Any]] = {"max_reconnect_attempts": 1, "reconnect_time_wait": 0.1}


def _refused(servers: str | list[str], failures: list[Exception]) -> ConnectionLostError:
    listed = [servers] if isinstance(servers, str) else servers
    # An address may carry a password before its @.
    shown = (server.rpartition("@")[2].rpartition("//")[2] for server in listed)
    where = ", ".join(shown) or "no address at all"
    for failure in failures:
        if "authorization violation" in str(failure).lower():
            return AuthorizationError(f"the NATS server at {where} refused the credentials")
    # A server that refuses our certificate says so, or just hangs up: the next try may differ.
    telling = next((error for error in failures if isinstance(error, ssl.SSLError)), failures[-1])
    why = str(telling).removeprefix("nats: ") or type(telling).__name__
    return NoServersError(f"cannot connect to NATS at {where}: {why}")
