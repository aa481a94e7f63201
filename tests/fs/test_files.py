"""Files of the file system: random reads, and writes that store a whole object or nothing."""

from __future__ import annotations

import asyncio
import gc
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import fsspec
import pytest
from fsspec.callbacks import Callback

from jetstow.errors import ObjectChangedError, ObjectEncryptedError
from jetstow.fs import JetstowFileSystem
from tests.fs.conftest import OtherClient
from tests.support.file_changes import CHANGES, Change
from tests.support.forked import forked_pool
from tests.support.round_trips import RoundTripCounter
from tests.support.samples import some_bytes

DATA = some_bytes(3_000_000)


def test_random_reads(fs: JetstowFileSystem, root: str) -> None:
    fs.pipe(f"{root}/a", DATA)
    with fs.open(f"{root}/a") as file:
        assert file.size == len(DATA)
        for position, size in ((0, 10), (2_999_990, 100), (1_000_000, 70_000), (5, 200_000)):
            file.seek(position)
            assert file.read(size) == DATA[position : position + size]
        file.seek(0)
        assert file.read() == DATA
        file.seek(-5, 2)
        assert (file.read(), file.read()) == (DATA[-5:], b"")


@pytest.mark.parametrize("cache", ["jetstow", "readahead", "blockcache", "bytes", "none", "all"])
def test_cache_types(fs: JetstowFileSystem, root: str, cache: str) -> None:
    fs.pipe(f"{root}/a", DATA)
    with fs.open(f"{root}/a", cache_type=cache, block_size=500_000) as file:
        blocks = iter(lambda: file.read(333_333), b"")
        assert b"".join(blocks) == DATA


def test_read_ahead_grows_in_sequential_reads_only(fs: JetstowFileSystem, root: str) -> None:
    fs.pipe(f"{root}/a", DATA)
    with fs.open(f"{root}/a") as file:
        for position in (2_900_000, 100_000, 1_500_000):
            file.seek(position)
            file.read(100)
        assert file.cache.total_requested_bytes == 2 * 128 * 1024 + len(DATA) % (128 * 1024)
        file.seek(0)
        while file.read(10_000):
            pass
        assert file.cache.miss_count < 15


def test_ranges(fs: JetstowFileSystem, root: str) -> None:
    fs.pipe({f"{root}/a": DATA, f"{root}/b": b"0123456789"})
    assert fs.cat_file(f"{root}/b", 2, 5) == b"234"
    assert fs.cat_file(f"{root}/b", -3) == b"789"
    assert fs.cat_file(f"{root}/b", -5, -2) == b"567"
    assert fs.cat_file(f"{root}/b", 8, 100) == b"89"
    paths, starts, ends = (
        [f"{root}/a"] * 30,
        range(0, 3_000_000, 100_000),
        range(50, 3_000_050, 100_000),
    )
    assert fs.cat_ranges(paths, starts, ends) == [
        DATA[a:b] for a, b in zip(starts, ends, strict=True)
    ]
    data, error = fs.cat_ranges([f"{root}/b", f"{root}/missing"], 0, 2)
    assert data == b"01"
    assert isinstance(error, FileNotFoundError)
    with pytest.raises(FileNotFoundError):
        fs.cat_ranges([f"{root}/missing"], 0, 2, on_error="raise")


