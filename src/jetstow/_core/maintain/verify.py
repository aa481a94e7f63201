"""Whether what is stored is what its metadata says: every byte read, or every chunk counted.

What does not fit is looked at again: an object that was replaced or deleted meanwhile is no
finding. Whatever is one is told of, and keeps nothing else from being looked at.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from typing import Final

from jetstow._core.bucket import admin
from jetstow._core.bucket.stream import Stream
from jetstow._core.maintain.scan import scan_heads, scan_metadata
from jetstow._core.protocol import subjects
from jetstow._core.protocol.metadata import decode_info
from jetstow._core.read import links
from jetstow._core.read.catalog import NameState, get_info, read_state
from jetstow._core.read.download import replica_delays, verified_chunks
from jetstow.errors import (
    BadObjectMetaError,
    BucketNotFoundError,
    ChunksLostError,
    IntegrityError,
    JetstowError,
    LinkError,
    LinkIsABucketError,
    ObjectChangedError,
    ObjectNotFoundError,
    SizeMismatchError,
)
from jetstow.models import ObjectInfo
from jetstow.types import Finding, Progress, VerifyResult

# Objects looked at together. The connection bounds what is on its way for all of them.
_AT_ONCE: Final = 16


async def verify(
    stream: Stream, name: str | None, *, quick: bool, progress: Progress | None
) -> VerifyResult:
    """Look at an object, or at all of them.

    Raises `ObjectNotFoundError` for a name that is not there.
    """
    work = _Verification(stream, quick=quick, progress=progress)
    if name is None:
        return await work.bucket()
    return await work.one(name)


class _Verification:
    def __init__(self, stream: Stream, *, quick: bool, progress: Progress | None) -> None:
        self._stream = stream
        self._quick = quick
        self._progress = progress
        self._findings: list[Finding] = []
        self._objects = self._links = self._size = self._total = 0
        # Chunks and bytes of each NUID, where they were counted all together.
        self._held: dict[str, tuple[int, int]] | None = None

    async def one(self, name: str) -> VerifyResult:
        """One object, or one link and no object."""
        try:
            info = await get_info(self._stream, name)
        except BadObjectMetaError as error:
            self._objects += 1
            self._note(name, error)
        else:
            self._total = info.size or 0
            await self._look(info)
        return self._report(None)

    async def bucket(self) -> VerifyResult:
        """Everything in the bucket."""
        if self._quick:
            self._held = await self._count_all()
        infos = await self._read_metadata()
        self._total = sum(info.size or 0 for info in infos if not info.is_link())
        await self._look_at_all(infos)
        if self._held is None:
            return self._report(None)
        for info in infos:
            self._held.pop(info.nuid, None)
        return self._report(sum(count for count, _ in self._held.values()))

    def _report(self, unused: int | None) -> VerifyResult:
        findings = sorted(self._findings, key=lambda finding: finding.name or "")
        return VerifyResult(
            bucket=self._stream.bucket,
            objects=self._objects,
            links=self._links,
            size=self._size,
            unused=unused,
            findings=tuple(findings),
        )

    def _note(self, name: str | None, error: JetstowError) -> None:
        self._findings.append(Finding(name, error))

    # -- what there is -------------------------------------------------------------------

    async def _count_all(self) -> dict[str, tuple[int, int]]:
        held: dict[str, tuple[int, int]] = {}
        prefix = len(subjects.chunk_subject(self._stream.bucket, ""))
        async with aclosing(
            scan_heads(self._stream, subjects.all_chunks_subject(self._stream.bucket))
        ) as each:
            async for head in each:
                nuid = head.subject[prefix:]
                count, size = held.get(nuid, (0, 0))
                held[nuid] = count + 1, size + head.size
        return held

    async def _read_metadata(self) -> list[ObjectInfo]:
        """Every name that is not deleted. What cannot be read is a finding."""
        bucket = self._stream.bucket
        infos: dict[str, ObjectInfo] = {}
        unread: dict[str, Finding] = {}
        async with aclosing(scan_metadata(self._stream)) as each:
            async for told in each:
                # Some clients leave older metadata of a name where it is: the last one counts.
                infos.pop(told.subject, None)
                unread.pop(told.subject, None)
                name = subjects.object_name(bucket, told.subject)
                if name is None:
                    unread[told.subject] = Finding(None, self._no_name(told.subject))
                    continue
                try:
                    infos[told.subject] = decode_info(
                        bucket, name, told.data, revision=told.seq, mtime=told.time
                    )
                except BadObjectMetaError as error:
                    unread[told.subject] = Finding(name, error)
        self._objects += len(unread)
        self._findings += unread.values()
        return [info for info in infos.values() if not info.deleted]

    def _no_name(self, subject: str) -> BadObjectMetaError:
        return self._stream.error_context().error(
            BadObjectMetaError,
            f"bucket {self._stream.bucket!r} has metadata on {subject!r}, where no name leads",
        )

    # -- each of it ----------------------------------------------------------------------

    async def _look_at_all(self, infos: list[ObjectInfo]) -> None:
        left = iter(infos)

        async def work() -> None:
            for info in left:
                await self._look(info)

        workers = [asyncio.create_task(work()) for _ in range(min(_AT_ONCE, len(infos)))]
        try:
            for worker in workers:
                await worker
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)

    async def _look(self, info: ObjectInfo) -> None:
        """Look at a name until it stays the same while it is looked at."""
        last: ObjectInfo | None = info
        if info.is_link():
            self._links += 1
        else:
            self._objects += 1
        while last is not None:
            info = last
            try:
                await self._check(info)
                return
            except ObjectChangedError:
                last = (await self._slot(info)).live
            except (IntegrityError, ObjectNotFoundError, BucketNotFoundError, LinkError) as error:
                slot = await self._slot(info)
                if slot.revision == info.revision:
                    self._note(info.name, error)
                    return
                last = slot.live

    async def _slot(self, info: ObjectInfo) -> NameState:
        return await read_state(self._stream, info.name)

    async def _check(self, info: ObjectInfo) -> None:
        if info.is_link():
            await self._check_link(info)
        elif self._quick:
            await self._check_counts(info)
        else:
            await self._check_bytes(info)

    async def _check_link(self, info: ObjectInfo) -> None:
        """Follow a link, which must lead to an object or a bucket, here or elsewhere."""
        link = info.link
        assert link is not None, "only a link leads somewhere"
        if not link.name:
            await admin.open_stream(self._stream.api, link.bucket)
            return
        with suppress(LinkIsABucketError):  # through another link, which is looked at itself
            await links.follow(self._stream, info.name)

    async def _check_bytes(self, info: ObjectInfo) -> None:
        async with aclosing(verified_chunks(self._stream, info)) as pieces:
            async for piece in pieces:
                self._size += len(piece)
                self._tell()
        if not info.chunks:
            # Nothing of it was read, so nothing has shown that there is no more.
            self._compare(info, await self._count(info), 0)

    async def _check_counts(self, info: ObjectInfo) -> None:
        if self._held is not None:
            count, size = self._held.get(info.nuid, (0, 0))
            if (count, size) == (info.chunks or 0, info.size or 0):
                self._size += size
                self._tell()
                return
        # It came after the chunks were counted, or does not fit: it is counted by itself.
        left = replica_delays(self._stream)
        while True:
            count, size = await self._count_one(info)
            # A consumer's replica may lag. Its leader does not.
            if count == await self._count(info) or (pause := next(left, None)) is None:
                break
            await asyncio.sleep(pause)
        self._compare(info, count, size)
        self._size += size
        self._tell()

    async def _count_one(self, info: ObjectInfo) -> tuple[int, int]:
        subject = subjects.chunk_subject(self._stream.bucket, info.nuid)
        count = size = 0
        async with aclosing(scan_heads(self._stream, subject)) as each:
            async for head in each:
                count, size = count + 1, size + head.size
        return count, size

    async def _count(self, info: ObjectInfo) -> int:
        if not info.nuid:
            return 0
        subject = subjects.chunk_subject(self._stream.bucket, info.nuid)
        return await self._stream.count(self._stream.error_context(info.name), subject)

    def _compare(self, info: ObjectInfo, count: int, size: int) -> None:
        """Raise what a read raises of an object that has so many chunks and bytes."""
        context, chunks = self._stream.error_context(info.name), info.chunks or 0
        if count < chunks:
            raise context.error(
                ChunksLostError, f"{context} has lost {chunks - count} of its {chunks} chunks"
            )
        if count > chunks:
            raise context.error(
                SizeMismatchError,
                f"{context} has {count} chunks in the stream and {chunks} in its metadata",
            )
        if size != (info.size or 0):
            raise context.error(
                SizeMismatchError,
                f"{context} has {size} bytes in the stream and {info.size or 0} in its metadata",
            )

    def _tell(self) -> None:
        if self._progress is not None:
            self._progress(self._size, max(self._total, self._size))
