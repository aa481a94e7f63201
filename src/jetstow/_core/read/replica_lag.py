"""Find out whether a consumer is on a replica that lags behind the leader of its stream.

Such a replica sends heartbeats as if nothing had changed, for a minute and more (decision 0049).
"""

from __future__ import annotations

from jetstow._core.bucket.stream import Stream
from jetstow._core.protocol.subjects import all_meta_subject
from jetstow._core.transport.retry import RETRIED_ERRORS
from jetstow.errors import PermissionDeniedError


class ReplicaLag:
    """What the leader has and a consumer of metadata has not delivered.

    `target` is the last sequence of the stream when the first consumer was created.
    """

    def __init__(self, stream: Stream) -> None:
        self.target = 0
        self._stream = stream
        self._missing: int | None = None
        self._may_ask = True

    @property
    def is_missing(self) -> bool:
        """Whether something was missing at the last check."""
        return self._missing is not None

    async def lacks_initial(self, revision: int) -> bool:
        """Return whether metadata up to the target is missing after the last change."""
        if self._stream.replicas == 1 or revision >= self.target:
            return False
        self._missing = await self._find_missing(revision)
        return self._missing is not None and self._missing <= self.target

    async def is_stuck(self, revision: int) -> bool:
        """Return whether the same metadata is missing as at the check before."""
        before, self._missing = self._missing, await self._find_missing(revision)
        return self._missing is not None and self._missing == before

    async def _find_missing(self, revision: int) -> int | None:
        """Return what follows the last change on the leader; None if it is nothing, or unknown."""
        if not self._may_ask:
            return None
        stream = self._stream
        pattern = all_meta_subject(stream.subject_bucket)
        try:
            stored = await stream.next_message(stream.error_context(), pattern, revision + 1)
        except PermissionDeniedError:
            self._may_ask = False
            return None
        except RETRIED_ERRORS:
            return None  # there may be a leader at the next check
        return None if stored is None else stored.seq
