"""The verbs that apply to a whole bucket."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence

from nats.js import api

from jetstow._core.aio.telemetry import instrumented
from jetstow._core.bucket import admin
from jetstow._core.maintain import garbage, verify
from jetstow._core.protocol.duration import seconds
from jetstow.errors import InvalidOptionError
from jetstow.models import BucketStatus
from jetstow.store.base import BucketBase
from jetstow.types import Duration, GarbageResult, Progress, VerifyResult


class Buckets(BucketBase):
    """The verbs of an object store that apply to the whole bucket."""

    @instrumented
    async def status(self) -> BucketStatus:
        """Return the bucket's configuration and state (ADR-20)."""
        info = api.StreamInfo.from_response(await self._bucket.info())
        return BucketStatus(stream_info=info, bucket=self.bucket)

    @instrumented
    async def verify(
        self,
        name: str | None = None,
        *,
        version: str | None = None,
        quick: bool = False,
        progress: Progress | None = None,
    ) -> VerifyResult:
        """Check one object, or by default all objects and links of the bucket, with all versions.

        Read all bytes and compare the digests; check that the targets of links exist, and that
        metadata can be read. Problems are `findings` of the result and are not raised. `quick`
        counts chunks and bytes without reading them. A view with a key (`encrypted`) also decrypts
        every object. An object that is replaced or deleted during
        the check is not a finding. `version` is as in `get`, and needs a name.

        Raises: `ObjectNotFoundError` (there is no object `name`, or no such version),
        `InvalidOptionError` (`version` without a name, or not an id).
        """
        if name is not None:
            context = self._context_of(name, version)
            return await verify.verify_object(self._bucket, context, quick=quick, progress=progress)
        if version is not None:
            raise InvalidOptionError(
                f"version {version!r} of bucket {self.bucket!r} needs the name of an object",
                bucket=self.bucket,
            )
        return await verify.verify_bucket(self._bucket, quick=quick, progress=progress)

    @instrumented
    async def collect_garbage(
        self,
        *,
        grace: Duration = 3600.0,
        deleted_for: Duration | None = None,
        keep: Callable[[Sequence[str]], Iterable[str] | Awaitable[Iterable[str]]] | None = None,
        dry_run: bool = False,
    ) -> GarbageResult:
        """Remove chunks that no name refers to, and the old names of interrupted renames.

        Processes leave both if they are killed. What was written within the last `grace` seconds
        by the server's clock (default: an hour) is kept. Uploads may run at the same time, if
        none of them pauses for longer than `grace` between two chunks, or between the last chunk
        and the metadata. A `put_file` with `resume` that was interrupted before then starts
        again. Both durations may be a timedelta. `dry_run` reports what would be removed.

        `deleted_for` also removes delete markers that are at least that many seconds old (default:
        none). A watcher or a listing with `ignore_deletes=False` that starts later does not
        report these names.

        `keep` is a function, or a coroutine function, that returns which NUIDs of a list to keep.
        It is called before their chunks are removed, after all names were read. So it has to know
        NUIDs that a write with `keep_replaced` leaves from before that write on.

        Raises: `BucketSealedError` (unless `dry_run`), `InvalidOptionError` (`grace` or
        `deleted_for` is not a duration, 0 or more), what `keep` raises.
        """
        return await garbage.collect(
            self._bucket, seconds(grace), seconds(deleted_for), keep, dry_run=dry_run
        )

    @instrumented
    async def seal(self) -> None:
        """Make the bucket read-only, permanently (ADR-20)."""
        await admin.seal(self._bucket)
