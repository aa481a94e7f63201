"""get_file: the file appears whole and verified, or not at all."""

from __future__ import annotations

import asyncio
import os
import stat
from pathlib import Path

import pytest
from nats.aio.client import Client

import jetstow
from jetstow import ObjectMeta, ObjectMetaOptions
from jetstow.errors import (
    DigestMismatchError,
    ObjectEncryptedError,
    ObjectNotFoundError,
    ObjectUnchangedError,
)
from tests.support import object_builder
from tests.support.samples import some_bytes

DATA = some_bytes(95)
SMALL_CHUNKS = ObjectMeta(options=ObjectMetaOptions(max_chunk_size=10))


async def test_get_file_content(store: jetstow.ObjectStore, tmp_path: Path) -> None:
    put = await store.put("a", DATA, SMALL_CHUNKS)
    path = tmp_path / "file"
    assert (await store.get_file("a", path)).revision == put.revision
    assert path.read_bytes() == DATA
    await store.get_file("a", str(path))
    assert list(tmp_path.iterdir()) == [path]
    await store.put("empty", b"")
    await store.get_file("empty", path)
    assert path.read_bytes() == b""


@pytest.mark.parametrize("resume", [False, True])
async def test_get_file_if_different(
    store: jetstow.ObjectStore, tmp_path: Path, resume: bool
) -> None:
    put = await store.put("a", DATA, SMALL_CHUNKS)
    path = tmp_path / "file"
    first = await store.get_file("a", path, if_different=True, resume=resume)
    assert first.written
    before = path.stat()
    again = await store.get_file("a", path, if_different=True, resume=resume)
    assert not again.written
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert again == put == first == await store.get_info("a")
    assert (await store.get_file("a", path, resume=resume)).written
    for content in (DATA[:-1], DATA[:-1] + b"?", b""):
        path.write_bytes(content)
        assert (await store.get_file("a", path, if_different=True, resume=resume)).written
        assert path.read_bytes() == DATA


async def test_get_file_if_different_of_other_objects(
    store: jetstow.ObjectStore, raw: Client, tmp_path: Path
) -> None:
    path = tmp_path / "file"
    path.write_bytes(DATA)
    info = await store.put("a", DATA)
    await store.add_link("link", "a")
    assert not (await store.get_file("link", path, if_different=True)).written
    await object_builder.write_object(raw, store.bucket, "no digest", [DATA], digest=None)
    assert (await store.get_file("no digest", path, if_different=True)).written
    vault = store.encrypted(bytes(32))
    await vault.put("v", DATA)
    assert (await vault.get_file("v", path, if_different=True)).written
    with pytest.raises(ObjectEncryptedError):
        await store.get_file("v", path, if_different=True)
    with pytest.raises(ObjectNotFoundError):
        await store.get_file("missing", path, if_different=True)
    with pytest.raises(ObjectUnchangedError):
        await store.get_file("a", path, if_different=True, if_changed_since=info.revision)
    with pytest.raises(IsADirectoryError):
        await store.get_file("a", tmp_path, if_different=True)
    assert path.read_bytes() == DATA


async def test_existing_file_stays_until_verification(
    store: jetstow.ObjectStore, tmp_path: Path
) -> None:
    await store.put("a", DATA, SMALL_CHUNKS)
    path = tmp_path / "file"
    path.write_bytes(b"old")
    seen = []

    def look(*_: object) -> None:
        seen.append(path.read_bytes())
        assert len(list(tmp_path.iterdir())) == 2, "the target and a temporary file"

    await store.get_file("a", path, progress=look)
    assert seen == [b"old"] * 10
    assert path.read_bytes() == DATA


async def test_failed_get_leaves_only_the_old_file(
    store: jetstow.ObjectStore, raw: Client, tmp_path: Path
) -> None:
    await store.put("a", DATA, SMALL_CHUNKS)
    await object_builder.change_metadata(raw, store.bucket, "a", digest="SHA-256=" + "A" * 43)
    old, new = tmp_path / "old", tmp_path / "new"
    old.write_bytes(b"old")
    for path in (old, new):
        with pytest.raises(DigestMismatchError):
            await store.get_file("a", path)
        with pytest.raises(ObjectNotFoundError):
            await store.get_file("never", path)
    assert list(tmp_path.iterdir()) == [old]
    assert old.read_bytes() == b"old"


async def test_cancelled_get_leaves_only_the_old_file(
    store: jetstow.ObjectStore, tmp_path: Path
) -> None:
    await store.put("a", some_bytes(6_000_000))
    path = tmp_path / "file"
    path.write_bytes(b"old")
    begun = asyncio.Event()
    task = asyncio.create_task(store.get_file("a", path, progress=lambda *_: begun.set()))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == b"old"


async def test_mode_of_a_new_file_follows_umask(store: jetstow.ObjectStore, tmp_path: Path) -> None:
    await store.put("a", DATA)
    before = os.umask(0o027)
    try:
        await store.get_file("a", tmp_path / "file")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o640


async def test_mode_of_an_existing_file_is_kept(store: jetstow.ObjectStore, tmp_path: Path) -> None:
    await store.put("a", DATA)
    path = tmp_path / "file"
    path.write_bytes(b"old")
    path.chmod(0o600)
    await store.get_file("a", path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_invalid_path_raises_the_builtin_error(
    store: jetstow.ObjectStore, tmp_path: Path
) -> None:
    await store.put("a", DATA)
    (tmp_path / "file").write_bytes(b"old")
    with pytest.raises(IsADirectoryError):
        await store.get_file("a", tmp_path)
    with pytest.raises(FileNotFoundError):
        await store.get_file("a", tmp_path / "no such folder" / "file")
    with pytest.raises(NotADirectoryError):
        await store.get_file("a", tmp_path / "file" / "below")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (await store.get("a")).data == DATA


async def test_longest_file_name(store: jetstow.ObjectStore, tmp_path: Path) -> None:
    await store.put("a", DATA)
    path = tmp_path / ("n" * 255)
    await store.get_file("a", path)
    assert path.read_bytes() == DATA