def test_batch_size_of_ranges(
    fs: JetstowFileSystem, root: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All paths were opened at the same time."""
    paths = [f"{root}/{number}" for number in range(6)]
    fs.pipe(dict.fromkeys(paths, b"0123456789"))
    round_trips = RoundTripCounter(monkeypatch)
    assert fs.cat_ranges(paths, 2, 5, batch_size=1) == [b"234"] * 6
    assert round_trips.count >= 2 * 6
    for batch_size in (2, 100, -1, None):
        assert fs.cat_ranges(paths, 2, 5, batch_size=batch_size) == [b"234"] * 6
    assert fs.cat_ranges([], [], []) == []


async def test_cancelled_ranges_leave_no_task(root: str, options: dict[str, Any]) -> None:
    """The paths were still read."""
    fs = JetstowFileSystem(**options, asynchronous=True, skip_instance_cache=True)
    paths = [f"{root}/{number}" for number in range(4)]
    for path in paths:
        await fs._pipe_file(path, b"0123456789")
    await fs._cat_ranges(paths, 2, 5, batch_size=2)
    before = asyncio.all_tasks()
    for steps in range(1, 30):
        reading = asyncio.create_task(fs._cat_ranges(paths, 2, 5, batch_size=2))
        for _ in range(steps):
            await asyncio.sleep(0)
        reading.cancel()
        await asyncio.wait([reading])
        assert asyncio.all_tasks() == before
    await fs.aclose()


def test_object_replaced_while_file_is_open(
    fs: JetstowFileSystem, root: str, other: OtherClient
) -> None:
    fs.pipe(f"{root}/a", DATA)
    with fs.open(f"{root}/a") as file:
        assert file.read(10) == DATA[:10]
        other.put(root, "a", b"new")
        file.seek(2_000_000)
        with pytest.raises(ObjectChangedError, match="'a'"):
            file.read(10)


def test_object_exists_after_close_only(fs: JetstowFileSystem, root: str) -> None:
    with fs.open(f"{root}/a", "wb", block_size=100_000) as file:
        file.write(DATA[:500_000])
        assert not fs.exists(f"{root}/a")
        file.write(DATA[500_000:])
    assert fs.cat_file(f"{root}/a") == DATA


@pytest.mark.parametrize("size", [10, 500_000])
def test_exception_stores_no_object_and_no_chunk(
    fs: JetstowFileSystem, root: str, other: OtherClient, size: int
) -> None:
    def fail() -> None:
        with fs.open(f"{root}/a", "wb", block_size=100_000) as file:
            file.write(DATA[:size])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert not fs.exists(f"{root}/a")
    assert other.chunks(root) == 0


def test_unclosed_file_is_not_stored(fs: JetstowFileSystem, root: str, other: OtherClient) -> None:
    file = fs.open(f"{root}/a", "wb", block_size=100_000)
    file.write(DATA[:500_000])
    del file
    gc.collect()
    while other.chunks(root):
        pass
    assert not fs.exists(f"{root}/a")


def test_append_and_refused_modes(fs: JetstowFileSystem, root: str) -> None:
    with fs.open(f"{root}/a", "ab") as file:
        file.write(b"one,")
    with fs.open(f"{root}/a", "ab") as file:
        file.write(b"two")
    assert fs.cat_file(f"{root}/a") == b"one,two"
    with pytest.raises(FileExistsError):
        fs.pipe_file(f"{root}/a", b"", mode="create")
    with pytest.raises(ValueError, match="r\\+b"):
        fs.open(f"{root}/a", "r+b")
    with pytest.raises(IsADirectoryError):
        fs.open(root, "rb")


def test_transaction_stores_all_or_nothing(
    fs: JetstowFileSystem, root: str, other: OtherClient
) -> None:
    with fs.transaction:
        for name in "ab":
            with fs.open(f"{root}/{name}", "wb") as file:
                file.write(name.encode())
        assert fs.find(root) == []
    assert fs.find(root) == [f"{root}/a", f"{root}/b"]

    def fail() -> None:
        with fs.transaction:
            with fs.open(f"{root}/c", "wb") as file:
                file.write(DATA)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert fs.find(root) == [f"{root}/a", f"{root}/b"]
    assert other.chunks(root) == 2


def test_put_and_get_report_progress(fs: JetstowFileSystem, root: str, tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(DATA)

    class Recorder(Callback):
        def __init__(self) -> None:
            super().__init__()
            self.values: list[tuple[int | None, int]] = []

        def call(self, *_: Any, **__: Any) -> None:
            self.values.append((self.size, self.value))

    for transfer in (
        lambda callback: fs.put_file(str(tmp_path / "in"), f"{root}/a", callback=callback),
        lambda callback: fs.get_file(f"{root}/a", str(tmp_path / "out"), callback=callback),
    ):
        recorder = Recorder()
        transfer(recorder)
        assert recorder.values[-1] == (len(DATA), len(DATA))
        assert len(recorder.values) > 10
    assert (tmp_path / "out").read_bytes() == DATA


class ChangeOnce(Callback):
    """Changes a file at the first progress of its transfer."""

    def __init__(self, change: Change, path: Path) -> None:
        super().__init__()
        self._pending = [(change, path)]

    def call(self, *_: Any, **__: Any) -> None:
        if self.value and self._pending:
            change, path = self._pending.pop()
            change(path)

    def branched(self, *_: Any, **__: Any) -> Callback:
        return self


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("verb", ["put", "put_file"])
def test_put_of_a_changed_file(
    fs: JetstowFileSystem, root: str, other: OtherClient, tmp_path: Path, verb: str, change: Change
) -> None:
    """The object had bytes of both versions, and the put succeeded."""
    path = tmp_path / "in"
    path.write_bytes(DATA)
    os.utime(path, (1_700_000_000, 1_700_000_000))
    fs.pipe(f"{root}/a", b"old")
    with pytest.raises(ObjectChangedError, match="changed while it was read"):
        getattr(fs, verb)(str(path), f"{root}/a", callback=ChangeOnce(change, path))
    assert fs.cat_file(f"{root}/a") == b"old"
    assert other.chunks(root) == 1


def test_mv_renames_and_cp_copies(fs: JetstowFileSystem, root: str) -> None:
    fs.pipe({f"{root}/a": DATA, f"{root}/x/b": b"b", f"{root}/x/c/d": b"d"})
    nuid = fs.info(f"{root}/a")["ETag"].partition("-")[0]
    fs.mv(f"{root}/a", f"{root}/moved")
    assert fs.info(f"{root}/moved")["ETag"].partition("-")[0] == nuid
    fs.mv(f"{root}/x", f"{root}/y", recursive=True)
    fs.cp(f"{root}/moved", f"{root}/copy")
    assert fs.find(root) == [f"{root}/{name}" for name in ("copy", "moved", "y/b", "y/c/d")]
    fs.mv(f"{root}/y/b", f"{root}/copy")
    assert fs.cat_file(f"{root}/copy") == b"b"
    fs.mkdir(f"{root}-2")
    fs.mv(f"{root}/moved", f"{root}-2/a")
    assert fs.cat_file(f"{root}-2/a") == DATA
    fs.rm(f"{root}-2", recursive=True)
    assert fs.find(root) == [f"{root}/copy", f"{root}/y/c/d"]


def test_folders_and_buckets(fs: JetstowFileSystem, root: str) -> None:
    with pytest.raises(FileExistsError):
        fs.mkdir(root)
    fs.makedirs(f"{root}/a/b", exist_ok=True)
    fs.touch(f"{root}/a/b/c")
    with pytest.raises(OSError, match="not empty"):
        fs.rmdir(root)
    with pytest.raises(IsADirectoryError):
        fs.rm(f"{root}/a")
    with pytest.raises(NotImplementedError):
        fs.touch(f"{root}/a/b/c", truncate=False)
    fs.rm(f"{root}/a", recursive=True)
    fs.rmdir(root)
    assert not fs.exists(root)


def test_encrypted_objects(fs: JetstowFileSystem, root: str, options: dict[str, Any]) -> None:
    encrypted = fsspec.filesystem("jetstow", key=bytes(32), **options)
    encrypted.pipe(f"{root}/a", DATA)
    assert encrypted.info(f"{root}/a")["size"] == encrypted.ls(root)[0]["size"] == len(DATA)
    with encrypted.open(f"{root}/a") as file:
        file.seek(1_234_567)
        assert file.read(1_000) == DATA[1_234_567:1_235_567]
    with pytest.raises(ObjectEncryptedError):
        fs.cat_file(f"{root}/a")


def test_pickled_file_system_and_file(fs: JetstowFileSystem, root: str) -> None:
    fs.pipe(f"{root}/a", DATA)
    assert pickle.loads(pickle.dumps(fs)).cat_file(f"{root}/a", 0, 5) == DATA[:5]
    with fs.open(f"{root}/a") as file:
        file.seek(7)
        with pickle.loads(pickle.dumps(file)) as copy:
            assert copy.read(5) == DATA[7:12]


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_forked_process_opens_its_own_connection(
    fs: JetstowFileSystem, root: str, options: dict[str, Any]
) -> None:
    fs.pipe(f"{root}/a", DATA)
    with forked_pool() as pool:
        results = pool.starmap(first_bytes, [(root, options, size) for size in range(1, 5)])
    assert results == [DATA[:size] for size in range(1, 5)]
    assert fs.cat_file(f"{root}/a", 0, 5) == DATA[:5]


def first_bytes(root: str, options: dict[str, Any], size: int) -> bytes:
    fs = fsspec.filesystem("jetstow", **options)
    data: bytes = fs.cat_file(f"{root}/a", 0, size)
    return data


async def test_async_methods(root: str, options: dict[str, Any]) -> None:
    fs = fsspec.filesystem("jetstow", asynchronous=True, skip_instance_cache=True, **options)
    await fs._pipe_file(f"{root}/a", DATA)
    assert await fs._cat_file(f"{root}/a", 5, 10) == DATA[5:10]
    async with await fs.open_async(f"{root}/a") as file:
        assert await file.read(10) == DATA[:10]
    async with await fs.open_async(f"{root}/b", "wb") as file:
        await file.write(b"data")
    assert await fs._find(root) == [f"{root}/a", f"{root}/b"]
    await fs.aclose()


def test_use_after_close_reconnects(root: str, options: dict[str, Any]) -> None:
    fs = JetstowFileSystem(**options, skip_instance_cache=True)
    fs.pipe(f"{root}/a", b"a")
    fs.close()
    assert fs.find(root) == [f"{root}/a"]
    fs.close()


def test_program_exit_with_an_open_file(root: str, options: dict[str, Any]) -> None:
    program = f"""
import fsspec
with fsspec.open("jetstow://{root}/a", "wb", servers={options["servers"]!r}) as file:
    file.write(b"data")
fs = fsspec.filesystem("jetstow", servers={options["servers"]!r})
unclosed = fs.open("{root}/b", "wb", block_size=10)
unclosed.write(b"x" * 100)
print(fs.ls("{root}", detail=False), fs.cat("{root}/a"))
"""
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout == f"['{root}/a'] b'data'\n"
