"""What no name refers to: the chunks of uploads that died, and names that a rename left behind.

Chunks come first and names after them, so that whatever is named meanwhile counts as named.
An upload that still runs has chunks of late; whatever was quiet for long enough, by the
server's clock, belongs to nobody who is alive.
"""

from __future__ import annotations

import asyncio
import re
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from jetstow._core.bucket.stream import Stream
from jetstow._core.maintain.scan import (
    MessageHead,
    MetadataMessage,
    scan_heads,
    scan_metadata,
    server_time,
)
from jetstow._core.protocol import subjects
from jetstow._core.protocol.metadata import MAX_METADATA_SIZE
from jetstow._core.protocol.timestamps import parse_timestamp
from jetstow._core.read.catalog import read_state
from jetstow._core.write import update_meta
from jetstow.errors import BadObjectMetaError, BucketSealedError, InvalidOptionError
from jetstow.types import Finding, GarbageResult

# Subjects that are removed before names are read anew, and purges under way at once.
_BATCH_SUBJECTS: Final = 1_024
_MAX_CONCURRENT_PURGES: Final = 64

# What looks like a NUID in metadata that is no JSON.
_NUID: Final = re.compile(rb'"nuid"\s*:\s*"([A-Za-z0-9_-]+)"', re.IGNORECASE)

_SECOND: Final = 10**9

_decode = msgspec.json.Decoder().decode


async def collect(stream: Stream, grace: float, *, dry_run: bool) -> GarbageResult:
    """Remove what nobody refers to and what was quiet for `grace` seconds.

    Raises `BucketSealedError` and `InvalidOptionError`.
    """
    context = stream.error_context()
    given: object = grace
    if not isinstance(given, int | float) or isinstance(given, bool) or not 0 <= grace < 2**33:
        raise context.error(
            InvalidOptionError, f"grace for {context} must be seconds, 0 or more, not {grace!r}"
        )
    info = await stream.info()
    if info["config"].get("sealed") and not dry_run:
        raise context.error(
            BucketSealedError, f"nothing can be removed from {context}: the bucket is sealed"
        )
    before = await server_time(stream, info) - int(grace * _SECOND)
    found: dict[str, MessageHead] = {}
    chunks = scan_heads(stream, subjects.all_chunks_subject(stream.bucket), "last_per_subject")
    async with aclosing(chunks) as each:
        async for head in each:
            found[head.subject] = head
    last = int(info["state"]["last_seq"])
    known = _References(stream, last)
    await known.read()
    removal = _Removal(stream, known, before, last, dry_run=dry_run)
    if not known.findings:
        await removal.chunks(found)
    await removal.names()
    return GarbageResult(
        bucket=stream.bucket,
        uploads=removal.uploads,
        messages=removal.messages,
        recent=removal.recent,
        names=tuple(sorted(removal.dropped)),
        findings=tuple(known.findings.values()),
    )


@dataclass(frozen=True, slots=True)
class _Entry:
    """The last metadata message of a name."""

    name: str
    seq: int
    time: int
    nuid: str
    deleted: bool
    twin: str | None


class _References:
    """What the names refer to.

    A NUID that any message has ever named since the beginning counts, also one of a name
    that has a later message: some clients leave both, and nobody knows what they read.
    """

    def __init__(self, stream: Stream, last: int) -> None:
        self.nuids: set[str] = set()
        self.entries: dict[str, _Entry] = {}
        self.findings: dict[int, Finding] = {}
        self._stream = stream
        self._last = last

    async def read(self) -> None:
        """Read all metadata."""
        async with aclosing(scan_metadata(self._stream)) as each:
            async for told in each:
                self._add(told)

    async def read_new(self) -> bool:
        """Read what was written since; whether all of it can be read."""
        async with aclosing(scan_metadata(self._stream, after=self._last)) as each:
            async for told in each:
                self._last = max(self._last, told.seq)
                self._add(told)
        return not self.findings

    def _add(self, told: MetadataMessage) -> None:
        name = subjects.object_name(self._stream.bucket, told.subject)
        self.entries.pop(told.subject, None)
        try:
            if len(told.data) > MAX_METADATA_SIZE:
                self._add_unparsable(name, told)
                return
            raw: Any = _decode(told.data) if told.data else None
        except (ValueError, RecursionError):
            self._add_unparsable(name, told)
            return
        if not isinstance(raw, dict):
            return  # it says nothing, and so refers to nothing
        # Go's clients read a field however it is spelt.
        nuids = [value for key, value in raw.items() if key.lower() == "nuid"]
        texts = [nuid for nuid in nuids if isinstance(nuid, str) and nuid]
        deleted = raw.get("deleted") is True
        if not deleted:
            self.nuids.update(texts)
        options = raw.get("options")
        is_link = isinstance(options, dict) and options.get("link") is not None
        if name is not None and texts and not is_link:
            twin, time = raw.get(update_meta.TWIN), parse_timestamp(told.time)
            self.entries[told.subject] = _Entry(
                name, told.seq, time, texts[-1], deleted, twin if isinstance(twin, str) else None
            )

    def _add_unparsable(self, name: str | None, told: MetadataMessage) -> None:
        """What is no JSON may still show what it refers to. If not, it may be anything."""
        nuids = _NUID.findall(told.data)
        self.nuids.update(nuid.decode() for nuid in nuids)
        if not nuids:
            context = self._stream.error_context(name)
            said = f"{context}" if name is not None else f"{told.subject!r} in {context}"
            error = context.error(
                BadObjectMetaError,
                f"metadata of {said} cannot be read: any chunk may be its own, so none is removed",
            )
            self.findings[told.seq] = Finding(name, error)


