"""Connections and JetStream contexts, which create and open buckets."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, Self, Unpack

import nats.js.client
from nats.aio.client import Client as _NatsClient
from nats.js import api

from jetstow._core.aio.awaitables import Listing
from jetstow._core.aio.cancellation import CLEANUP_GRACE, uncancelled
from jetstow._core.aio.tracebacks import short_tracebacks
from jetstow._core.bucket import admin
from jetstow._core.bucket.config import parse_config
from jetstow._core.protocol.duration import check_timeout, options_in_seconds
from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.protocol.option_names import check_option_names
from jetstow._core.protocol.subjects import check_subject_prefix
from jetstow._core.transport.client import FastPathClient
from jetstow._core.transport.event_loop import ConnectionLoop
from jetstow._core.transport.inbox import Inbox
from jetstow._core.transport.jetstream_api import JetStreamAPI
from jetstow._core.transport.permissions import until_denied
from jetstow.errors import BucketNotFoundError, WrongStreamError
from jetstow.models import BucketStatus
from jetstow.store import ObjectStore
from jetstow.types import BucketOptions, Finding, JetStreamOptions, Progress, VerifyResult

if TYPE_CHECKING:
    from nats.aio.msg import Msg

    from jetstow import _embedded

# How long `close` and `drain` wait for purges, in seconds. Then one request purges what remains.
_FINISH_TIMEOUT: Final = 5.0


class JetStreamContext(nats.js.client.JetStreamContext):
    """nats-py's JetStream context, with an object store that implements all of ADR-20.

    `timeout` (in seconds, default 5) limits the silence of the server during a call. Bytes that
    leave or arrive over a slow link end a silence. It does not limit a transfer as a whole.
    """

    def __init__(self, conn: _NatsClient, *, subject_prefix: str = "", **opts: Any) -> None:
        super().__init__(conn, **opts)
        check_timeout(self._timeout)
        self._subject_prefix = check_subject_prefix(subject_prefix)

    @property
    def _jetstream(self) -> JetStreamAPI:
        return JetStreamAPI.of_connection(
            self._nc, self._prefix, self._timeout, self._subject_prefix
        )

    @short_tracebacks
    async def create_object_store(  # type: ignore[override]  # nats-py takes any option
        self,
        bucket: str | None = None,
        config: api.ObjectStoreConfig | None = None,
        **params: Unpack[BucketOptions],
    ) -> ObjectStore:
        """Create a bucket, or open the one that exists with the same configuration.

        The configuration is a `BucketConfig`, or its fields as keyword arguments: `description`,
        `ttl` (in seconds, or a timedelta), `max_bytes`, `storage`, `replicas`, `placement`,
        `compression`, `metadata`, `versioned`. Keyword arguments take precedence. A field that is
        None has the server's default.

        Raises: `InvalidBucketNameError`, `InvalidOptionError`, `BucketExistsError` (the bucket
        exists with a different configuration).
        """
        wanted = parse_config(bucket, config, params)
        return ObjectStore(self, await admin.create(self._jetstream, wanted))

    @short_tracebacks
    async def update_object_store(
        self,
        bucket: str | None = None,
        config: api.ObjectStoreConfig | None = None,
        **params: Unpack[BucketOptions],
    ) -> ObjectStore:
        """Change the configuration of a bucket.

        It takes the arguments of `create_object_store`. A field that is None stays as it is.

        Raises: `InvalidBucketNameError`, `BucketNotFoundError`, `InvalidOptionError` (also for a
        change that the server does not allow, such as to `storage`), `WrongStreamError` (see
        `object_store`).
        """
        wanted = parse_config(bucket, config, params)
        return ObjectStore(self, await admin.update(self._jetstream, wanted))

    @short_tracebacks
    async def create_or_update_object_store(
        self,
        bucket: str | None = None,
        config: api.ObjectStoreConfig | None = None,
        **params: Unpack[BucketOptions],
    ) -> ObjectStore:
        """Create a bucket, or change the configuration of the one that exists.

        It takes the arguments of `create_object_store`.

        Raises: `InvalidBucketNameError`, `InvalidOptionError`, `WrongStreamError` (see
        `object_store`).
        """
        wanted = parse_config(bucket, config, params)
        return ObjectStore(self, await admin.create_or_update(self._jetstream, wanted))

    @short_tracebacks
    async def object_store(self, bucket: str) -> ObjectStore:
        """Open a bucket.

        A mirror, and a stream that gets its messages from other streams, is read-only.

        Raises: `BucketNotFoundError`, `InvalidBucketNameError`, `WrongStreamError` (the stream was
        created by another program, and its configuration would lose bytes of objects).
        """
        return ObjectStore(self, await admin.open_stream(self._jetstream, bucket))

    @short_tracebacks
    async def delete_object_store(self, bucket: str) -> bool:
        """Delete a bucket and all objects in it, permanently. Return True.

        Raises: `BucketNotFoundError`, `InvalidBucketNameError`.
        """
        return await admin.delete(self._jetstream, bucket)

    def object_store_names(self) -> Listing[str]:
        """Return the names of the account's buckets: `await` a list, or use `async for`."""
        return Listing(lambda: admin.list_names(self._jetstream))

    def object_stores(self) -> Listing[BucketStatus]:
        """Return the states of the account's buckets: `await` a list, or use `async for`."""
        return Listing(lambda: admin.list_statuses(self._jetstream))

    @short_tracebacks
    async def verify_object_stores(
        self, *, quick: bool = False, progress: Progress | None = None
    ) -> list[VerifyResult]:
        """Check every bucket of the account, as `ObjectStore.verify` does.

        Return one result per bucket, sorted by name. A bucket that is deleted in the meantime
        is left out. A bucket that cannot be opened has one finding.
        """
        results = []
        for bucket in sorted(await self.object_store_names()):
            try:
                store = await self.object_store(bucket)
                results.append(await store.verify(quick=quick, progress=progress))
            except BucketNotFoundError:
                continue
            except WrongStreamError as error:
                results.append(VerifyResult(bucket, findings=(Finding(None, error),)))
        return results


