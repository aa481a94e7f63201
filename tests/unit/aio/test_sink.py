"""Files of every kind get all bytes in order, or raise an error."""

from __future__ import annotations

import asyncio
import io
import os
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiofiles
import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jetstow._core.aio.sink import write_chunks
from jetstow.errors import InvalidDataError
from tests.support.samples import some_bytes

CHUNKS = [some_bytes(size) for size in (1, 700_000, 0, 700_000, 3, 2_000_000, 17)]
WHOLE = b"".join(CHUNKS)


async def chunks_of(chunks: list[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


class Partial(io.RawIOBase):
    """A raw file whose `write` takes a part, as those of pipes and sockets do."""

    def __init__(self, *takes: int) -> None:
        self.taken = bytearray()
        self._takes = takes
        self._calls = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        limit = self._takes[self._calls % len(self._takes)]
        self._calls += 1
        self.taken += data[:limit]
        return min(limit, len(data))


class Silent:
    """A file whose `write` returns None after it took all bytes."""

    def __init__(self) -> None:
        self.taken = bytearray()
        self.threads: set[threading.Thread] = set()

    def write(self, data: bytes) -> None:
        self.taken += data
        self.threads.add(threading.current_thread())


class AsyncPartial:
    """An asynchronous file whose `write` takes a part."""

    def __init__(self) -> None:
        self.taken = bytearray()

    async def write(self, data: bytes) -> int:
        await asyncio.sleep(0)
        self.taken += data[:300_000]
        return min(300_000, len(data))


async def test_bytes_io() -> None:
    into = io.BytesIO(b"before ")
    into.seek(7)
    await write_chunks(chunks_of(CHUNKS), into)
    assert into.getvalue() == b"before " + WHOLE


@pytest.mark.parametrize("buffering", [0, -1], ids=["raw", "buffered"])
async def test_files(tmp_path: Path, buffering: int) -> None:
    path = tmp_path / "file"
    with path.open("wb", buffering=buffering) as file:
        await write_chunks(chunks_of(CHUNKS), file)
    assert path.read_bytes() == WHOLE


async def test_text_file_gets_bytes_after_its_text(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with path.open("w", encoding="latin-1") as file:
        file.write("größe: ")
        await write_chunks(chunks_of([b"\xff\x00", b"\n\r\n"]), file)
        file.write(" end")
    assert path.read_bytes() == "größe: ".encode("latin-1") + b"\xff\x00\n\r\n end"


async def test_asynchronous_files(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for buffering in (0, -1):
        async with aiofiles.open(path, "wb", buffering=buffering) as file:
            await write_chunks(chunks_of(CHUNKS), file)
        assert path.read_bytes() == WHOLE
    async with await anyio.open_file(path, "wb") as opened:
        await write_chunks(chunks_of(CHUNKS[::-1]), opened)
    assert path.read_bytes() == b"".join(CHUNKS[::-1])


@given(st.lists(st.binary(max_size=30), max_size=10), st.lists(st.integers(1, 9), min_size=1))
async def test_partial_writes_are_continued(chunks: list[bytes], takes: list[int]) -> None:
    into = Partial(*takes)
    await write_chunks(chunks_of(chunks), into)
    assert bytes(into.taken) == b"".join(chunks)


async def test_partial_asynchronous_writes_are_continued() -> None:
    into = AsyncPartial()
    await write_chunks(chunks_of(CHUNKS), into)
    assert bytes(into.taken) == WHOLE


async def test_write_without_result_runs_in_thread() -> None:
    into = Silent()
    await write_chunks(chunks_of(CHUNKS), into)
    assert bytes(into.taken) == WHOLE
    assert into.threads
    assert threading.main_thread() not in into.threads


async def test_many_small_chunks() -> None:
    """Summing the buffered sizes for each chunk took minutes for a MiB of single bytes."""
    into = Silent()
    await write_chunks(chunks_of([b"x"] * 300_000), into)
    assert len(into.taken) == 300_000


async def test_full_non_blocking_pipe_raises() -> None:
    """A raw file returns None if it would block; that was taken for "all written"."""
    end, start = os.pipe()
    os.set_blocking(start, False)
    with os.fdopen(end, "rb") as reading, os.fdopen(start, "wb", buffering=0) as writing:
        with pytest.raises(BlockingIOError):
            await write_chunks(chunks_of(CHUNKS), writing)
        writing.close()
        assert WHOLE.startswith(reading.read())


class Slow:
    """A file whose `write` waits."""

    def __init__(self) -> None:
        self.taken = bytearray()
        self.is_called, self.may_write = threading.Event(), threading.Event()

    def write(self, data: bytes) -> None:
        self.is_called.set()
        self.may_write.wait(20)
        self.taken += data


async def test_cancelled_write_ends_after_the_chunk() -> None:
    """The thread wrote the other chunks while the caller closed or reused the file."""
    into = Slow()
    writing = asyncio.create_task(write_chunks(chunks_of([b"x" * 300_000] * 8), into))
    await asyncio.to_thread(into.is_called.wait, 20)
    writing.cancel()
    for _ in range(20):
        await asyncio.sleep(0)
    assert not writing.done()
    into.may_write.set()
    with pytest.raises(asyncio.CancelledError):
        await writing
    assert len(into.taken) == 300_000


async def test_cancelled_write_of_a_blocking_file() -> None:
    into = Slow()
    with anyio.CancelScope() as scope:
        async with anyio.create_task_group() as group:
            group.start_soon(write_chunks, chunks_of(CHUNKS), into)
            await asyncio.to_thread(into.is_called.wait, 20)
            scope.cancel()
    assert scope.cancelled_caught
    assert not into.taken
    into.may_write.set()


# -- invalid files ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "into",
    [io.StringIO(), "path", Path("x"), 7, object(), bytearray(), []],
    ids=lambda into: type(into).__name__,
)
async def test_object_without_write_for_bytes_raises(into: object) -> None:
    with pytest.raises(InvalidDataError, match=type(into).__name__):
        await write_chunks(chunks_of(CHUNKS), into)


class TextOnly:
    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError("write() argument must be str")
        return len(text)


async def test_a_file_for_text_is_refused(tmp_path: Path) -> None:
    """Of an asynchronous one the error was a bare TypeError, which names no object."""
    with pytest.raises(InvalidDataError, match="does not take bytes"):
        await write_chunks(chunks_of(CHUNKS), TextOnly())
    async with aiofiles.open(tmp_path / "file", "w") as file:
        with pytest.raises(InvalidDataError, match="does not take bytes"):
            await write_chunks(chunks_of(CHUNKS), file)
    async with await anyio.open_file(tmp_path / "file", "w") as opened:
        with pytest.raises(InvalidDataError, match="does not take bytes"):
            await write_chunks(chunks_of(CHUNKS), opened)


class DiskFullError(Exception):
    pass


async def test_error_of_file_is_raised() -> None:
    class Full:
        def write(self, _: bytes) -> int:
            raise DiskFullError

    class AsyncFull:
        async def write(self, _: bytes) -> int:
            raise DiskFullError

    for into in (Full(), AsyncFull()):
        with pytest.raises(DiskFullError):
            await write_chunks(chunks_of(CHUNKS), into)
