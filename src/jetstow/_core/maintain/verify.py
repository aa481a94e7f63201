"""Verification of a bucket: read all bytes or count all chunks, and compare with the metadata.

A mismatch is checked again, as the object may have been replaced or deleted in the meantime. Each
problem becomes a finding, and the verification continues.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from typing import Final

from jetstow._core.aio.background import stop
from jetstow._core.bucket import admin
from jetstow._core.bucket.stream import Stream
from jetstow._core.maintain.all_metadata import read_all_metadata
from jetstow._core.maintain.scan import scan_messages
from jetstow._core.protocol import subjects
from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.protocol.versions import split_hidden_name
from jetstow._core.read import links
from jetstow._core.read.decryption import WholeObject
from jetstow._core.read.download import replica_delays
from jetstow._core.read.name_state import NameState, get_info, read_state
from jetstow._core.read.verification import verified_chunks
from jetstow._core.read.versions import arranged
from jetstow.errors import (
    BadObjectMetaError,
    BucketNotFoundError,
    ChunksLostError,
    IntegrityError,
    LinkError,
    LinkIsABucketError,
    ObjectChangedError,
    ObjectEncryptedError,
    ObjectNotFoundError,
    SizeMismatchError,
    WrongStreamError,
)
from jetstow.models import ObjectInfo
from jetstow.types import Finding, Progress, VerifyResult

# The connection limits the bytes in flight of all of them together.
_MAX_CONCURRENT_OBJECTS: Final = 16

# The errors that become findings. A view with a key finds objects of other keys.
_FINDINGS: Final = (
    IntegrityError, ObjectNotFoundError, BucketNotFoundError, LinkError, ObjectEncryptedError,
    WrongStreamError,
)  # fmt: skip


async def verify_bucket(stream: Stream, *, quick: bool, progress: Progress | None) -> VerifyResult:
    """Verify all objects; `quick` counts chunks and bytes without reading them."""
    await stream.purges.wait()  # what they remove is not unused
    return await _Verification(stream, quick=quick, progress=progress).verify_bucket()


async def verify_object(
    stream: Stream, context: ErrorContext, *, quick: bool, progress: Progress | None
) -> VerifyResult:
    """Verify the object in `context`, or one version of it.

    Raises: `ObjectNotFoundError` (it does not exist).
    """
    await stream.purges.wait()
    return await _Verification(stream, quick=quick, progress=progress).verify_object(context)


class _Verification:
    def __init__(self, stream: Stream, *, quick: bool, progress: Progress | None) -> None:
        self._stream = stream
        self._quick = quick
        self._progress = progress
        self._findings: list[Finding] = []
        self._objects = self._links = self._size = self._total_size = 0
        # Chunks and bytes of each NUID; None if they were not counted.
        self._stored: dict[str, tuple[int, int]] | None = None
        # The versions that are read as such, not as the current object: names and ids.
        self._kept: set[tuple[str, str | None]] = set()

    async def verify_object(self, context: ErrorContext) -> VerifyResult:
        if context.version is not None:
            self._kept.add((context.name or "", context.version))
        try:
            info = await get_info(self._stream, context)
        except BadObjectMetaError as error:
            self._objects += 1
            self._findings.append(Finding(context.name, error, context.version))
        else:
            self._total_size = info.size or 0
            await self._verify(info)
        return self._result(None)

    async def verify_bucket(self) -> VerifyResult:
        if self._quick:
            self._stored = await self._count_all_chunks()
        infos = await self._read_metadata()
        self._total_size = sum(info.size or 0 for info in infos if not info.is_link())
        await self._verify_all(infos)
        if self._stored is None:
            return self._result(None)
        for info in infos:
            self._stored.pop(info.nuid, None)
        return self._result(sum(count for count, _ in self._stored.values()))

    def _result(self, unused: int | None) -> VerifyResult:
        findings = sorted(self._findings, key=lambda finding: finding.name or "")
        return VerifyResult(
            bucket=self._stream.bucket,
            objects=self._objects,
            links=self._links,
            size=self._size,
            unused=unused,
            findings=tuple(findings),
        )

    # -- scans -----------------------------------------------------------------------------

    async def _count_all_chunks(self) -> dict[str, tuple[int, int]]:
        stored: dict[str, tuple[int, int]] = {}
        bucket = self._stream.subject_bucket
        prefix_size = len(subjects.chunk_subject(bucket, ""))
        scan = scan_messages(self._stream, subjects.all_chunks_subject(bucket))
        async with aclosing(scan) as messages:
            async for message in messages:
                nuid = message.subject[prefix_size:]
                count, size = stored.get(nuid, (0, 0))
                stored[nuid] = count + 1, size + message.size
        return stored

    async def _read_metadata(self) -> list[ObjectInfo]:
        """Return the metadata of every name that is not deleted. Unreadable ones are findings."""
        infos, findings = await read_all_metadata(self._stream)
        self._objects += len(findings)
        self._findings += findings
        if self._stream.versioning is not None:
            self._kept.update(filter(None, (split_hidden_name(info.name) for info in infos)))
            infos = arranged(self._stream, infos)
        return [info for info in infos if not info.deleted]

    # -- objects ---------------------------------------------------------------------------

    async def _verify_all(self, infos: list[ObjectInfo]) -> None:
        remaining = iter(infos)

        async def work() -> None:
            for info in remaining:
                await self._verify(info)

        count = min(_MAX_CONCURRENT_OBJECTS, len(infos))
        workers = [asyncio.create_task(work()) for _ in range(count)]
        try:
            for worker in workers:
                await worker
        finally:
            await stop(*workers)

    async def _verify(self, info: ObjectInfo) -> None:
        """Check a name until it does not change during the check."""
        current: ObjectInfo | None = info
        if info.is_link():
            self._links += 1
        else:
            self._objects += 1
        while current is not None:
            info = current
            try:
                await self._check(info)
                return
            except ObjectChangedError:
                current = (await self._read_state(info)).live
            except _FINDINGS as error:
                state = await self._read_state(info)
                if state.revision == info.revision:
                    self._findings.append(Finding(info.name, error, self._context(info).version))
                    return
                current = state.live

    async def _read_state(self, info: ObjectInfo) -> NameState:
        return await read_state(self._stream, self._context(info))

    def _context(self, info: ObjectInfo) -> ErrorContext:
        is_kept = (info.name, info.version) in self._kept
        return ErrorContext(self._stream.bucket, info.name, info.version if is_kept else None)

    async def _check(self, info: ObjectInfo) -> None:
        if info.is_link():
            await self._check_link(info)
        elif self._quick:
            await self._check_counts(info)
        else:
            await self._check_bytes(info)

    async def _check_link(self, info: ObjectInfo) -> None:
        """Check that a link leads to an object or a bucket that exists, in any bucket."""
        link = info.link
        assert link is not None, "only links are checked here"
        if not link.name:
            await admin.open_stream(self._stream.api, link.bucket)
            return
        # A link to a link to a bucket is valid. The other link is checked by itself.
        with suppress(LinkIsABucketError):
            await links.follow(self._stream, self._context(info))

    async def _check_bytes(self, info: ObjectInfo) -> None:
        stream, context = self._stream, self._context(info)
        # Without a key, encrypted objects are verified as they are stored.
        view = stream if stream.key is not None else stream.view(as_stored=True)
        stored = self._count_bytes(verified_chunks(stream, context, info))
        plain = WholeObject(view, context, info).decrypt(stored)
        async with aclosing(stored), aclosing(plain):
            async for _ in plain:
                pass
        if not info.chunks:
            # Without chunks to read, the read cannot detect chunks that should not exist.
            self._compare(info, await self._count_on_leader(info), 0)

    async def _count_bytes(
        self, chunks: AsyncGenerator[bytes, None]
    ) -> AsyncGenerator[bytes, None]:
        async with aclosing(chunks):
            async for chunk in chunks:
                self._size += len(chunk)
                self._report_progress()
                yield chunk

    async def _check_counts(self, info: ObjectInfo) -> None:
        if self._stored is not None:
            count, size = self._stored.get(info.nuid, (0, 0))
            if (count, size) == (info.chunks or 0, info.size or 0):
                self._size += size
                self._report_progress()
                return
        # The object was stored after the scan, or does not match: count its chunks separately.
        delays = replica_delays(self._stream)
        while True:
            count, size = await self._count_chunks(info)
            # The replica with the consumer may lag behind the leader.
            in_stream = await self._count_on_leader(info)
            if count == in_stream or in_stream != (info.chunks or 0):
                count = in_stream
                break
            if (delay := next(delays, None)) is None:
                await self._check_bytes(info)
                return
            await asyncio.sleep(delay)
        self._compare(info, count, size)
        self._size += size
        self._report_progress()

    async def _count_chunks(self, info: ObjectInfo) -> tuple[int, int]:
        subject = subjects.chunk_subject(self._stream.subject_bucket, info.nuid)
        count = size = 0
        async with aclosing(scan_messages(self._stream, subject)) as messages:
            async for message in messages:
                count, size = count + 1, size + message.size
        return count, size

    async def _count_on_leader(self, info: ObjectInfo) -> int:
        if not info.nuid:
            return 0
        subject = subjects.chunk_subject(self._stream.subject_bucket, info.nuid)
        return await self._stream.count_messages(self._stream.error_context(info.name), subject)

    def _compare(self, info: ObjectInfo, count: int, size: int) -> None:
        """Raise what reading an object with that many chunks and bytes raises."""
        context, chunks = self._context(info), info.chunks or 0
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

    def _report_progress(self) -> None:
        if self._progress is not None:
            self._progress(self._size, max(self._total_size, self._size))