class _Removal:
    """What is removed, or in a dry run would be."""

    def __init__(
        self, stream: Stream, known: _References, before: int, last: int, *, dry_run: bool
    ) -> None:
        self.uploads = self.messages = self.recent = 0
        self.dropped: list[str] = []
        self._stream = stream
        self._known = known
        self._before = before
        self._seen = last
        self._active: set[str] = set()
        self._dry_run = dry_run

    # -- chunks --------------------------------------------------------------------------

    async def chunks(self, found: dict[str, MessageHead]) -> None:
        """Remove those of the chunks found that no name refers to."""
        unused = [head for head in found.values() if not self._is_used(head)]
        old = [head for head in unused if head.time <= self._before]
        self.recent = len(unused) - len(old)
        counts = await self._counts() if self._dry_run else {}
        for start in range(0, len(old), _BATCH_SUBJECTS):
            if not await self._known.read_new():
                return
            await self._find_active()
            some = [
                head for head in old[start : start + _BATCH_SUBJECTS] if not self._is_used(head)
            ]
            quiet = [head for head in some if head.subject not in self._active]
            self.recent += len(some) - len(quiet)
            if self._dry_run:
                self._add([counts.get(head.subject, 0) for head in quiet])
            else:
                await self._remove(quiet)

    async def _find_active(self) -> None:
        """What was quiet for long may go on just now."""
        pattern, after = subjects.all_chunks_subject(self._stream.bucket), self._seen
        async with aclosing(scan_heads(self._stream, pattern, after=after)) as each:
            async for head in each:
                self._active.add(head.subject)
                self._seen = head.seq

    async def _counts(self) -> dict[str, int]:
        """How many messages each chunk subject has."""
        pattern = subjects.all_chunks_subject(self._stream.bucket)
        return {subject: count async for subject, count in self._stream.subjects(pattern)}

    async def _remove(self, some: list[MessageHead]) -> None:
        async def remove(head: MessageHead) -> int:
            context = self._stream.error_context()
            return await self._stream.purge(context, head.subject, below=head.seq + 1)

        for start in range(0, len(some), _MAX_CONCURRENT_PURGES):
            self._add(
                await asyncio.gather(*map(remove, some[start : start + _MAX_CONCURRENT_PURGES]))
            )

    def _add(self, counts: list[int]) -> None:
        self.messages += sum(counts)
        self.uploads += sum(map(bool, counts))

    def _is_used(self, head: MessageHead) -> bool:
        nuid = head.subject[len(subjects.chunk_subject(self._stream.bucket, "")) :]
        # A purge takes a wildcard for one, even where somebody has stored it as it stands.
        return nuid in self._known.nuids or bool({"*", ">"} & set(nuid.split(".")))

    # -- names ---------------------------------------------------------------------------

    async def names(self) -> None:
        """Finish renames: of two names with the same chunks the older one goes.

        Two names that do not know each other may be somebody's way to have an alias.
        """
        by_nuid: dict[str, list[_Entry]] = {}
        for entry in self._known.entries.values():
            by_nuid.setdefault(entry.nuid, []).append(entry)
        for entries in by_nuid.values():
            live = [entry for entry in entries if not entry.deleted]
            if len(entries) < 2 or not live:
                continue
            newest = max(live, key=lambda entry: entry.seq)
            if newest.time > self._before:
                continue
            for entry in entries:
                known = entry.deleted or entry.twin == newest.name or newest.twin == entry.name
                if entry is not newest and known and entry.time <= self._before:
                    await self._finish(entry, newest)

    async def _finish(self, entry: _Entry, newest: _Entry) -> None:
        slots = await asyncio.gather(
            *(read_state(self._stream, each.name) for each in (entry, newest))
        )
        if any(s.revision != e.seq for s, e in zip(slots, (entry, newest), strict=True)):
            return  # somebody is at it
        if self._dry_run or await update_meta.drop_old_name(self._stream, entry.name, slots[0]):
            self.dropped.append(entry.name)
