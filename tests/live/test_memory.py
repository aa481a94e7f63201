"""Memory depends on the window, not on the object."""

from __future__ import annotations

import tracemalloc
from collections.abc import AsyncIterator, Iterator

import pytest

import jetstow

MIB = 1024 * 1024
SIZE = 48  # MiB


@pytest.fixture
def _traced() -> Iterator[None]:
    tracemalloc.start()
    yield
    tracemalloc.stop()


async def pieces() -> AsyncIterator[bytes]:
    for number in range(SIZE):
        yield bytes([number]) * MIB


class Nowhere:
    """A file that discards its input."""

    size = 0

    def write(self, data: bytes) -> int:
        self.size += len(data)
        return len(data)


@pytest.mark.usefixtures("_traced")
async def test_peak_memory_of_a_large_transfer(store: jetstow.ObjectStore) -> None:
    await store.put("a", pieces())
    file = Nowhere()
    await store.get("a", file)
    assert file.size == SIZE * MIB
    count = 0
    async for chunk in store.stream("a"):
        count += len(chunk)
    assert count == SIZE * MIB
    async with store.open("a") as opened:
        while data := await opened.read(MIB):
            count -= len(data)
    assert not count
    _, peak = tracemalloc.get_traced_memory()
    assert peak < SIZE * MIB / 2