class Client(FastPathClient):
    """A nats-py connection whose JetStream context has jetstow's object store.

    `connect` creates it. It is an async context manager, which closes the connection.
    """

    def __init__(self) -> None:
        super().__init__()
        # The share of this connection in the embedded server, if it leads there.
        self._lease: _embedded.Lease | None = None
        # Options of the `nats` context that this connection was made with.
        self._context_options: dict[str, Any] = {}

    def jetstream(  # type: ignore[override]  # nats-py takes any option
        self, **opts: Unpack[JetStreamOptions]
    ) -> JetStreamContext:
        """Return a JetStream context.

        `timeout` is in seconds, or a timedelta (default: 5); `domain` and `prefix` select the
        JetStream API of another domain or account, by default those of the `nats` context in use.
        `subject_prefix` precedes the subjects `$O.>` that objects are published to, if the account
        imports them with a prefix.

        Raises: `InvalidOptionError` (the option does not exist, the timeout is not above 0, or the
        prefix is not a subject).
        """
        defaults = {} if {"prefix", "domain"} & opts.keys() else self._context_options
        check_option_names("jetstream()", opts, JetStreamOptions.__optional_keys__)
        return JetStreamContext(self, **defaults, **options_in_seconds(opts))

    async def request(self, subject: str, *args: Any, **kwargs: Any) -> Msg:
        """Send a request, as nats-py does, and return the reply.

        Raises: `PermissionDeniedError` (at once; nats-py waits for its timeout), what nats-py
        raises.
        """
        request = super().request(subject, *args, **kwargs)
        return await until_denied(Inbox.for_client(self), subject, request)

    async def __aenter__(self) -> Self:
        return self  # nats-py's annotation is its own client, which has another `jetstream`

    async def drain(self) -> None:
        """End all subscriptions, then send what is buffered, and close the connection."""
        # Their replies arrive at a subscription.
        await self._finish_unawaited()
        await super().drain()

    async def _close(self, status: int, do_cbs: bool = True) -> None:
        ConnectionLoop(self).check(ErrorContext())
        own = (self._reading_task, self._ping_interval_task, self._flusher_task)
        if asyncio.current_task() in (*own, self._reconnection_task):
            # nats-py cancels all of its tasks, except the one that calls this method.
            await self._close_now(status, do_cbs)
        else:
            # nats-py counts as closed from the start: a second call would not close the socket.
            await uncancelled(self._close_now(status, do_cbs), CLEANUP_GRACE)

    async def _close_now(self, status: int, do_cbs: bool) -> None:
        if self.is_reconnecting:
            # nats-py would flush the pending commands to the dead socket. That raises, and skips
            # the rest of `close` and its callbacks.
            self._pending, self._pending_data_size = [], 0
        if status == self.CLOSED and not self.is_closed:
            await self._finish_unawaited()
        try:
            await super()._close(status, do_cbs)
        except asyncio.CancelledError:
            self._abort()
            raise
        finally:
            # Between two attempts to connect, nats-py calls this with another status.
            if status == self.CLOSED:
                await self._release()

    async def _finish_unawaited(self) -> None:
        """Wait for the purges that were sent, and for little more than `_FINISH_TIMEOUT`."""
        inbox = getattr(self, "_jetstow_inbox", None)
        if isinstance(inbox, Inbox):
            await inbox.state.finish_unawaited(_FINISH_TIMEOUT)

    async def _give_up(self) -> None:
        """Release the resources of a connection that was never made, without any callback."""
        try:
            if self._flush_queue is not None:  # None: nats-py has not started to connect
                # Between two attempts the status may be CLOSED, and `_close` would do nothing.
                self._status = self.DISCONNECTED
                await super()._close(self.CLOSED, do_cbs=False)
        finally:
            await self._release()

    async def _release(self) -> None:
        if self._lease is not None:
            lease, self._lease = self._lease, None
            await lease.arelease()


def jetstream(nc: _NatsClient, **opts: Unpack[JetStreamOptions]) -> JetStreamContext:
    """Return jetstow's JetStream context on a connection of nats-py.

    The options are those of `Client.jetstream`.

    Raises: `InvalidOptionError` (the option does not exist, the timeout is not above 0, or a prefix
    is not a subject).
    """
    check_option_names("jetstream()", opts, JetStreamOptions.__optional_keys__)
    return JetStreamContext(nc, **options_in_seconds(opts))


__all__ = ["Client", "JetStreamContext", "jetstream"]
