"""The verbs that are about a bucket as a whole."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable

from nats.js import api

from jetstow._core.aio.awaitables import Listing
from jetstow._core.aio.telemetry import observed, operation
from jetstow._core.bucket import admin
from jetstow._core.bucket.encryption import plain_info
from jetstow._core.maintain import garbage, verify
from jetstow._core.protocol import subjects
from jetstow._core.read.catalog import iter_infos, list_infos
from jetstow._core.read.filters import ObjectFilter
from jetstow._core.read.ordered_consumer import Policy
from jetstow._core.read.watch import ObjectWatcher
from jetstow.models import BucketStatus, ObjectInfo, ObjectList
from jetstow.store.base import BucketBase
from jetstow.types import Age, GarbageResult, Progress, VerifyResult


class Buckets(BucketBase):
    """An object store's verbs that are about all of it."""

    def list(  # type: ignore[override]
        self, ignore_deletes: bool = True
    ) -> Listing[ObjectInfo]:
        """Every object's info, the one longest unchanged first; delete markers too, if asked.

        `await` it for a list, in which a name is once, or iterate it with `async for`: then
        entries are told as they arrive, and one that is changed meanwhile may be told again,
        later and newer. What was there all the time is always told.
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
        """The objects that are like that, as `list` gives them.

        In `pattern`, `*` and `?` stand for anything within a level of the name, as in
        `logs/*.csv`, and `**` for levels too. An object must have all `tags`. Sizes are in
        bytes, both included; ages are a timedelta before now, or an aware datetime. Every
        name of the bucket is looked at: the server does not search.

        Raises `InvalidOptionError`.
        """
        target = self._bucket.error_context()
        wanted = ObjectFilter.parse(
            target, pattern, tags, min_size, max_size, newer_than, older_than
        )
        return self._listing(wanted.matches)

    def _listing(self, wanted: Callable[[ObjectInfo], bool]) -> Listing[ObjectInfo]:
        bucket = self._bucket

        async def infos() -> AsyncGenerator[ObjectInfo, None]:
            async for stored in iter_infos(bucket):
                if wanted(info := plain_info(bucket, stored)):
                    yield info

        async def whole() -> ObjectList:
            with operation("list", bucket.bucket):
                everyone = [plain_info(bucket, stored) for stored in await list_infos(bucket)]
            return ObjectList(info for info in everyone if wanted(info))

        return Listing(infos, whole)

    async def watch(
        self,
        ignore_deletes: bool = False,
        include_history: bool = False,
        meta_only: bool = False,  # noqa: ARG002
        updates_only: bool = False,
    ) -> ObjectWatcher:
        """Watch the bucket: what is there now, then None, then every change as it happens.

        `updates_only` leaves out what is there, and the None. `include_history` asks for
        every metadata message kept; a bucket keeps one a name. `meta_only` changes nothing,
        as a watcher hears of metadata alone.
        """
        policy: Policy = "new" if updates_only else "all" if include_history else "last_per_subject"
        return await ObjectWatcher(self._bucket, policy, ignore_deletes=ignore_deletes).start()

    @observed
    async def status(self) -> BucketStatus:
        """The bucket's configuration and state."""
        info = api.StreamInfo.from_response(await self._bucket.info())
        return BucketStatus(stream_info=info, bucket=self.bucket)

    @observed
    async def verify(
        self, name: str | None = None, *, quick: bool = False, progress: Progress | None = None
    ) -> VerifyResult:
        """Check one object, or all: that every byte is there and has its digest, that links
        lead somewhere, and that metadata can be read. What is wrong is told, not raised.

        `quick` counts the chunks and their bytes and reads none of them. What is replaced or
        deleted meanwhile is no finding. Raises `ObjectNotFoundError` for a `name` that is
        not there.
        """
        if name is not None:
            subjects.check_object_name(self.bucket, name)
        return await verify.verify(self._bucket, name, quick=quick, progress=progress)

    @observed
    async def collect_garbage(
        self, *, grace: float = 3600.0, dry_run: bool = False
    ) -> GarbageResult:
        """Remove what processes that died have left: chunks that no name refers to, and the
        old name of a rename. `dry_run` only tells.

        Nothing is removed that was written within the last `grace` seconds, by the server's
        clock. Uploads may run meanwhile, as long as none of them pauses for longer than
        `grace` between two chunks, or between the last one and its name. A `put_file` with
        `resume` that broke off before that begins anew.

        Raises `BucketSealedError` and `InvalidOptionError`.
        """
        return await garbage.collect(self._bucket, grace, dry_run=dry_run)

    @observed
    async def seal(self) -> None:
        """Let nothing in the bucket change any more. It cannot be undone."""
        await admin.seal(self._bucket)
