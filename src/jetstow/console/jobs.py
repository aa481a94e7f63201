"""Long work on a bucket, with its progress: verify, garbage collection, mirror."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable
from contextlib import aclosing
from typing import Any, Final

from jetstow import JetStreamContext, ObjectStore, mirror
from jetstow._core.aio.background import running
from jetstow._upload_records import keep_uploads
from jetstow.console.context import Context
from jetstow.console.errors import ConsoleError
from jetstow.errors import JetstowError
from jetstow.models import ObjectInfo
from jetstow.types import Finding

# Jobs of a key at the same time, in each worker: one of them can use the whole connection.
MAX_RUNNING: Final = 4
# The shortest and the longest time between two lines, in seconds. A line without news shows the
# proxies in between that the connection is in use.
_INTERVAL: Final = 0.1
_LONGEST_INTERVAL: Final = 5.0
# Findings and failures of a result. A damaged bucket may have one for each object.
_MAX_PROBLEMS: Final = 1000

Line = dict[str, Any]
Report = Callable[[Line], None]
Work = Callable[[Report], Coroutine[Any, Any, Line]]


class Jobs:
    """The jobs of one worker process."""

    def __init__(self) -> None:
        self._running: Counter[str] = Counter()

    async def run(
        self, access_key: str, work: Work, start: Line, check: Callable[[], None]
    ) -> AsyncGenerator[Line, None]:
        """Do work for a key, and yield `start`, what it reports, and its result.

        `check` raises if the caller may not go on. If the generator is closed, the work is
        cancelled.

        Raises: `ConsoleError` (TooManyRequests), what `work` and `check` raise.
        """
        if self._running[access_key] >= MAX_RUNNING:
            raise ConsoleError("TooManyRequests", f"The key runs {MAX_RUNNING} jobs: wait for one.")
        self._running[access_key] += 1
        try:
            async with aclosing(_lines(work, start, check)) as lines:
                async for line in lines:
                    yield line
        finally:
            self._running[access_key] -= 1


def new_jobs(context: Context) -> Jobs:  # noqa: ARG001 - a part of each context
    """Return the jobs of a console."""
    return Jobs()


async def _lines(work: Work, start: Line, check: Callable[[], None]) -> AsyncGenerator[Line, None]:
    latest, reported, idle = start, start, 0.0

    def report(line: Line) -> None:
        nonlocal latest
        latest = line

    async with running(work(report)) as task:
        yield start
        while not task.done():
            await asyncio.wait([task], timeout=_INTERVAL)
            idle += _INTERVAL
            if latest is not reported or idle >= _LONGEST_INTERVAL:
                check()
                reported, idle = latest, 0.0
                yield reported
        yield {"result": task.result()}


def verify_bucket(store: ObjectStore) -> Work:
    """Return the verification of all objects of a bucket."""

    async def work(report: Report) -> Line:
        def progress(done: int, total: int | None) -> None:
            report({"done": done, "total": total})

        result = await store.verify(progress=progress)
        return {
            "objects": result.objects,
            "links": result.links,
            "size": result.size,
            "findings": _problems(result.findings),
        }

    return work


def verify_object(store: ObjectStore, info: ObjectInfo, version: str | None) -> Work:
    """Return the verification of one object, or of one version of it, chunk by chunk."""

    async def work(report: Report) -> Line:
        verified = 0

        def progress(done: int, _: int | None) -> None:
            nonlocal verified
            # Called for each chunk. A reader of an object that is replaced begins again.
            verified = min(verified + 1, chunk_count(info))
            report(_chunk_line(info, verified, done))

        result = await store.verify(info.name, version=version, progress=progress)
        findings = _problems(result.findings)
        return {"chunks": verified, "size": result.size, "findings": findings}

    return work


def first_chunk_line(info: ObjectInfo) -> Line:
    """Return the line before the first chunk of an object is verified."""
    return _chunk_line(info, 0, 0)


def chunk_count(info: ObjectInfo) -> int:
    """Return the number of chunks of an object; of a link, 0."""
    return 0 if info.is_link() else info.chunks or 0


def _chunk_line(info: ObjectInfo, verified: int, done: int) -> Line:
    chunks, total = chunk_count(info), info.size or 0
    size = math.ceil(total / chunks) if chunks else 0
    return {"chunk": verified, "chunks": chunks, "size": size, "done": done, "total": total}


def collect_garbage(js: JetStreamContext, store: ObjectStore, *, dry_run: bool) -> Work:
    """Return the garbage collection of a bucket. It keeps the parts of multipart uploads."""

    async def work(_: Report) -> Line:
        keep = keep_uploads(js, store.bucket)
        result = await store.collect_garbage(keep=keep, dry_run=dry_run)
        return {
            "dry_run": dry_run,
            "uploads": result.uploads,
            "messages": result.messages,
            "recent": result.recent,
            "names": len(result.names),
            "markers": result.markers,
            "versions": result.versions,
            "findings": _problems(result.findings),
        }

    return work


def mirror_to(source: ObjectStore, target: ObjectStore) -> Work:
    """Return a copy of all objects of a bucket to another one, from which nothing is removed."""

    async def work(report: Report) -> Line:
        def progress(done: int, total: int | None) -> None:
            report({"done": done, "total": total})

        result = await mirror(source, target, progress=progress)
        return {
            "copied": len(result.copied),
            "updated": len(result.updated),
            "unchanged": len(result.unchanged),
            "size": result.size,
            "failed": _problems(_failures(result.failed)),
        }

    return work


def _failures(errors: Iterable[JetstowError]) -> Iterable[Finding]:
    return (Finding(getattr(error, "name", None), error) for error in errors)


def _problems(findings: Iterable[Finding]) -> list[Line]:
    """Return the first problems of a result by the names of objects."""
    return [
        {
            "name": each.name,
            "version": each.version,
            "code": type(each.error).__name__,
            "message": str(each.error),
        }
        for each, _ in zip(findings, range(_MAX_PROBLEMS), strict=False)
    ]
