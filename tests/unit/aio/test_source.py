"""Sources of every kind give the same chunks."""

from __future__ import annotations

import array
import asyncio
import ctypes
import gzip
import io
import mmap
import os
import tempfile
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import aiofiles
import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jetstow._core.aio.source import Chunker, bytes_view, file_version, open_source
from jetstow.errors import InvalidDataError, ObjectChangedError
from tests.support.file_changes import CHANGES, Change, append
from tests.support.samples import some_bytes

DATA = some_bytes(97)


async def chunks_of(data: object, size: int = 10) -> list[bytes]:
    return [bytes(chunk) async for chunk in open_source(data).chunks(size)]


def expected(data: bytes, size: int = 10) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


def strided(data: bytes) -> memoryview:
    wide = bytearray(2 * len(data))
    wide[::2] = data
    return memoryview(wide)[::2]


def mapped(data: bytes) -> mmap.mmap:
    anonymous = mmap.mmap(-1, len(data))
    anonymous.write(data)
    return anonymous


MEMORY: dict[str, Callable[[bytes], Any]] = {
    "bytes": bytes,
    "bytearray": bytearray,
    "memoryview": memoryview,
    "every second byte": strided,
    "backwards": lambda data: memoryview(data[::-1])[::-1],
    "array": lambda data: array.array("B", data),
    "mmap": mapped,
    "ctypes": lambda data: (ctypes.c_char * len(data)).from_buffer_copy(data),
    "two dimensions": lambda data: memoryview(data).cast("B", (1, len(data))),
    "a subclass": type("Own", (bytes,), {}),
    "BytesIO": io.BytesIO,
}


@given(data=st.binary(min_size=1, max_size=64), size=st.integers(1, 70))
@pytest.mark.parametrize("kind", MEMORY)
async def test_memory(kind: str, data: bytes, size: int) -> None:
    assert await chunks_of(MEMORY[kind](data), size) == expected(data, size)
    assert open_source(MEMORY[kind](data)).size == len(data)


@pytest.mark.parametrize(
    "numbers",
    [
        pytest.param(array.array("d", [1.5, -2.0, 3.25]), id="array of doubles"),
        pytest.param((ctypes.c_uint16 * 5)(1, 2, 3, 4, 5), id="ctypes of shorts"),
        pytest.param(((ctypes.c_int32 * 3) * 2)(), id="ctypes, 2 dimensions"),
        pytest.param(ctypes.c_uint64(7), id="ctypes, no dimension"),
        pytest.param(memoryview(array.array("i", range(9)))[::3], id="every third number"),
    ],
)
async def test_numbers_are_their_bytes(numbers: Any) -> None:
    assert b"".join(await chunks_of(numbers, 3)) == memoryview(numbers).tobytes()
    assert b"".join(await chunks_of(iter([numbers]), 3)) == memoryview(numbers).tobytes()


@pytest.mark.parametrize(
    "nothing",
    [
        b"",
        "",
        bytearray(),
        memoryview(b"abc")[3:],
        memoryview(b"abc")[3::2],
        array.array("d"),
        (ctypes.c_int * 0)(),
        ((ctypes.c_int * 0) * 3)(),
        io.BytesIO(),
        io.StringIO(),
        [],
        [b"", b""],
        iter(()),
    ],
    ids=lambda nothing: type(nothing).__name__,
)
async def test_empty_source_has_no_chunk(nothing: object) -> None:
    assert await chunks_of(nothing) == []


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40), st.integers(1, 20))
async def test_text_is_utf_8_with_its_line_ends(text: str, size: int) -> None:
    assert await chunks_of(text, size) == expected(text.encode(), size)
    assert await chunks_of(io.StringIO(text, newline=""), size) == expected(text.encode(), size)


# -- files -----------------------------------------------------------------------------------


class Short(io.RawIOBase):
    """A file whose `read` returns fewer bytes than requested, as those of pipes do."""

    def __init__(self, data: bytes, limit: int = 7) -> None:
        self._remaining, self._limit = data, limit

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._remaining[: min(self._limit, len(buffer))]
        self._remaining = self._remaining[len(piece) :]
        buffer[: len(piece)] = piece
        return len(piece)


