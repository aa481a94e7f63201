"""Asynchronous generators of lists."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TypeVar

T = TypeVar("T")


async def flattened(batches: AsyncGenerator[list[T], None]) -> AsyncGenerator[T, None]:
    """Yield the items of the lists, which are emptied. Closing it closes `batches`.

    All chunks of a list together are more memory than malloc keeps when it is freed: it would be
    returned to the system, and each of its pages be a page fault again. So only one is kept.
    """
    async with aclosing(batches):
        async for batch in batches:
            batch.reverse()
            while batch:
                yield batch.pop()
