"""The verbs that list the objects of a bucket, and watch it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from dataclasses import replace

from jetstow._core.aio.awaitables import AwaitableContext, Listing
from jetstow._core.aio.telemetry import operation
from jetstow._core.bucket.encryption import plain_info
from jetstow._core.bucket.server_time import ServerClock
from jetstow._core.protocol.versions import VERSIONS_PREFIX
from jetstow._core.read.bucket_index import BucketIndex, check_index_options
from jetstow._core.read.filters import Conditions, NameFilter, parse_conditions, parse_names
from jetstow._core.read.listing import iter_infos, list_all, list_infos
from jetstow._core.read.ordered_consumer import Policy
from jetstow._core.read.watch import ObjectWatcher
from jetstow.errors import BadObjectMetaError
from jetstow.models import ObjectInfo, ObjectList
from jetstow.store.base import BucketBase
from jetstow.store.nats_py_calls import positional_flags
from jetstow.types import Age, Match


class Listings(BucketBase):
    """The verbs of an object store that list and watch its objects."""

    @positional_flags("ignore_deletes")
    def list(  # type: ignore[override]
        self, prefix: str = "", *, match: Match | None = None, ignore_deletes: bool = True
    ) -> Listing[ObjectInfo]:
        """Return the info of every object, the least recently changed first.

        `prefix` selects names that begin with it. `match` is a pattern (see `find`) or a function
        that returns true for the infos to include. Delete markers are included if `ignore_deletes`
        is false.

        Await the result to get a list with one entry for each name. With `async for`, entries are
        yielded as they arrive: an object that changes during the iteration may be yielded again
        with its new info. An object that exists all the time is always yielded. Metadata that
        cannot be read is logged and left out. Source: ADR-20.

        Raises: `InvalidOptionError` (`prefix` or `match` has another type), what `match` raises.
        """
        names, function = parse_names(self._bucket, prefix, match)
        functions = [] if function is None else [function]
        return self._listing(names, functions, ignore_deletes=ignore_deletes)

    def find(
        self,
        match: Match | None = None,
        *,
        prefix: str = "",
        tags: Iterable[str] = (),
        min_size: int | None = None,
        max_size: int | None = None,
        newer_than: Age | None = None,
        older_than: Age | None = None,
    ) -> Listing[ObjectInfo]:
        """Return the objects that match all of the conditions, in the form that `list` has.

        `match` is a pattern or a function, as in `list`. A pattern without a slash is compared with
        the last part of a name: `*.csv` matches at every level. Other patterns are compared with
        the whole name, or with what follows the `prefix`: in `logs/*.csv`, `*` and `?` match within
        one level. `**` matches across levels, and `[a-z]` one character of a set.

        An object must have all `tags`. `min_size` and `max_size` are in bytes, both included.
        `newer_than` and `older_than` are an aware datetime, or a timedelta before now, by the
        server's clock. The server does not search: all metadata of the bucket is read.

        Raises: `InvalidOptionError` (`tags` is one string, a datetime has no time zone, or `prefix`
        or `match` has another type), what `match` raises.
        """
        context = self._bucket.error_context()
        names, function = parse_names(self._bucket, prefix, match)
        conditions = parse_conditions(context, tags, min_size, max_size, newer_than, older_than)
        functions = [] if function is None else [function]
        return self._listing(names, functions, conditions, ignore_deletes=True)

    def _listing(
        self,
        names: NameFilter,
        functions: Sequence[Callable[[ObjectInfo], object]],
        conditions: Conditions | None = None,
        *,
        ignore_deletes: bool,
    ) -> Listing[ObjectInfo]:
        bucket = self._bucket

        async def matcher() -> Callable[[ObjectInfo], bool]:
            checks = list(functions)
            if conditions is not None:
                clock = await ServerClock.read(bucket) if conditions.depend_on_time else None
                checks.insert(0, conditions.at(None if clock is None else clock.now()))

            def matches(info: ObjectInfo) -> bool:
                if info.deleted and ignore_deletes:
                    return False
                # Also if versions were enabled since the bucket was opened.
                if info.name.startswith(VERSIONS_PREFIX):
                    return False
                return not checks or all(check(info) for check in checks)

            return matches

        async def iterate() -> AsyncGenerator[ObjectInfo, None]:
            matches = await matcher()
            async for stored in iter_infos(bucket, names):
                if matches(info := plain_info(bucket, stored)):
                    yield info

        async def collect() -> ObjectList:
            with operation("list", bucket.bucket):
                matches = await matcher()
                infos = [plain_info(bucket, stored) for stored in await list_infos(bucket, names)]
            return ObjectList(info for info in infos if matches(info))

        return Listing(iterate, collect)

    async def _list_all(self, prefix: str = "") -> tuple[ObjectList, Sequence[BadObjectMetaError]]:
        """Return what `list` returns, and an error for each name with unreadable metadata.

        Copies of a bucket use it, so that they do not leave out such an object without an error.
        """
        bucket = self._bucket
        names = NameFilter(prefix, hides_versions=True)
        with operation("list", bucket.bucket):
            infos, unreadable = await list_all(bucket, names)
        live = (plain_info(bucket, info) for info in infos if not info.deleted)
        return ObjectList(live), unreadable

    async def _is_empty(self) -> bool:
        """Return whether a deletion of the bucket loses nothing.

        Unlike in an empty `list`, there are no older versions and no unreadable metadata either.
        """
        infos, unreadable = await list_all(self._bucket)
        return not unreadable and all(info.deleted for info in infos)

    def index(
        self, *, metadata: Sequence[str] = (), max_names: int = 1_000_000
    ) -> AwaitableContext[BucketIndex]:
        """Open an index of the bucket, for many listings: `async with store.index() as index`.

        `index.page(prefix, after=..., delimiter="/", limit=1000)` returns objects in the
        order of their names, with each change that was acknowledged before the call. The index
        reads the names once and then watches the bucket. For one listing, use `list`.

        Of an object's metadata, the entries have the values of the names in `metadata`. If the
        bucket has more than `max_names` names, each page reads all of them instead of memory.

        Raises: `InvalidOptionError` (`metadata` is one string, or an argument has another type).
        """
        context = self._bucket.error_context()
        names = check_index_options(context, metadata, max_names)
        return AwaitableContext(lambda: BucketIndex(self._bucket, names, max_names).start())

    @positional_flags("ignore_deletes", "include_history", "meta_only", "updates_only")
    def watch(  # type: ignore[override]
        self,
        prefix: str = "",
        *,
        match: Match | None = None,
        ignore_deletes: bool = False,
        include_history: bool = False,
        meta_only: bool = False,  # noqa: ARG002
        updates_only: bool = False,
    ) -> AwaitableContext[ObjectWatcher]:
        """Watch the bucket: its current objects, then None, then every change as it happens.

        Use it as `async with store.watch() as changes`. A change is an `ObjectInfo`; they come in
        the order of their revisions. `prefix` and `match` select changes as in `list`, and never
        the None. `ignore_deletes` leaves out delete markers. `updates_only` leaves out the current
        objects and the None. `include_history` includes older metadata of a name, if the stream
        has any: most clients leave one message for each name. `meta_only` has no effect, as a
        watcher returns only metadata. Source: ADR-20.

        Raises: `InvalidOptionError` (`prefix` or `match` has another type).
        """
        policy: Policy = "new" if updates_only else "all" if include_history else "last_per_subject"
        bucket = self._bucket
        names, function = parse_names(bucket, prefix, match)
        names = replace(names, hides_versions=True)  # they may be enabled later
        return AwaitableContext(
            lambda: ObjectWatcher(
                bucket, policy, names, function, ignore_deletes=ignore_deletes
            ).start()
        )