class AsyncShort:
    """An asynchronous file whose `read` returns fewer bytes than requested."""

    def __init__(self, data: bytes) -> None:
        self._file = Short(data)

    async def read(self, size: int = -1) -> bytes:
        await asyncio.sleep(0)
        return self._file.read(size) or b""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "data"
    made.write_bytes(DATA)
    return made


@pytest.mark.parametrize("size", [1, 7, 10, 97, 200])
async def test_files(path: Path, size: int) -> None:
    with (
        path.open("rb", buffering=0) as raw,
        path.open("rb") as buffered,
        path.open("r+b") as random,
        path.open(encoding="latin-1") as text,
        tempfile.NamedTemporaryFile() as temporary,
        tempfile.SpooledTemporaryFile() as spooled,
    ):
        for file in (temporary, spooled):
            file.write(DATA)
            file.seek(0)
        for opened in (raw, buffered, random, text, temporary, spooled):
            assert await chunks_of(opened, size) == expected(DATA, size), opened
    for unnamed in (Short(DATA), Short(DATA, 1), io.BufferedReader(Short(DATA)), AsyncShort(DATA)):
        assert await chunks_of(unnamed, size) == expected(DATA, size), unnamed


async def test_pipes(path: Path) -> None:
    end, start = os.pipe()
    with os.fdopen(end, "rb", 0) as reading, os.fdopen(start, "wb", 0) as writing:
        source = open_source(reading)
        assert source.size is None
        writing.write(DATA)
        writing.close()
        assert [bytes(chunk) async for chunk in source.chunks(10)] == expected(DATA)


async def test_asynchronous_files(path: Path) -> None:
    async with aiofiles.open(path, "rb") as file:
        assert await chunks_of(file) == expected(DATA)
    async with aiofiles.open(path, "rb", buffering=0) as raw:
        assert await chunks_of(raw) == expected(DATA)
    async with await anyio.open_file(path, "rb") as opened:
        assert await chunks_of(opened) == expected(DATA)
    reader = asyncio.StreamReader()
    reader.feed_data(DATA)
    reader.feed_eof()
    assert await chunks_of(reader) == expected(DATA)


async def test_file_is_read_from_its_position(path: Path) -> None:
    with path.open("rb") as file, io.BytesIO(DATA) as memory:
        for opened in (file, memory):
            opened.seek(90)
            assert open_source(opened).size == 7
            assert await chunks_of(opened) == [DATA[90:]]
            assert await chunks_of(opened) == [], "the file is at its end"


async def test_size_is_exact_or_none(path: Path) -> None:
    """The size of a gzip file was its compressed size, and its progress ended at 120 %."""
    zipped = path.with_suffix(".gz")
    with gzip.open(zipped, "wb") as file:
        file.write(DATA)
    with gzip.open(zipped) as file:
        assert open_source(file).size is None
        assert await chunks_of(file) == expected(DATA)
    with path.open("rb") as plain, path.open("rb", buffering=0) as raw, path.open() as text:
        for opened in (plain, raw, text):
            assert open_source(opened).size == len(DATA)
    for unknown in (Short(DATA), AsyncShort(DATA), iter([DATA]), [DATA], io.StringIO("x")):
        assert open_source(unknown).size is None


# -- iterables -------------------------------------------------------------------------------

PIECES = st.lists(st.binary(max_size=25), max_size=8)


@given(PIECES, st.integers(1, 30))
async def test_pieces_of_any_size(pieces: list[bytes], size: int) -> None:
    whole = expected(b"".join(pieces), size)

    def generator() -> Iterator[bytes]:
        yield from pieces

    async def asynchronous() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    for data in (pieces, tuple(pieces), deque(pieces), iter(pieces), generator(), asynchronous()):
        assert await chunks_of(data, size) == whole
    assert await chunks_of([memoryview(piece) for piece in pieces], size) == whole


@pytest.mark.parametrize(
    "view", [bytearray, memoryview, lambda data: memoryview(data).toreadonly()]
)
async def test_generator_may_reuse_its_memory(view: Callable[[Any], Any]) -> None:
    buffer = bytearray(10)

    def generator() -> Iterator[Any]:
        for start in range(0, 90, 6):
            buffer[:6] = DATA[start : start + 6]
            yield view(buffer)[:6]
            buffer[:] = bytes(10)

    assert await chunks_of(generator()) == expected(DATA[:90])


