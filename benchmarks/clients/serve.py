"""How a client's program speaks to the benchmark: one job, JSON in lines.

    benchmark: {"op": "get", "url": ..., "bucket": ..., ...}
    client:    {"ready": "get"}              it is connected, and the data is at hand
    benchmark: go
    client:    {"measured": "get", ...}      an operation may have several such rounds
    client:    {"done": true}                or {"error": "..."}, {"unable": "..."},
                                             {"wrong": "..."}: what it measured was worth nothing

What is measured is measured here, in the client's process, around the call and nothing
else. Only the standard library is needed, for a client may have an environment of its own.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import resource
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Job:
    """What a client is to do."""

    op: str
    url: str
    bucket: str
    block: str
    """The file with the bytes that all data is made of, repeated."""
    size: int = 0
    digest: str = ""
    """The digest of `size` bytes, as metadata has it."""
    path: str = ""
    count: int = 0
    at_once: int = 1
    flags: dict[str, Any] = field(default_factory=dict)

    def data(self, size: int | None = None) -> bytes:
        """`size` bytes, the same for every client."""
        block = Path(self.block).read_bytes()
        whole, rest = divmod(self.size if size is None else size, len(block))
        return block * whole + block[:rest]


class Mismatch(Exception):  # noqa: N818 - its message says it
    """A client has not stored, or not returned, what it should have."""


class Unable(Exception):  # noqa: N818 - its message says it
    """A client has no such operation."""


def say(**said: Any) -> None:
    """One line to the benchmark."""
    sys.__stdout__.write(json.dumps(said) + "\n")  # type: ignore[union-attr]
    sys.__stdout__.flush()  # type: ignore[union-attr]


@contextmanager
def measured(what: str) -> Iterator[dict[str, Any]]:
    """Measure a block, after the benchmark's word; add to the result what the block puts in."""
    gc.collect()
    more: dict[str, Any] = {}
    say(ready=what)
    sys.stdin.readline()
    _forget_peak()
    low, before, start = _peak(), resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    yield more
    seconds = time.perf_counter() - start
    after, high = resource.getrusage(resource.RUSAGE_SELF), _peak()
    say(
        measured=what,
        seconds=seconds,
        cpu=after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        faults=after.ru_minflt - before.ru_minflt,
        growth=high - low,
        **more,
    )


def _forget_peak() -> None:
    # Else the peak of a process is what it was when it started, or what made it had.
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _peak() -> int:
    """The most memory that was resident, in bytes."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak << 10
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) << 10


def serve(work: Callable[[Job], Awaitable[None] | None]) -> None:
    """Take one job, do it, tell how it went, and end."""
    job = Job(**json.loads(sys.stdin.readline()))
    try:
        if isinstance(done := work(job), Awaitable):
            asyncio.run(_awaited(done))
    except (Unable, NotImplementedError) as error:
        say(unable=str(error) or "it has no such operation")
    except Mismatch as error:
        say(wrong=str(error))
    except Exception as error:  # noqa: BLE001 - a client's failure is a line of the report
        say(error=f"{type(error).__name__}: {error}"[:300])
    else:
        say(done=True)
    sys.stdout.flush()
    os._exit(0)  # threads and connections of a client are not waited for


async def _awaited(done: Awaitable[None]) -> None:
    await done
