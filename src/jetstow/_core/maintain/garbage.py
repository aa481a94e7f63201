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
from jetstow._core.maintain.scan import Head, Told, heads, metadata, now
from jetstow._core.protocol import subjects
from jetstow._core.protocol.metadata import LARGEST
from jetstow._core.protocol.timestamps import parse_timestamp
from jetstow._core.read.catalog import read_slot
from jetstow._core.write import update_meta
from jetstow.errors import BadObjectMetaError, BucketSealedError, InvalidOptionError
from jetstow.types import Finding, GarbageResult

# Subjects that are removed before names are read anew, and purges under way at once.
_LOT: Final = 1_024
_AT_ONCE: Final = 64

# What looks like a NUID in metadata that is no JSON.
_NUID: Final = re.compile(rb'"nuid"\s*:\s*"([A-Za-z0-9_-]+)"', re.IGNORECASE)

_SECOND: Final = 10**9

_decode = msgspec.json.Decoder().decode


async def collect(stream: Stream, grace: float, *, dry_run: bool) -> GarbageResult:
    """Remove what nobody refers to and what was quiet for `grace` seconds.

    Raises `BucketSealedError` and `InvalidOptionError`.
    """
    target = stream.target()
    given: object = grace
    if not isinstance(given, int | float) or isinstance(given, bool) or not 0 <= grace < 2**33:
        raise target.error(
            InvalidOptionError, f"grace for {target} must be seconds, 0 or more, not {grace!r}"
        )
    info = await stream.info()
    if info["config"].get("sealed") and not dry_run:
        raise target.error(
            BucketSealedError, f"nothing can be removed from {target}: the bucket is sealed"
        )
    before = await now(stream, info) - int(grace * _SECOND)
    found: dict[str, Head] = {}
    chunks = heads(stream, subjects.all_chunks(stream.bucket), "last_per_subject")
    async with aclosing(chunks) as each:
        async for head in each:
            found[head.subject] = head
    last = int(info["state"]["last_seq"])
    known = _Known(stream, last)
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


class _Known:
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
        async with aclosing(metadata(self._stream)) as each:
            async for told in each:
                self._see(told)

    async def look_again(self) -> bool:
        """Read what was written since; whether all of it can be read."""
        async with aclosing(metadata(self._stream, after=self._last)) as each:
            async for told in each:
                self._last = max(self._last, told.seq)
                self._see(told)
        return not self.findings

    def _see(self, told: Told) -> None:
        name = subjects.name_of(self._stream.bucket, told.subject)
        self.entries.pop(told.subject, None)
        try:
            if len(told.data) > LARGEST:
                self._guess(name, told)
                return
            raw: Any = _decode(told.data) if told.data else None
        except (ValueError, RecursionError):
            self._guess(name, told)
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

    def _guess(self, name: str | None, told: Told) -> None:
        """What is no JSON may still show what it refers to. If not, it may be anything."""
        nuids = _NUID.findall(told.data)
        self.nuids.update(nuid.decode() for nuid in nuids)
        if not nuids:
            target = self._stream.target(name)
            said = f"{target}" if name is not None else f"{told.subject!r} in {target}"
            error = target.error(
                BadObjectMetaError,
                f"metadata of {said} cannot be read: any chunk may be its own, so none is removed",
            )
            self.findings[told.seq] = Finding(name, error)


class _Removal:
    """What is removed, or in a dry run would be."""

    def __init__(
        self, stream: Stream, known: _Known, before: int, last: int, *, dry_run: bool
    ) -> None:
        self.uploads = self.messages = self.recent = 0
        self.dropped: list[str] = []
        self._stream = stream
        self._known = known
        self._before = before
        self._seen = last
        self._stirring: set[str] = set()
        self._dry_run = dry_run

    # -- chunks --------------------------------------------------------------------------

    async def chunks(self, found: dict[str, Head]) -> None:
        """Remove those of the chunks found that no name refers to."""
        unused = [head for head in found.values() if not self._is_used(head)]
        old = [head for head in unused if head.time <= self._before]
        self.recent = len(unused) - len(old)
        counts = await self._counts() if self._dry_run else {}
        for start in range(0, len(old), _LOT):
            if not await self._known.look_again():
                return
            await self._look_for_new_chunks()
            some = [head for head in old[start : start + _LOT] if not self._is_used(head)]
            quiet = [head for head in some if head.subject not in self._stirring]
            self.recent += len(some) - len(quiet)
            if self._dry_run:
                self._add([counts.get(head.subject, 0) for head in quiet])
            else:
                await self._remove(quiet)

    async def _look_for_new_chunks(self) -> None:
        """What was quiet for long may go on just now."""
        pattern, after = subjects.all_chunks(self._stream.bucket), self._seen
        async with aclosing(heads(self._stream, pattern, after=after)) as each:
            async for head in each:
                self._stirring.add(head.subject)
                self._seen = head.seq

    async def _counts(self) -> dict[str, int]:
        """How many messages each chunk subject has."""
        pattern = subjects.all_chunks(self._stream.bucket)
        return {subject: count async for subject, count in self._stream.subjects(pattern)}

    async def _remove(self, some: list[Head]) -> None:
        async def remove(head: Head) -> int:
            target = self._stream.target()
            return await self._stream.purge(target, head.subject, below=head.seq + 1)

        for start in range(0, len(some), _AT_ONCE):
            self._add(await asyncio.gather(*map(remove, some[start : start + _AT_ONCE])))

    def _add(self, counts: list[int]) -> None:
        self.messages += sum(counts)
        self.uploads += sum(map(bool, counts))

    def _is_used(self, head: Head) -> bool:
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
            *(read_slot(self._stream, each.name) for each in (entry, newest))
        )
        if any(s.revision != e.seq for s, e in zip(slots, (entry, newest), strict=True)):
            return  # somebody is at it
        if self._dry_run or await update_meta.drop_old_name(self._stream, entry.name, slots[0]):
            self.dropped.append(entry.name)
