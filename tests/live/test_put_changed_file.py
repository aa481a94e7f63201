"""Files that change while they are stored: the put fails and stores nothing."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from nats.aio.client import Client

import jetstow
from jetstow.errors import ObjectChangedError
from jetstow.types import Progress
from tests.support import raw_stream
from tests.support.file_changes import CHANGES, Change, replace
from tests.support.samples import some_bytes

DATA = some_bytes(3_000_000)

Store = Callable[[jetstow.ObjectStore, Path, Progress], Awaitable[Any]]


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JETSTOW_HOME", str(tmp_path / "home"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "files" / "file"
    path.parent.mkdir()
    path.write_bytes(DATA)
    os.utime(path, (1_700_000_000, 1_700_000_000))
    return path


def once(change: Change, path: Path, *, after: int = 1) -> Progress:
    """Return a progress callback that changes the file after so many bytes."""
    remaining = [change]

    def progress(done: int, _: int | None) -> None:
        if done >= after and remaining:
            remaining.pop()(path)

    return progress


async def put(store: jetstow.ObjectStore, path: Path, progress: Progress) -> None:
    with path.open("rb") as file:
        await store.put("file", file, progress=progress)


async def put_text(store: jetstow.ObjectStore, path: Path, progress: Progress) -> None:
    with path.open(encoding="utf-8") as file:
        await store.put("file", file, progress=progress)


async def put_rest(store: jetstow.ObjectStore, path: Path, progress: Progress) -> None:
    with path.open("rb") as file:
        file.seek(1_000_000)
        await store.put("file", file, progress=progress)


async def put_file(store: jetstow.ObjectStore, path: Path, progress: Progress) -> None:
    await store.put_file(path, progress=progress)


async def put_file_resume(store: jetstow.ObjectStore, path: Path, progress: Progress) -> None:
    await store.put_file(path, resume=True, progress=progress)


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("verb", [put, put_text, put_rest, put_file, put_file_resume])
async def test_changed_file_is_not_stored(
    store: jetstow.ObjectStore, raw: Client, path: Path, verb: Store, change: Change
) -> None:
    """The object had bytes of both versions, and the put succeeded."""
    await store.put("file", b"old")
    before = await raw_stream.subjects(raw, store.bucket)
    with pytest.raises(ObjectChangedError, match="changed while it was read") as caught:
        await verb(store, path, once(change, path))
    assert (caught.value.bucket, caught.value.name) == (store.bucket, "file")
    for part in (repr("file"), repr(store.bucket), repr(str(path))):
        assert part in str(caught.value)
    assert await raw_stream.subjects(raw, store.bucket) == before
    assert (await store.get("file")).data == b"old"


@pytest.mark.parametrize("verb", [put, put_file, put_file_resume])
async def test_change_after_the_last_byte(
    store: jetstow.ObjectStore, raw: Client, path: Path, verb: Store
) -> None:
    for change in CHANGES:
        path.write_bytes(DATA)
        os.utime(path, (1_700_000_000, 1_700_000_000))
        with pytest.raises(ObjectChangedError):
            await verb(store, path, once(change, path, after=len(DATA)))
    assert await raw_stream.subjects(raw, store.bucket) == {}


@pytest.mark.parametrize("verb", [put, put_file, put_file_resume])
async def test_replaced_file_is_stored_as_it_was(
    store: jetstow.ObjectStore, path: Path, verb: Store
) -> None:
    await verb(store, path, once(replace, path))
    assert (await store.get("file")).data == DATA
    assert path.read_bytes() != DATA


async def test_put_with_resume_after_a_change(store: jetstow.ObjectStore, path: Path) -> None:
    with pytest.raises(ObjectChangedError):
        await put_file_resume(store, path, once(CHANGES[0], path))
    await store.put_file(path, resume=True)
    assert (await store.get("file")).data == path.read_bytes()


@pytest.mark.parametrize("change", CHANGES)
async def test_upload_folder_with_a_changed_file(
    store: jetstow.ObjectStore, raw: Client, path: Path, change: Change
) -> None:
    result = await jetstow.upload_folder(path.parent, store, progress=once(change, path))
    (error,) = result.failed
    assert isinstance(error, ObjectChangedError)
    assert (error.name, result.copied) == ("file", [])
    assert await raw_stream.subjects(raw, store.bucket) == {}


async def test_file_with_pending_writes_of_the_caller(
    store: jetstow.ObjectStore, path: Path
) -> None:
    """The first read writes them out: that is not a change by another process."""
    with path.open("r+b") as file:
        file.write(b"new")
        await store.put("file", file)
    assert (await store.get("file")).data == DATA[3:]
    assert path.read_bytes() == b"new" + DATA[3:]


@pytest.mark.parametrize("name", ["/proc/self/status", "/proc/meminfo", "/proc/cpuinfo"])
async def test_file_without_a_size(store: jetstow.ObjectStore, name: str) -> None:
    if not Path(name).exists():
        pytest.skip("no /proc on this system")
    info = await store.put_file(name, "a")
    assert info.size
    assert len((await store.get("a")).data or b"") == info.size
