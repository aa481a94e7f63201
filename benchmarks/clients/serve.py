"""The protocol between the benchmark and the program of a client: lines of JSON, one job.

    benchmark: {"op": "get", "url": ..., "bucket": ..., ...}
    client:    {"ready": "get"}              it is connected, and the data is in memory
    benchmark: go
    client:    {"measured": "get", ...}      an operation may have several such parts
    client:    {"done": true}                or {"error": "..."}, {"unable": "..."},
                                             {"wrong": "..."}: discard its figures

The client's process measures the call and nothing else. This module needs the standard library
only, as a client may have its own environment.
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
    """The job of a client."""

    op: str
    url: str
    bucket: str
    block: str
    """The file with the block that all data repeats."""
    size: int = 0
    digest: str = ""
    """The digest of `size` bytes in the format of the metadata."""
    path: str = ""
    count: int = 0
    at_once: int = 1
    flags: dict[str, Any] = field(default_factory=dict)

    def data(self, size: int | None = None) -> bytes:
        """Return `size` bytes, the same for every client."""
        block = Path(self.block).read_bytes()
        whole, rest = divmod(self.size if size is None else size, len(block))
        return block * whole + block[:rest]


class WrongDataError(Exception):
    """The client stored or returned other bytes."""


class UnsupportedError(Exception):
    """The client does not have the operation."""


def send(**fields: Any) -> None:
    """Send a line to the benchmark."""
    sys.__stdout__.write(json.dumps(fields) + "\n")  # type: ignore[union-attr]
    sys.__stdout__.flush()  # type: ignore[union-attr]


@contextmanager
def measured(what: str) -> Iterator[dict[str, Any]]:
    """Wait for the start signal and measure a block. The block adds fields to the result."""
    gc.collect()
    more: dict[str, Any] = {}
    send(ready=what)
    sys.stdin.readline()
    _reset_peak_memory()
    low, before, start = (
        _peak_memory(),
        resource.getrusage(resource.RUSAGE_SELF),
        time.perf_counter(),
    )
    yield more
    seconds = time.perf_counter() - start
    after, high = resource.getrusage(resource.RUSAGE_SELF), _peak_memory()
    send(
        measured=what,
        seconds=seconds,
        cpu=after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        faults=after.ru_minflt - before.ru_minflt,
        growth=high - low,
        **more,
    )


def _reset_peak_memory() -> None:
    # A child process starts with the peak of its parent.
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _peak_memory() -> int:
    """Return the peak of the resident memory in bytes."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak << 10
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) << 10


def serve(work: Callable[[Job], Awaitable[None] | None]) -> None:
    """Read one job, run it, report the result, and exit."""
    job = Job(**json.loads(sys.stdin.readline()))
    try:
        if isinstance(done := work(job), Awaitable):
            asyncio.run(_wait(done))
    except (UnsupportedError, NotImplementedError) as error:
        send(unable=str(error) or "the client does not have the operation")
    except WrongDataError as error:
        send(wrong=str(error))
    except Exception as error:  # noqa: BLE001 - a client's failure is a line of the report
        send(error=f"{type(error).__name__}: {error}"[:300])
    else:
        send(done=True)
    sys.stdout.flush()
    os._exit(0)  # do not wait for threads and connections of the client


async def _wait(done: Awaitable[None]) -> None:
    await done
