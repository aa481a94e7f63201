"""Removal of old delete markers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from jetstow._core.bucket.stream import Stream

_MAX_CONCURRENT_PURGES: Final = 64


@dataclass(frozen=True, slots=True)
class Marker:
    """A name whose last metadata message is a delete marker; `time` is in nanoseconds."""

    name: str
    subject: str
    seq: int
    time: int


async def remove_markers(stream: Stream, markers: Iterable[Marker], *, dry_run: bool) -> int:
    """Purge delete markers, and return their number; in a dry run only count them.

    A name that was written since the marker was read keeps its later metadata.
    """

    async def purge(marker: Marker) -> int:
        context = stream.error_context(marker.name)
        return (await stream.purge(context, marker.subject, below=marker.seq + 1)).count

    remaining = list(markers)
    if dry_run:
        return len(remaining)
    removed = 0
    for start in range(0, len(remaining), _MAX_CONCURRENT_PURGES):
        batch = remaining[start : start + _MAX_CONCURRENT_PURGES]
        removed += sum(map(bool, await asyncio.gather(*map(purge, batch))))
    return removed
