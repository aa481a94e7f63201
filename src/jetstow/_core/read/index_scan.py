"""Pages of a bucket with more names than an index keeps, from all of its metadata."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import aclosing

from jetstow._core.bucket.stream import Stream
from jetstow._core.protocol.timestamps import parse_timestamp
from jetstow._core.read.filters import NameFilter
from jetstow._core.read.index_entry import Change, EntryDecoder
from jetstow._core.read.listing import iter_infos
from jetstow._core.read.name_index import IndexPage, PageCandidates, PageQuery


async def scan_page(
    stream: Stream, decoder: EntryDecoder, query: PageQuery, now: int, max_age: int
) -> tuple[IndexPage, int]:
    """Return a page of objects, and how many names there are."""
    candidates, count = PageCandidates(query, now, max_age), 0
    names = NameFilter(hides_versions=stream.versioning is not None)
    async with aclosing(iter_infos(stream, names)) as infos:
        async for info in infos:
            count += 1
            if not info.deleted:
                candidates.add(decoder.entry(info, parse_timestamp(info.mtime or "")))
    return candidates.page(), count


async def scan_versions(
    stream: Stream, decoder: EntryDecoder, *passes: Callable[[Change], None]
) -> None:
    """Read all metadata, delete markers included, once for each of the `passes`, which gets it."""
    for consider in passes:
        async with aclosing(iter_infos(stream)) as infos:
            async for info in infos:
                consider(decoder.change(info, parse_timestamp(info.mtime or "")))
