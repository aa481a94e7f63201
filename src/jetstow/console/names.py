"""The objects below folders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from jetstow.s3.call import Call

_PAGE: Final = 5_000


async def sizes_below(call: Call, prefixes: Sequence[str]) -> dict[str, int]:
    """Return the sizes in bytes of all objects with one of some prefixes, by name."""
    found: dict[str, int] = {}
    if not prefixes:
        return found
    async with call.buckets.indexes.use(call.bucket.store) as index:
        for prefix in prefixes:
            after: str | None = ""
            while after is not None:
                page = await index.page(prefix, after=after, limit=_PAGE)
                found |= {entry.name: entry.size for entry in page.entries}
                after = page.next
    return found
