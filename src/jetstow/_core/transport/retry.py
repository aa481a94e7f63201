"""The retry policy: the errors of the connection or the server after which a call is retried.

After a lost connection, a call waits until nats-py reconnects or gives up. If a cluster or a bucket
with replicas has lost its leader, a call is retried while the servers elect another one.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from jetstow._core.aio import telemetry
from jetstow._core.aio.cancellation import is_caller_cancelled, wait_unless_cancelled
from jetstow._core.protocol.api_errors import NO_LEADER
from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.transport.connection_state import ConnectionState
from jetstow.errors import (
    ConnectionLostError,
    JetstowError,
    JetStreamUnavailableError,
    TimeoutError,
)

_log = logging.getLogger("jetstow.retry")

RETRIED_ERRORS: Final = (ConnectionLostError, TimeoutError, JetStreamUnavailableError)

# How long to retry a cluster or a bucket with replicas that has no leader, in seconds. nats-server
# waits 4 to 9 seconds before an election, and again after a tied vote.
LEADER_ELECTION_TIMEOUT: Final = 20.0

# How long to retry "no responders" of a bucket without replicas, in seconds. A server that stops
# sends that reply until it closes its connections (nats-server 2.9 to 2.15).
SHUTDOWN_TIMEOUT: Final = 5.0

# Connections lost in a row without a success in between: the request itself may break them.
_MAX_LOST_CONNECTIONS: Final = 8

# Delay before a retry after "no responders", in seconds.
_RETRY_DELAY: Final = 0.25


class RetryPolicy:
    """The retries of one call. Within `uncancelled`, they end with the cancellation of the caller.

    Silence and "no leader" are retried for `retry_timeout` seconds after the first failure, "no
    responders" and other errors of JetStream for `unavailable_timeout` seconds.
    """

    def __init__(
        self,
        state: ConnectionState,
        context: ErrorContext,
        retry_timeout: float,
        unavailable_timeout: float,
    ) -> None:
        self._state = state
        self._context = context
        self._retry_timeout = retry_timeout
        self._unavailable_timeout = unavailable_timeout
        self._losses = 0
        self._failing_since: float | None = None

    def succeeded(self) -> None:
        """Reset the counts: the server has answered."""
        self._losses, self._failing_since = 0, None

    async def wait_or_raise(self, error: JetstowError) -> None:
        """Return when a retry makes sense. Raise `error` if it makes none, or the time is over."""
        if is_caller_cancelled():
            raise error
        await self._wait_or_raise(error)
        _log.info("%s: retrying after %s", self._context, error)
        telemetry.count_retry(self._context.bucket or "", type(error).__name__)

    async def _wait_or_raise(self, error: JetstowError) -> None:
        if isinstance(error, ConnectionLostError):
            self._losses += 1
            if self._losses > _MAX_LOST_CONNECTIONS:
                raise error
            await self._state.wait_connected(self._context)
            self._failing_since = None
            return
        is_unavailable = isinstance(error, JetStreamUnavailableError)
        limit = self._unavailable_timeout if is_unavailable else self._retry_timeout
        if error.err_code == NO_LEADER:
            limit = max(limit, self._retry_timeout)
        if not (isinstance(error, RETRIED_ERRORS) and limit):
            raise error
        now = asyncio.get_running_loop().time()
        if self._failing_since is None:
            self._failing_since = now
        if now - self._failing_since > limit:
            raise error
        is_silence = isinstance(error, TimeoutError)
        if not is_silence and not await wait_unless_cancelled(asyncio.Event(), _RETRY_DELAY):
            raise error
