"""get_file: blocks of memory between the event loop and the thread that writes the file."""

from __future__ import annotations

import asyncio
import errno
import threading
from pathlib import Path
from typing import Any

import pytest

import jetstow
from jetstow import ObjectMeta, ObjectMetaOptions
from jetstow._core.aio import block_writer
from jetstow._core.aio.block_writer import BlockWriter
from tests.support.samples import some_bytes

LARGE = some_bytes(12_345_678)  # more than the blocks have


def writer_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "jetstow file"]


@pytest.mark.every_path
@pytest.mark.parametrize("chunk_size", [None, 300_001, 1_000_000])
async def test_chunks_that_do_not_fill_blocks(
    store: jetstow.ObjectStore, tmp_path: Path, chunk_size: int | None
) -> None:
    options = ObjectMetaOptions(max_chunk_size=chunk_size)
    await store.put("a", LARGE, ObjectMeta(options=options))
    await store.get_file("a", tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == LARGE
    assert not writer_threads()


async def test_disk_slower_than_the_network(
    store: jetstow.ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When all blocks are full, chunks wait in their windows, and none is lost or written twice."""
    await store.put("a", LARGE)
    disk = threading.Event()
    write_all, write = block_writer._write_all, BlockWriter.write

    def write_when_free(descriptor: int, data: memoryview) -> None:
        disk.wait()
        write_all(descriptor, data)

    async def count_and_write(self: BlockWriter, data: Any) -> None:
        refused.append(len(data))
        if self._block_count == 6 and not self._free:
            disk.set()
        await write(self, data)

    refused: list[int] = []
    monkeypatch.setattr(block_writer, "_write_all", write_when_free)
    monkeypatch.setattr(BlockWriter, "write", count_and_write)
    await store.get_file("a", tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == LARGE
    assert refused


async def test_disk_that_is_full(
    store: jetstow.ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.put("a", LARGE)
    write_all, count = block_writer._write_all, iter(range(1, 100))

    def write_three(descriptor: int, data: memoryview) -> None:
        if next(count) > 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        write_all(descriptor, data)

    monkeypatch.setattr(block_writer, "_write_all", write_three)
    with pytest.raises(OSError, match="No space left") as caught:
        await store.get_file("a", tmp_path / "file")
    assert caught.value.filename == str(tmp_path / "file")
    assert not list(tmp_path.iterdir())
    assert not writer_threads()


async def test_cancelled_get_waits_for_the_running_write(
    store: jetstow.ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.put("a", LARGE)
    loop, started, disk = asyncio.get_running_loop(), asyncio.Event(), threading.Event()
    write_all = block_writer._write_all

    def write_when_free(descriptor: int, data: memoryview) -> None:
        loop.call_soon_threadsafe(started.set)
        disk.wait()
        write_all(descriptor, data)  # the file is still open

    monkeypatch.setattr(block_writer, "_write_all", write_when_free)
    get = asyncio.create_task(store.get_file("a", tmp_path / "file"))
    await started.wait()
    get.cancel()
    loop.call_soon(disk.set)
    with pytest.raises(asyncio.CancelledError):
        await get
    assert not list(tmp_path.iterdir())
    assert not writer_threads()
