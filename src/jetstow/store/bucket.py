"""The verbs that apply to a whole bucket."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable

from nats.js import api

from jetstow._core.aio.awaitables import AwaitableContext, Listing
from jetstow._core.aio.telemetry import instrumented, operation
from jetstow._core.bucket import admin
from jetstow._core.bucket.encryption import plain_info
from jetstow._core.maintain import garbage, verify
from jetstow._core.protocol import subjects
from jetstow._core.read.filters import ObjectFilter
from jetstow._core.read.listing import iter_infos, list_infos
from jetstow._core.read.ordered_consumer import Policy
from jetstow._core.read.watch import ObjectWatcher
from jetstow.models import BucketStatus, ObjectInfo, ObjectList
from jetstow.store.base import BucketBase
from jetstow.types import Age, GarbageResult, Progress, VerifyResult


class Buckets(BucketBase):
    """The verbs of an object store that apply to the whole bucket."""

    def list(  # type: ignore[override]
        self, ignore_deletes: bool = True
    ) -> Listing[ObjectInfo]:
        """Return the info of every object, the least recently changed first.

        Delete markers are included if `ignore_deletes` is false. Await the result to get a list
        with one entry for each name. With `async for`, entries are yielded as they arrive: an
        object that changes during the iteration may be yielded again with its new info. An object
        that exists all the time is always yielded. Metadata that cannot be read is logged and
        left out. Source: ADR-20.
        """
        return self._listing(lambda info: not (ignore_deletes and info.deleted))

    def find(
        self,
        pattern: str | None = None,
        *,
        tags: Iterable[str] = (),
        min_size: int | None = None,
        max_size: int | None = None,
        newer_than: Age | None = None,
        older_than: Age | None = None,
    ) -> Listing[ObjectInfo]:
        """Return the objects that match all of the conditions, in the form that `list` has.

        In `pattern`, `*` and `?` match within one level of the name, as in `logs/*.csv`; `**`
        matches across levels, and `[a-z]` one character of a set. An object must have all `tags`.
        `min_size` and `max_size` are in bytes, both included. `newer_than` and `older_than` are a
        timedelta before now, or an aware datetime. The server does not search: all metadata of
        the bucket is read.

        Raises: `InvalidOptionError` (`tags` is one string, or a datetime has no time zone).
        """
        context = self._bucket.error_context()
        conditions = ObjectFilter.parse(
            context, pattern, tags, min_size, max_size, newer_than, older_than
        )
        return self._listing(conditions.matches)

    def _listing(self, matches: Callable[[ObjectInfo], bool]) -> Listing[ObjectInfo]:
        bucket = self._bucket

        async def iterate() -> AsyncGenerator[ObjectInfo, None]:
            async for stored in iter_infos(bucket):
                if matches(info := plain_info(bucket, stored)):
                    yield info

        async def collect() -> ObjectList:
            with operation("list", bucket.bucket):
                infos = [plain_info(bucket, stored) for stored in await list_infos(bucket)]
            return ObjectList(info for info in infos if matches(info))

        return Listing(iterate, collect)

    def watch(
        self,
        ignore_deletes: bool = False,
        include_history: bool = False,
        meta_only: bool = False,  # noqa: ARG002
        updates_only: bool = False,
    ) -> AwaitableContext[ObjectWatcher]:
        """Watch the bucket: its current objects, then None, then every change as it happens.

        Use it as `async with store.watch() as changes`. A change is an `ObjectInfo`; they come in
        the order of their revisions. `ignore_deletes` leaves out delete markers. `updates_only`
        leaves out the current objects and the None. `include_history` includes older metadata of
        a name, if the stream has any: most clients leave one message for each name. `meta_only`
        has no effect, as a watcher returns only metadata. Source: ADR-20.
        """
        policy: Policy = "new" if updates_only else "all" if include_history else "last_per_subject"
        bucket = self._bucket
        return AwaitableContext(
            lambda: ObjectWatcher(bucket, policy, ignore_deletes=ignore_deletes).start()
        )

    @instrumented
    async def status(self) -> BucketStatus:
        """Return the bucket's configuration and state (ADR-20)."""
        info = api.StreamInfo.from_response(await self._bucket.info())
        return BucketStatus(stream_info=info, bucket=self.bucket)

    @instrumented
    async def verify(
        self, name: str | None = None, *, quick: bool = False, progress: Progress | None = None
    ) -> VerifyResult:
        """Check one object, or by default all objects and links of the bucket.

        Read all bytes and compare the digests; check that the targets of links exist, and that
        metadata can be read. Problems are `findings` of the result and are not raised. `quick`
        counts chunks and bytes without reading them. A view with a key (`encrypted`) also decrypts
        every object. An object that is replaced or deleted during
        the check is not a finding.

        Raises: `ObjectNotFoundError` (there is no object `name`).
        """
        if name is not None:
            subjects.check_object_name(self.bucket, name)
        return await verify.verify(self._bucket, name, quick=quick, progress=progress)

    @instrumented
    async def collect_garbage(
        self, *, grace: float = 3600.0, deleted_for: float | None = None, dry_run: bool = False
    ) -> GarbageResult:
        """Remove chunks that no name refers to, and the old names of interrupted renames.

        Processes leave both if they are killed. What was written within the last `grace` seconds
        by the server's clock (default: an hour) is kept. Uploads may run at the same time, if
        none of them pauses for longer than `grace` between two chunks, or between the last chunk
        and the metadata. A `put_file` with `resume` that was interrupted before then starts
        again. `dry_run` reports what would be removed.

        `deleted_for` also removes delete markers that are at least that many seconds old (default:
        none). A watcher or a listing with `ignore_deletes=False` that starts later does not
        report these names.

        Raises: `BucketSealedError` (unless `dry_run`), `InvalidOptionError` (`grace` or
        `deleted_for` is not a number of seconds, 0 or more).
        """
        return await garbage.collect(self._bucket, grace, deleted_for, dry_run=dry_run)

    @instrumented
    async def seal(self) -> None:
        """Make the bucket read-only, permanently (ADR-20)."""
        await admin.seal(self._bucket)
