"""An index of a bucket: pages of its names in order, each as current as the stream leader.

A watch keeps the names current (`index_feed`). Before each page, the leader is asked whether there
is a later change than the last one that arrived. If there is, the page waits for it.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import Any, Final, Self

from jetstow._core.bucket.stream import Stream
from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.protocol.subjects import all_meta_subject
from jetstow._core.protocol.timestamps import parse_timestamp
from jetstow._core.read.index_entry import EntryDecoder, IndexEntry
from jetstow._core.read.index_feed import IndexFeed, Outdated
from jetstow._core.read.index_scan import scan_page, scan_versions
from jetstow._core.read.name_index import IndexPage, PageQuery
from jetstow._core.read.version_index import DeletedPage, VersionCandidates, VersionPage
from jetstow.errors import BucketNotFoundError, InvalidOptionError, TimeoutError

# How long a change may take to arrive before another consumer is created, and in all; in seconds.
_MAX_DELAY: Final = 1.0
_MAX_WAIT: Final = 20.0

# The names are compared with the stream at most this often if messages were removed, in seconds.
# The server then sends the names of the bucket, about 80 bytes each: at most so many in a second.
_MIN_CHECK_INTERVAL: Final = 10.0
_NAMES_PER_SECOND: Final = 1_000


class BucketIndex:
    """The names of a bucket in order, for listings page by page; an async context manager.

    A page has every object whose write was acknowledged before the call, by any client, and no
    object that has expired. An index needs about 500 bytes of memory for each name; it is filled
    when the first page is requested. If the bucket has more names than `max_names`, nothing is
    kept, and each page reads all metadata of the bucket in constant memory.

    The server reports no purges of single objects by an administrator. They disappear from pages
    after ten seconds, or a second for each 1,000 names, at the latest.
    """

    def __init__(self, stream: Stream, metadata: tuple[str, ...], max_names: int) -> None:
        self._context = stream.error_context()
        self._stream = stream
        self._decoder = EntryDecoder(stream, metadata)
        self._max_names = max_names
        self._feed: IndexFeed | None = None
        self._starting = asyncio.Lock()
        self._checked_at = 0.0
        self._closed = False

    async def start(self) -> Self:
        """Begin to read the names, and return the index.

        Raises: `BucketNotFoundError`, `ConnectionLostError`, `PermissionDeniedError`,
        `TimeoutError`.
        """
        await self._started_feed()
        self._stream.version_sources.append(self._newest_kept)
        return self

    async def page(
        self, prefix: str = "", *, after: str = "", delimiter: str = "", limit: int = 1_000
    ) -> IndexPage:
        """Return the objects whose names begin with a prefix, in the order of their names.

        Only names greater than `after` are included. With a `delimiter`, names that contain it
        after the prefix are grouped: the page has the part up to the delimiter once, in `prefixes`.
        A page has at most `limit` objects and prefixes. If there are more, its `next` is the
        `after` of the next page; it may be one of the prefixes, and then skips it.

        Raises: `InvalidOptionError` (an argument has another type, or `limit` is negative),
        `TimeoutError` (a change did not arrive), `ValueError` (the index is closed),
        `BucketNotFoundError`.
        """
        query = self._query(prefix, after, delimiter, limit)
        feed, now, max_age = await self._current_feed()
        if feed.is_too_large:
            page = IndexPage()
            if limit:
                page, count = await scan_page(self._stream, self._decoder, query, now, max_age)
                if count <= self._max_names // 2:
                    await self._end(feed)  # the next page fills the index again
        else:
            page = feed.names.page(query, now, max_age)
            page.revision = feed.applied
            page.names, page.versions = len(feed.names), feed.versions.counts
        page.time = now
        return page

    async def changes(self, revision: int) -> dict[str, IndexEntry | None] | None:
        """Return the names that changed after the revision of a page: each object, None if deleted.

        None: there were too many changes since, or the index was filled again. Read the pages.

        Raises: what `page` raises.
        """
        feed, now, max_age = await self._current_feed()
        names = feed.changed_since(revision)
        if names is None:
            return None
        found = {name: feed.names.get(name) for name in names}
        oldest = now - max_age if max_age else 0
        return {
            name: None if entry is None or entry.is_expired(now, oldest) else entry
            for name, entry in found.items()
        }

    async def versions(
        self,
        prefix: str = "",
        *,
        after: str = "",
        after_version: str | None = None,
        delimiter: str = "",
        limit: int = 1_000,
    ) -> VersionPage:
        """Return versions of the names that begin with a prefix, by name and newest first.

        It begins after the version `after_version` of the name `after`, or after all of its
        versions if that is None. The other arguments are those of `page`, and limit the versions
        and prefixes together.

        Raises: what `page` raises.
        """
        query = self._query(prefix, after, delimiter, limit)
        feed, now, _ = await self._current_feed()
        if not feed.is_too_large:
            return feed.versions.page(feed.names, query, after_version, now)
        candidates = VersionCandidates(query, after_version, now)
        await scan_versions(self._stream, self._decoder, candidates.find, candidates.add)
        return candidates.page()

    async def deleted(
        self, prefix: str = "", *, after: str = "", limit: int = 1_000
    ) -> DeletedPage:
        """Return the deleted objects of a versioned bucket that can be restored, by name.

        The current version of these names is a delete marker, and hides another version that is
        not one. The arguments are those of `page`.

        Raises: what `page` raises.
        """
        query = self._query(prefix, after, "", limit)
        feed, now, _ = await self._current_feed()
        if not feed.is_too_large:
            return feed.versions.deleted(query, now)
        candidates = VersionCandidates(query, None, now)
        await scan_versions(self._stream, self._decoder, candidates.find_deleted, candidates.add)
        return candidates.deleted_page()

    async def close(self) -> None:
        """Stop watching the bucket, and free the memory."""
        self._closed = True
        with suppress(ValueError):
            self._stream.version_sources.remove(self._newest_kept)
        async with self._starting:
            feed, self._feed = self._feed, None
        if feed is not None:
            await feed.stop()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    # -- inside ------------------------------------------------------------------------------

    async def _newest_kept(self, name: str) -> str | None:
        """Return the newest version of a name that is not current, "" if none, None if unknown."""
        feed, _, _ = await self._current_feed()
        if feed.is_too_large:
            return None
        entry = feed.versions.newest(name)
        return "" if entry is None else entry.version

    async def _current_feed(self) -> tuple[IndexFeed, int, int]:
        """Return the feed with all changes until now, the server's time, and the bucket's TTL."""
        while True:
            feed = await self._started_feed()
            try:
                await feed.wait_filled()
                info = await self._catch_up(feed)
            except (Outdated, BucketNotFoundError):
                await self._end(feed)
                continue  # read the names again, unless the bucket does not exist
            now = time.time_ns() + feed.clock_offset
            return feed, now, info["config"].get("max_age", 0)

    def _query(self, prefix: object, after: object, delimiter: object, limit: object) -> PageQuery:
        texts = {"prefix": prefix, "after": after, "delimiter": delimiter}
        for name, value in texts.items():
            if not isinstance(value, str):
                raise self._context.error(
                    InvalidOptionError,
                    f"{name} of names in {self._context} must be a str, not {value!r}",
                )
        if not isinstance(limit, int) or isinstance(limit, bool) or limit < 0:
            raise self._context.error(
                InvalidOptionError,
                f"limit of a page of {self._context} must be 0 or more, not {limit!r}",
            )
        return PageQuery(limit=limit, **texts)  # type: ignore[arg-type]

    async def _started_feed(self) -> IndexFeed:
        async with self._starting:
            if self._closed:
                raise ValueError(f"the index of {self._context} is closed: open it again")
            feed = self._feed
            if feed is None or (feed.has_ended and not feed.is_too_large):
                if feed is not None:
                    await feed.stop()
                feed = IndexFeed(self._stream, self._decoder, self._max_names)
                await feed.start()
                self._feed = feed
                self._checked_at = _now()
            return feed

    async def _end(self, feed: IndexFeed) -> None:
        if self._feed is feed:
            self._feed = None
        await feed.stop()

    async def _catch_up(self, feed: IndexFeed) -> dict[str, Any]:
        """Wait until all changes are applied that the leader has now. Return the stream's state.

        Raises: `Outdated`, `TimeoutError`.
        """
        pattern, applied = all_meta_subject(self._stream.subject_bucket), feed.applied
        sent = time.time_ns()
        info, following = await asyncio.gather(
            self._stream.info(), self._stream.next_message(self._context, pattern, applied + 1)
        )
        if (ts := info.get("ts")) is not None:  # server 2.10
            feed.clock_offset = parse_timestamp(ts) - (sent + time.time_ns()) // 2
        if info.get("created") != feed.created or info["state"]["last_seq"] < applied:
            raise Outdated
        if self._stream.versioning != feed.versioning:
            raise Outdated  # it decides on the ids
        if feed.is_too_large:
            return info
        # Not the last message: servers to 2.15.1 search all subjects of a wildcard for it.
        last = info["state"]["last_seq"]
        while following is not None and following.seq <= last:
            await self._wait_for(feed, following.seq)
            following = await self._stream.next_message(self._context, pattern, feed.applied + 1)
        if _now() - self._checked_at >= max(
            _MIN_CHECK_INTERVAL, len(feed.names) / _NAMES_PER_SECOND
        ):
            self._checked_at = _now()
            await feed.drop_missing(info)
        return info

    async def _wait_for(self, feed: IndexFeed, revision: int) -> None:
        """Wait until a feed has applied a revision, or the leader has nothing more for it."""
        pattern, deadline = all_meta_subject(self._stream.subject_bucket), _now() + _MAX_WAIT
        while feed.applied < revision:
            if feed.has_ended:
                raise Outdated
            if await feed.wait_changed(_MAX_DELAY):
                continue
            following = await self._stream.next_message(self._context, pattern, feed.applied + 1)
            if following is None:
                return  # what was missing has been removed
            if _now() > deadline:
                raise self._context.error(
                    TimeoutError,
                    f"the index of {self._context} is at revision {feed.applied}, and did not "
                    f"receive revision {following.seq} within {_MAX_WAIT:g} seconds",
                )
            await feed.resume()


def _now() -> float:
    return asyncio.get_running_loop().time()


def check_index_options(context: ErrorContext, metadata: Any, max_names: Any) -> tuple[str, ...]:
    """Return the names of the metadata that an index keeps.

    Raises: `InvalidOptionError`.
    """

    if isinstance(metadata, str) or not all(isinstance(name, str) for name in metadata):
        raise context.error(
            InvalidOptionError,
            f"metadata of an index of {context} must be a list of names, not {metadata!r}",
        )
    if not isinstance(max_names, int) or isinstance(max_names, bool) or max_names < 0:
        raise context.error(
            InvalidOptionError,
            f"max_names of an index of {context} must be 0 or more, not {max_names!r}",
        )
    return tuple(metadata)
