"""A bucket that is full only until the chunks of replaced objects are purged."""

from __future__ import annotations

from typing import Final

from jetstow._core.aio.unawaited import Unawaited
from jetstow.errors import BucketFullError, JetstowError

# How often the messages of one write are sent again, each time after the purges that have begun.
_MAX_RETRIES: Final = 8


class FullBucket:
    """Decides which messages to send again after a full bucket has refused them.

    These are the ones that were sent while `purges` were under way, which may have freed space
    before the refusal arrives.
    """

    def __init__(self, purges: Unawaited) -> None:
        self._purges = purges
        self._sent_during_purges: set[int] = set()
        self._refusal: BucketFullError | None = None
        self._retries = 0

    @property
    def has_refused(self) -> bool:
        """Whether a message is to be sent again, after `wait_for_space`."""
        return self._refusal is not None

    def record_send(self, number: int) -> None:
        """Record that a message is being sent."""
        if self._purges:
            self._sent_during_purges.add(number)

    def record_refusal(self, number: int, error: JetstowError) -> bool:
        """Record why a message was refused. Return whether it is to be sent again."""
        if not isinstance(error, BucketFullError) or number not in self._sent_during_purges:
            return False
        if self._retries == _MAX_RETRIES:
            return False
        self._refusal = error
        return True

    async def wait_for_space(self) -> None:
        """Wait until the purges have ended. All messages are then to be sent again."""
        self._retries += 1
        await self._purges.wait()
        self._refusal = None
        self._sent_during_purges.clear()
