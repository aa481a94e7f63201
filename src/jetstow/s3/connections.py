"""The NATS connections of keys with `creds`: one for each credentials file."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from jetstow import JetStreamContext
from jetstow.errors import AuthorizationError, ConnectionLostError
from jetstow.s3.buckets import Buckets
from jetstow.s3.errors import S3Error

_log = logging.getLogger("jetstow.s3")

Connect = Callable[[Path], Awaitable[JetStreamContext]]

# How long requests wait for a connection, in seconds: as long as for servers that are away.
_CONNECT_TIMEOUT: Final = 15.0


class Connections:
    """Connections by their credentials file. `connect` opens one; new buckets have `replicas`.

    A connection that cannot be opened does not delay those of other credentials.
    """

    def __init__(self, connect: Connect | None, replicas: int) -> None:
        self._connect = connect
        self._replicas = replicas
        # Those that are open or being opened. Requests at the same time wait for the same task.
        self._tasks: dict[Path, asyncio.Task[Buckets]] = {}

    async def buckets(self, creds: Path) -> Buckets:
        """Return the buckets as the NATS user of a credentials file sees them.

        The next request after a failure tries again. So does the next one after nats-py closed the
        connection, as it does when the credentials expire.

        Raises: `S3Error` (AccessDenied: NATS refuses the credentials; ServiceUnavailable;
        InternalError: the credentials file is not valid).
        """
        task = self._tasks.get(creds)
        if task is None or _is_closed(task):
            task = self._tasks[creds] = asyncio.create_task(self._open(creds))
            task.add_done_callback(lambda task: self._forget_failure(creds, task))
        # The task goes on if the client of this request goes away.
        return await asyncio.shield(task)

    async def _open(self, creds: Path) -> Buckets:
        assert self._connect is not None, "checked when the gateway was created"
        try:
            async with asyncio.timeout(_CONNECT_TIMEOUT):
                return Buckets(await self._connect(creds), self._replicas)
        except Exception as error:  # noqa: BLE001 - an option, a file or a server may be the cause
            # The response does not name files and servers. The operator needs them.
            _log.error("no NATS connection with %s: %s", creds, str(error) or "no answer")
            code = "InternalError"
            if isinstance(error, AuthorizationError):
                code = "AccessDenied"
            elif isinstance(error, ConnectionLostError | TimeoutError):
                code = "ServiceUnavailable"
            raise S3Error(code) from None

    def _forget_failure(self, creds: Path, task: asyncio.Task[Buckets]) -> None:
        if task.cancelled() or task.exception() is not None:
            del self._tasks[creds]


def _is_closed(task: asyncio.Task[Buckets]) -> bool:
    """Return whether the connection was open and is closed."""
    was_open = task.done() and not task.cancelled() and task.exception() is None
    return was_open and task.result().is_closed
