"""Trouble on the way to the server: what a call lives through, and where it ends.

A connection that drops comes back, or is given up, as its reconnect options say. A bucket
with replicas loses its leader and elects another one. Either costs a call some time and
nothing else: it asks again, as everything here may be asked twice.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from jetstow._core.aio import telemetry
from jetstow._core.protocol.context import Target
from jetstow.errors import (
    ConnectionLostError,
    JetstowError,
    JetStreamUnavailableError,
    TimeoutError,
)

if TYPE_CHECKING:
    from jetstow._core.transport.api import JetStream

_log = logging.getLogger("jetstow.outage")

TROUBLE: Final = (ConnectionLostError, TimeoutError, JetStreamUnavailableError)

# How long replicas may do without a leader, in seconds. Servers wait 4 to 9 before they elect
# one, and again where nobody has won.
ELECTION: Final = 20.0

# Connections lost one after another with nothing got through in between: what is asked for
# may be what breaks them.
_MOST_LOSSES: Final = 8

# Before asking again where nobody answers, in seconds.
_PAUSE: Final = 0.25


class Outage:
    """The trouble that one call has; it lasts until something gets through."""

    def __init__(self, js: JetStream, target: Target) -> None:
        self._js = js
        self._target = target
        self._losses = 0
        self._since: float | None = None

    def is_over(self) -> None:
        """Something has got through."""
        self._losses, self._since = 0, None

    async def survive(self, error: JetstowError) -> None:
        """Return when it makes sense to ask again; raise if it makes none, or no more."""
        await self._survive(error)
        _log.info("%s: asking again after %s", self._target, error)
        telemetry.retried(self._target, error)

    async def _survive(self, error: JetstowError) -> None:
        if isinstance(error, ConnectionLostError):
            self._losses += 1
            if self._losses > _MOST_LOSSES:
                raise error
            await self._js.replies.standing.restored(self._target)
            self._since = None
            return
        if not (isinstance(error, TROUBLE) and self._js.endurance):
            raise error
        now = asyncio.get_running_loop().time()
        if self._since is None:
            self._since = now
        if now - self._since > self._js.endurance:
            raise error
        if not isinstance(error, TimeoutError):
            await asyncio.sleep(_PAUSE)
