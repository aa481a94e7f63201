"""Collection of garbage: the chunks of failed uploads, the old names of interrupted renames, and
delete markers of a given age.

Chunks are read before names, so that a name which is published during the collection counts. Only
what has not changed for a grace period is removed, by the server's clock: a running upload has
recent chunks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import aclosing
from typing import Final, TypeAlias

from jetstow._core.bucket.server_time import server_time
from jetstow._core.bucket.stream import Stream
from jetstow._core.bucket.write_check import check_writable
from jetstow._core.maintain.chunk_purge import purge_uploads
from jetstow._core.maintain.markers import remove_markers
from jetstow._core.maintain.references import Entry, References
from jetstow._core.maintain.scan import MessageInfo, scan_messages
from jetstow._core.maintain.version_garbage import remove_version_garbage
from jetstow._core.protocol import subjects
from jetstow._core.read.name_state import read_state
from jetstow._core.write.rename import remove_old_name
from jetstow.errors import InvalidOptionError
from jetstow.types import GarbageResult

# Chunk subjects that are purged before new metadata is read.
_SUBJECTS_PER_BATCH: Final = 1_024

# Concurrent requests to the leader.
_MAX_CONCURRENT_REQUESTS: Final = 64

_SECOND: Final = 10**9


# Returns those of the NUIDs whose chunks are to be kept, although no name refers to them.
Keep: TypeAlias = Callable[[Sequence[str]], Iterable[str] | Awaitable[Iterable[str]]]


async def collect(
    stream: Stream,
    grace: float,
    deleted_for: float | None,
    keep: Keep | None,
    *,
    dry_run: bool,
) -> GarbageResult:
    """Remove garbage that has not changed for `grace` seconds, and delete markers that are older
    than `deleted_for` seconds (None keeps them).

    Raises: `BucketSealedError`, `InvalidOptionError` (not a number of seconds), what `keep` raises.
    """
    _check_seconds(stream, "grace", grace)
    if deleted_for is not None:
        _check_seconds(stream, "deleted_for", deleted_for)
    await stream.purges.wait()
    info, context = await stream.info(), stream.error_context()
    if not dry_run:
        await check_writable(stream, context)
    now = await server_time(stream, info)
    before = now - int(grace * _SECOND)
    of_versions = await remove_version_garbage(stream, before, dry_run=dry_run)
    last_chunks: dict[str, MessageInfo] = {}
    pattern = subjects.all_chunks_subject(stream.subject_bucket)
    scan = scan_messages(stream, pattern, "last_per_subject")
    async with aclosing(scan) as messages:
        async for message in messages:
            last_chunks[message.subject] = message
    references = References(stream, int(info["state"]["last_seq"]))
    await references.read()
    collector = _Collector(stream, references, before, keep, dry_run=dry_run)
    if not references.findings:
        await collector.remove_chunks(last_chunks)
    await collector.remove_names()
    markers = of_versions.markers
    if deleted_for is not None:
        excluded = of_versions.needed.union(collector.names)
        old = references.markers_before(now - int(deleted_for * _SECOND), excluded)
        markers += await remove_markers(stream, old, dry_run=dry_run)
    return GarbageResult(
        bucket=stream.bucket,
        uploads=collector.uploads,
        messages=collector.messages,
        recent=collector.recent,
        names=tuple(sorted(collector.names)),
        markers=markers,
        versions=of_versions.kept,
        findings=tuple(references.findings.values()),
    )


def _check_seconds(stream: Stream, option: str, value: object) -> None:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < 2**33:
        context = stream.error_context()
        raise context.error(
            InvalidOptionError, f"{option} for {context} must be seconds, 0 or more, not {value!r}"
        )


class _Collector:
    """Removes garbage; in a dry run only counts it."""

    def __init__(
        self,
        stream: Stream,
        references: References,
        before: int,
        keep: Keep | None,
        *,
        dry_run: bool,
    ) -> None:
        self.uploads = self.messages = self.recent = 0
        self.names: list[str] = []
        self._stream = stream
        self._references = references
        self._before = before
        self._keep = keep
        self._dry_run = dry_run

    # -- chunks ----------------------------------------------------------------------------

    async def remove_chunks(self, last_chunks: dict[str, MessageInfo]) -> None:
        """Purge the chunk subjects that no metadata refers to; `last_chunks` has all subjects."""
        unused = [chunk for chunk in last_chunks.values() if not self._is_used(chunk)]
        old = [chunk for chunk in unused if chunk.time <= self._before]
        self.recent = len(unused) - len(old)
        counts = await self._count_chunks() if old else {}
        for start in range(0, len(old), _SUBJECTS_PER_BATCH):
            if not await self._references.read_new():
                return
            batch = old[start : start + _SUBJECTS_PER_BATCH]
            batch = [chunk for chunk in batch if not self._is_used(chunk)]
            wanted = await self._not_kept(batch)
            inactive = await self._not_continued(wanted)
            self.recent += len(wanted) - len(inactive)
            # Again, as an upload may have got its name since: its record is removed after that.
            if not await self._references.read_new():
                return
            inactive = [chunk for chunk in inactive if not self._is_used(chunk)]
            if self._dry_run:
                self._add([counts.get(chunk.subject, 0) for chunk in inactive])
            else:
                self._add(await purge_uploads(self._stream, inactive, counts))

    async def _not_kept(self, chunks: list[MessageInfo]) -> list[MessageInfo]:
        """Ask the caller, after the names were read: what it records before a write counts."""
        if self._keep is None or not chunks:
            return chunks
        answer = self._keep([self._nuid(chunk) for chunk in chunks])
        kept = frozenset(await answer if isinstance(answer, Awaitable) else answer)
        return [chunk for chunk in chunks if self._nuid(chunk) not in kept]

    async def _not_continued(self, chunks: list[MessageInfo]) -> list[MessageInfo]:
        """Return the last chunks that the leader has no later one of: a replica may lag."""
        stream, context = self._stream, self._stream.error_context()
        remaining: list[MessageInfo] = []
        for start in range(0, len(chunks), _MAX_CONCURRENT_REQUESTS):
            batch = chunks[start : start + _MAX_CONCURRENT_REQUESTS]
            requests = [stream.next_message(context, each.subject, each.seq + 1) for each in batch]
            later = await asyncio.gather(*requests)
            remaining += [chunk for chunk, other in zip(batch, later, strict=True) if other is None]
        return remaining

    async def _count_chunks(self) -> dict[str, int]:
        """Return the number of messages of each chunk subject."""
        pattern = subjects.all_chunks_subject(self._stream.subject_bucket)
        return {subject: count async for subject, count in self._stream.subject_counts(pattern)}

    def _add(self, counts: list[int]) -> None:
        self.messages += sum(counts)
        self.uploads += sum(map(bool, counts))

    def _nuid(self, chunk: MessageInfo) -> str:
        return chunk.subject[len(subjects.chunk_subject(self._stream.subject_bucket, "")) :]

    def _is_used(self, chunk: MessageInfo) -> bool:
        nuid = self._nuid(chunk)
        # A subject may contain a literal "*" or ">", but a purge of it would be a wildcard.
        return nuid in self._references.nuids or bool({"*", ">"} & set(nuid.split(".")))

    # -- names -----------------------------------------------------------------------------

    async def remove_names(self) -> None:
        """Complete interrupted renames: of two names with the same chunks, remove the older one.

        Names that share chunks without a reference to each other may be a client's aliases, and
        are kept.
        """
        by_nuid: dict[str, list[Entry]] = {}
        for entry in self._references.entries.values():
            by_nuid.setdefault(entry.nuid, []).append(entry)
        for entries in by_nuid.values():
            live = [entry for entry in entries if not entry.deleted]
            newest = max(live, key=lambda entry: entry.seq, default=None)
            if newest is None or newest.time > self._before:
                continue
            for entry in live:
                is_twin = entry.twin == newest.name or newest.twin == entry.name
                if is_twin and entry is not newest and entry.time <= self._before:
                    await self._remove_name(entry, newest)

    async def _remove_name(self, entry: Entry, newest: Entry) -> None:
        context = self._stream.error_context(entry.name)
        state, newest_state = await asyncio.gather(
            read_state(self._stream, context),
            read_state(self._stream, self._stream.error_context(newest.name)),
        )
        if state.revision != entry.seq or newest_state.revision != newest.seq:
            return  # a client has changed one of them
        if self._dry_run or await remove_old_name(self._stream, context, state):
            self.names.append(entry.name)
