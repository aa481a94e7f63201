"""Requests to the JetStream API.

Only this module and `inbox.py` talk to the server.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

from jetstow._core.protocol.api_errors import (
    decode_response,
    decode_stream_info,
    no_responders,
)
from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.protocol.message import NO_RESPONDERS, Message, status
from jetstow._core.protocol.metadata import json_encode
from jetstow._core.protocol.subjects import bucket_name
from jetstow._core.transport.inbox import Inbox, M
from jetstow._core.transport.pending_reply import PendingReply
from jetstow._core.transport.retry import (
    LEADER_ELECTION_TIMEOUT,
    RETRIED_ERRORS,
    SHUTDOWN_TIMEOUT,
    RetryPolicy,
)
from jetstow._core.transport.unawaited_reply import OnEnd, UnawaitedReply
from jetstow.errors import BucketNotFoundError, JetStreamUnavailableError, ServerError

if TYPE_CHECKING:
    from nats.aio.client import Client

_log = logging.getLogger("jetstow.read")

# How long a list waits for the streams that had no leader, in seconds: for one election. A stream
# with one replica, on a server that is down, would let it wait each time.
_MISSING_TIMEOUT: Final = 10.0

# nats-py parses the version with a regular expression on each access of `major` or `minor`.
_versions: dict[str, tuple[int, int]] = {}

T = TypeVar("T")


# The subjects of the JetStream API of the connection's own domain.
DEFAULT_PREFIX: Final = "$JS.API"
_DOMAIN_PREFIX: Final = re.compile(r"\$JS\.[^.]+\.API")


class JetStreamAPI:
    """The JetStream API of a connection's account.

    `timeout` is the longest silence of the server, in seconds. Requests without a reply are sent
    again for `retry_timeout` seconds, those with "no responders" for `unavailable_timeout` seconds.
    `subject_prefix` is that of the subjects of buckets, if the account imports them from another
    one.
    """

    def __init__(
        self,
        nc: Client,
        prefix: str,
        timeout: float,
        retry_timeout: float = 0.0,
        subject_prefix: str = "",
        unavailable_timeout: float = 0.0,
    ) -> None:
        self.nc = nc
        self.prefix = prefix
        self.timeout = timeout
        self.retry_timeout = retry_timeout
        self.subject_prefix = subject_prefix
        self.unavailable_timeout = unavailable_timeout
        self._inbox: Inbox | None = None

    @classmethod
    def of_connection(
        cls, nc: Client, prefix: str, timeout: float, subject_prefix: str
    ) -> JetStreamAPI:
        """Return the API for requests that are not for an open bucket, such as opening one.

        A cluster, or a stream in it, that has no leader does not reply until the election is over.
        """
        in_cluster = bool(nc._server_info.get("cluster"))
        silence = LEADER_ELECTION_TIMEOUT if in_cluster else 0.0
        return cls(nc, prefix, timeout, silence, subject_prefix)

    @property
    def is_imported(self) -> bool:
        """Whether the prefix is neither the default nor that of a domain."""
        return self.prefix != DEFAULT_PREFIX and not _DOMAIN_PREFIX.fullmatch(self.prefix)

    def of_stream(self, *, has_replicas: bool) -> JetStreamAPI:
        """Return a copy for the requests of an open bucket, which are retried."""
        silence = LEADER_ELECTION_TIMEOUT if has_replicas else 0.0
        unavailable = LEADER_ELECTION_TIMEOUT if has_replicas else SHUTDOWN_TIMEOUT
        return JetStreamAPI(
            self.nc, self.prefix, self.timeout, silence, self.subject_prefix, unavailable
        )

    def retry_policy(self, context: ErrorContext) -> RetryPolicy:
        """Return the retry policy of one call."""
        return RetryPolicy(self.inbox.state, context, self.retry_timeout, self.unavailable_timeout)

    @property
    def inbox(self) -> Inbox:
        """The connection's inbox."""
        inbox = self._inbox
        if inbox is None or inbox.flush_queue is not self.nc._flush_queue:
            inbox = self._inbox = Inbox.for_client(self.nc)
        return inbox

    @property
    def server_version(self) -> tuple[int, int]:
        """Major and minor version of the connected server."""
        text = self.nc._server_info.get("version", "")
        if text not in _versions:
            version = self.nc.connected_server_version
            try:
                _versions[text] = version.major, version.minor
            except ValueError:
                _versions[text] = 0, 0
        return _versions[text]

    async def open_mailbox(self, kind: type[M], context: ErrorContext) -> M:
        """Open a mailbox with the timeout of this API.

        Raises: what `Inbox.open_mailbox` raises.
        """
        return await self.inbox.open_mailbox(kind, context, self.timeout)

    async def send_request(
        self,
        context: ErrorContext,
        subject: str,
        payload: bytes = b"",
        headers: dict[str, str] | None = None,
    ) -> Message:
        """Publish one message, once, and return the reply.

        Raises: `ConnectionLostError`, `TimeoutError`, `PermissionDeniedError`,
        `JetStreamUnavailableError` (no responders).
        """
        inbox = self.inbox
        if not inbox.is_ready:
            await inbox.prepare(context, self.timeout)
        reply = inbox.send(PendingReply, context, subject, payload, headers, self.timeout)
        inbox.flush()
        try:
            message = await reply.wait()
        finally:
            reply.close()
        if not message.data and status(message) == NO_RESPONDERS:
            raise no_responders(context)
        return message

    def send_unawaited(self, context: ErrorContext, api: str, body: object, on_end: OnEnd) -> None:
        """Send a request once, if `inbox.is_ready`. `on_end` gets its reply, or its error.

        Raises: `WrongEventLoopError`.
        """
        subject, payload = f"{self.prefix}.{api}", json_encode(body)
        inbox = self.inbox
        reply = inbox.send(UnawaitedReply, context, subject, payload, None, self.timeout)
        reply.on_end = on_end
        inbox.flush_soon()
        inbox.timeouts.check_at(reply.first_check)

    async def retry(self, context: ErrorContext, request: Callable[[], Awaitable[T]]) -> T:
        """Call an idempotent function, again if it fails and the retry policy allows it."""
        policy = None
        while True:
            try:
                return await request()
            except RETRIED_ERRORS as error:
                policy = policy or self.retry_policy(context)
                await policy.wait_or_raise(error)

    async def request(self, context: ErrorContext, api: str, body: object = None) -> dict[str, Any]:
        """Send an idempotent request such as `STREAM.INFO.x`, with retries; return the response.

        Raises: what `send_request` raises, and the errors of `api_error`.
        """
        payload = b"" if body is None else json_encode(body)
        return await self.request_decoded(context, api, payload, decode_response)

    async def request_decoded(
        self,
        context: ErrorContext,
        api: str,
        payload: bytes,
        decode: Callable[[ErrorContext, Message], T],
    ) -> T:
        """Send an idempotent request, with retries; return what `decode` makes of the response.

        Raises: what `send_request` and `decode` raise.
        """
        subject = f"{self.prefix}.{api}"

        async def request() -> T:
            return decode(context, await self.send_request(context, subject, payload))

        return await self.retry(context, request)

    async def list_streams(
        self, verb: Literal["NAMES", "LIST"], subject: str
    ) -> AsyncGenerator[Any, None]:
        """Yield the names, or the configuration and state, of the streams that store a subject.

        Lists of states leave out streams without a leader, which are then asked one by one.
        """
        offset = 0
        while True:
            page = await self.request(
                ErrorContext(), f"STREAM.{verb}", {"subject": subject, "offset": offset}
            )
            streams, missing = page.get("streams") or [], page.get("missing") or []
            if missing:
                # Those whose servers are offline for long are in the list nevertheless.
                listed = {stream["config"]["name"] for stream in streams}
                missing = [name for name in missing if name not in listed]
            for stream in streams:
                yield stream
            for info in await asyncio.gather(*map(self._info_of_missing, missing)):
                if info is not None:
                    yield info
            offset += len(streams) + len(missing)
            if not (streams or missing) or offset >= page.get("total", 0):
                return

    async def _info_of_missing(self, stream: str) -> dict[str, Any] | None:
        """Return the state of a stream when it has a leader again; None if it gets none."""
        context, api = ErrorContext(bucket_name(stream)), self.of_stream(has_replicas=True)
        try:
            async with asyncio.timeout(_MISSING_TIMEOUT):
                return await api.request_decoded(
                    context, f"STREAM.INFO.{stream}", b"", decode_stream_info
                )
        except BucketNotFoundError:
            return None  # deleted since
        except (TimeoutError, JetStreamUnavailableError, ServerError) as error:
            _log.warning("%s is not listed: %s", context, str(error) or "it has no leader")
            return None