async def test_iterator_runs_in_thread() -> None:
    import threading

    seen = set()

    def generator() -> Iterator[bytes]:
        seen.add(threading.current_thread())
        yield DATA

    assert await chunks_of(generator(), 100) == [DATA]
    assert seen
    assert threading.main_thread() not in seen


def test_piece_of_bytes_is_not_copied() -> None:
    assert bytes_view(DATA).obj is DATA
    assert bytes_view(bytearray(DATA)).obj == DATA


def test_chunker_returns_full_chunks() -> None:
    chunker = Chunker(4)
    assert [bytes(chunk) for chunk in chunker.split(b"abc")] == []
    assert [bytes(chunk) for chunk in chunker.split(b"defghijk")] == [b"abcd", b"efgh"]
    assert bytes(chunker.remainder) == b"ijk"


# -- invalid data ----------------------------------------------------------------------------


@pytest.mark.parametrize("data", [None, 7, 1.5, object(), Path("x"), print, True])
def test_other_types_raise(data: object) -> None:
    with pytest.raises(InvalidDataError, match=type(data).__name__):
        open_source(data)


async def _async_text() -> AsyncIterator[str]:
    yield "text"


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: ["text"], id="list of str"),
        pytest.param(lambda: iter([b"fine", "text"]), id="str later on"),
        pytest.param(lambda: [7], id="list of int"),
        pytest.param(lambda: range(3), id="range"),
        pytest.param(lambda: [None], id="list of None"),
        pytest.param(lambda: [b"", [b"nested"]], id="nested list"),
        pytest.param(_async_text, id="async text"),
    ],
)
async def test_pieces_of_other_types_raise(make: Callable[[], object]) -> None:
    with pytest.raises(InvalidDataError, match="instead of bytes"):
        await chunks_of(make())


async def test_asynchronous_text_file(path: Path) -> None:
    """nats-py's own tests store one. It was refused."""
    path.write_bytes(b"text\r\n\xff")
    async with aiofiles.open(path) as file:
        assert b"".join(await chunks_of(file)) == b"text\r\n\xff"
    async with await anyio.open_file(path) as opened:
        assert b"".join(await chunks_of(opened)) == b"text\r\n\xff"


async def test_asynchronous_text_without_a_buffer_raises() -> None:
    class Text:
        async def read(self, size: int) -> str:
            return "text"[:size]

    with pytest.raises(InvalidDataError, match="binary mode"):
        await chunks_of(Text())


async def test_non_blocking_file_without_data_raises() -> None:
    end, start = os.pipe()
    os.set_blocking(end, False)
    with (
        os.fdopen(start, "wb"),
        os.fdopen(end, "rb", 0) as file,
        pytest.raises(InvalidDataError, match="non-blocking"),
    ):
        await chunks_of(file)


async def test_unpaired_surrogate_raises() -> None:
    """An unpaired surrogate raised UnicodeEncodeError, which does not name the object."""
    for data in ("\ud800", io.StringIO("\ud800")):
        with pytest.raises(InvalidDataError, match="UTF-8"):
            await chunks_of(data)


class SourceError(Exception):
    pass


async def test_error_of_source_is_raised() -> None:
    def generator() -> Iterator[bytes]:
        yield DATA
        raise SourceError

    async def asynchronous() -> AsyncIterator[bytes]:
        yield DATA
        raise SourceError

    class File:
        def read(self, _: int) -> bytes:
            raise SourceError

    for data in (generator(), asynchronous(), File()):
        with pytest.raises(SourceError):
            await chunks_of(data)


@pytest.mark.parametrize("change", CHANGES)
async def test_file_that_changes_during_the_read(tmp_path: Path, change: Change) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    os.utime(path, (1_700_000_000, 1_700_000_000))
    with path.open("rb") as file:
        chunks = open_source(file).chunks(5)
        assert await anext(chunks) == b"01234"
        change(path)
        with pytest.raises(ObjectChangedError, match=r"file '.*/file' changed while it was read"):
            _ = [chunk async for chunk in chunks]


async def test_file_that_changed_before_the_read(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with path.open("rb") as file:
        version = file_version(file)
        append(path)
        with pytest.raises(ObjectChangedError):
            _ = [bytes(chunk) async for chunk in open_source(file, version).chunks(5)]
        file.seek(0)
        assert [bytes(chunk) async for chunk in open_source(file).chunks(5)] == [b"oldmo", b"re"]
