"""Backups: contents, compatibility with tar, damaged objects, concurrent changes, atomicity."""

from __future__ import annotations

import asyncio
import datetime
import io
import os
import stat
import subprocess
import tarfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from nats.aio.client import Client

import jetstow
from jetstow import ObjectMeta, ObjectMetaOptions
from jetstow.errors import DigestMismatchError, InvalidOptionError
from tests.support import object_builder
from tests.support.samples import ASCII_NAMES, UNICODE_NAMES, some_bytes

pytestmark = pytest.mark.one_path

UNUSUAL_NAMES = (
    *ASCII_NAMES,
    *UNICODE_NAMES,
    "folder",
    "../up",
    "..",
    "C:\\x",
    "line\nbreak",
    "folder//file.txt",
    "50%",
)
META = ObjectMeta(
    description="a description",
    headers={"h": ["1", "2"], "i": ["3"]},
    metadata={"k": "ü"},
    options=ObjectMetaOptions(max_chunk_size=1000),
)


def content_of(info: jetstow.ObjectInfo) -> tuple[object, ...]:
    return (info.name, info.size, info.digest, info.description, info.headers, info.metadata)


@pytest.mark.parametrize("name", ["all.tar", "all.tar.gz"])
async def test_restored_backup_has_all_objects_and_links(
    js: jetstow.JetStreamContext, store: jetstow.ObjectStore, tmp_path: Path, name: str
) -> None:
    for number, unusual in enumerate(UNUSUAL_NAMES):
        await store.put(unusual, some_bytes(number * 300), META if number % 2 else None)
    await store.put("large", some_bytes(3_000_000))
    await store.put("gone", b"x")
    await store.delete("gone")
    await store.add_link("link", "plain")
    await store.update_meta("link", ObjectMeta(description="a link", metadata={"k": "v"}))
    await store.add_bucket_link("bucket link", "elsewhere")

    result = await jetstow.backup(store, tmp_path / name)
    assert (result.objects, result.links, result.failed) == (len(UNUSUAL_NAMES) + 1, 2, [])
    assert [path.name for path in tmp_path.iterdir()] == [name]

    other = f"{store.bucket}-other"
    restored = await jetstow.restore(js, tmp_path / name, other)
    assert (restored.objects, restored.links, restored.unchanged) == (result.objects, 2, 0)
    assert (restored.size, restored.failed) == (result.size, [])
    copy = await js.object_store(other)
    before = {info.name: info for info in await store.list()}
    after = {info.name: info for info in await copy.list()}
    assert sorted(map(content_of, after.values())) == sorted(map(content_of, before.values()))
    for key, info in before.items():
        assert (info.options is None) == (after[key].options is None)
        if info.options and not info.link:
            assert after[key].options == info.options
    assert (await copy.get("large")).data == some_bytes(3_000_000)
    assert after["link"].link == jetstow.models.ObjectLink(other, "plain")
    assert after["bucket link"].link == jetstow.models.ObjectLink("elsewhere")

    second = await jetstow.restore(js, tmp_path / name, other)
    assert (second.unchanged, second.objects, second.links) == (len(before), 0, 0)


async def test_restored_backup_has_the_configuration(
    js: jetstow.JetStreamContext, bucket: str, raw: Client
) -> None:
    modern = raw.connected_server_version.minor > 9
    newer: dict[str, Any] = {"compression": "s2", "metadata": {"k": "v"}} if modern else {}
    store = await js.create_object_store(
        bucket, description="for tests", ttl=3600, max_bytes=10**6, storage="memory", **newer
    )
    archive = io.BytesIO()
    await jetstow.backup(store, archive)
    await js.delete_object_store(bucket)
    archive.seek(0)
    result = await jetstow.restore(js, archive)
    assert (result.bucket, result.objects) == (bucket, 0)
    status = await (await js.object_store(bucket)).status()
    assert (status.description, status.ttl, status.max_bytes) == ("for tests", 3600, 10**6)
    assert (status.storage_type, status.compressed) == ("memory", modern)
    assert status.metadata == newer.get("metadata", {})


async def test_backups_of_an_unchanged_bucket_are_identical(store: jetstow.ObjectStore) -> None:
    for number in range(50):
        await store.put(f"{number}", some_bytes(number * 1000))
    first, second = io.BytesIO(), io.BytesIO()
    await jetstow.backup(store, first)
    await jetstow.backup(store, second)
    assert first.getvalue() == second.getvalue()


async def test_tar_program_unpacks_the_archive(store: jetstow.ObjectStore, tmp_path: Path) -> None:
    for name in UNUSUAL_NAMES:
        await store.put(name, name.encode(), ObjectMeta(description=name))
    await store.add_link("link", "plain")
    (tmp_path / "out").mkdir()
    await jetstow.backup(store, tmp_path / "a.tar.gz")
    run = subprocess.run(
        ["tar", "-xf", str(tmp_path / "a.tar.gz"), "-C", str(tmp_path / "out")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
    files = [path for path in (tmp_path / "out" / "objects").rglob("*") if path.is_file()]
    assert sorted(path.read_text() for path in files) == sorted(UNUSUAL_NAMES)
    assert (tmp_path / "out/links/link").read_text() == f"{store.bucket}/plain\n"
    modified = (await store.get_info("plain")).modified
    assert modified is not None
    stamp = (tmp_path / "out/objects/plain").stat().st_mtime
    assert datetime.datetime.fromtimestamp(stamp, datetime.UTC) == modified.replace(microsecond=0)


async def test_damaged_object_is_reported_and_left_out(
    js: jetstow.JetStreamContext, store: jetstow.ObjectStore, raw: Client, bucket: str
) -> None:
    for name in "abc":
        await store.put(name, name.encode() * 10)
    await object_builder.change_metadata(raw, bucket, "b", digest="SHA-256=nonsense")
    archive = io.BytesIO()
    result = await jetstow.backup(store, archive)
    (error,) = result.failed
    assert isinstance(error, DigestMismatchError)
    assert (error.bucket, error.name, result.objects) == (bucket, "b", 2)
    archive.seek(0)
    restored = await jetstow.restore(js, archive, f"{bucket}-other")
    assert (restored.objects, restored.omitted) == (2, 1)


async def test_object_without_a_digest(
    js: jetstow.JetStreamContext, store: jetstow.ObjectStore, raw: Client, bucket: str
) -> None:
    await object_builder.write_object(raw, bucket, "a", [b"x" * 5], digest=None)
    archive = io.BytesIO()
    await jetstow.backup(store, archive)
    archive.seek(0)
    assert (await jetstow.restore(js, archive, f"{bucket}-other")).objects == 1


class BucketChangingFile:
    """A file that changes the bucket when the first bytes are written."""

    def __init__(self, store: jetstow.ObjectStore) -> None:
        self.store = store
        self.data = b""

    async def write(self, data: bytes) -> None:
        first = not self.data
        self.data += data
        if first:
            await self.store.put("replaced", b"new")
            await self.store.put("created", b"new")
            await self.store.delete("removed")
            await self.store.delete("linked")
            await self.store.add_link("linked", "0")


async def test_changes_during_the_backup(store: jetstow.ObjectStore) -> None:
    await store.put("0", some_bytes(2_000_000))
    for number in range(30):  # more than are read concurrently
        await store.put(f"a{number}", b"x")
    for name in ("replaced", "removed", "linked"):
        await store.put(name, b"old")
    file = BucketChangingFile(store)
    result = await jetstow.backup(store, file)
    assert (result.objects, result.links, result.failed) == (32, 1, [])
    with tarfile.open(fileobj=io.BytesIO(file.data)) as archive:
        opened = archive.extractfile("objects/replaced")
        assert opened is not None
        assert opened.read() == b"new"
        names = archive.getnames()
    assert "links/linked" in names
    assert not {"objects/removed", "objects/created"} & set(names)


async def test_cancelled_backup_keeps_the_old_file(
    store: jetstow.ObjectStore, tmp_path: Path
) -> None:
    for name in "ab":
        await store.put(name, some_bytes(3_000_000))
    path = tmp_path / "a.tar"
    path.write_text("the old file")
    path.chmod(0o640)
    started = asyncio.Event()

    def on_progress(_done: int, _size: int | None) -> None:
        started.set()

    task = asyncio.create_task(jetstow.backup(store, path, progress=on_progress))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.tar"]
    assert path.read_text() == "the old file"
    await jetstow.backup(store, path)
    assert tarfile.is_tarfile(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


async def test_backup_to_a_named_pipe(store: jetstow.ObjectStore, tmp_path: Path) -> None:
    await store.put("a", b"x")
    path = tmp_path / "a.tar"
    os.mkfifo(path)
    read = asyncio.create_task(asyncio.to_thread(path.read_bytes))
    await jetstow.backup(store, path)
    assert tarfile.is_tarfile(io.BytesIO(await read))
    assert path.is_fifo()


async def test_invalid_output_paths(store: jetstow.ObjectStore, tmp_path: Path) -> None:
    with pytest.raises(InvalidOptionError, match=r"\.xz"):
        await jetstow.backup(store, tmp_path / "a.tar.xz")
    with pytest.raises(FileNotFoundError, match=r"No such file or directory: '.*no/a\.tar'"):
        await jetstow.backup(store, tmp_path / "no" / "a.tar")
    with pytest.raises(IsADirectoryError):
        await jetstow.backup(store, tmp_path)
    assert list(tmp_path.iterdir()) == []


async def test_backup_progress(store: jetstow.ObjectStore) -> None:
    """It moved only at the end of each object."""
    await store.put("small", b"x" * 1000)
    await store.put("large", some_bytes(1_000_000))
    calls: list[tuple[int, int | None]] = []
    await jetstow.backup(store, io.BytesIO(), progress=lambda *call: calls.append(call))
    assert len(calls) > 5
    assert calls == sorted(calls)
    assert calls[-1] == (1_001_000, 1_001_000)


async def test_restore_from_an_async_iterable(
    js: jetstow.JetStreamContext, store: jetstow.ObjectStore, raw: Client
) -> None:
    """nats-py reads the restored objects."""
    data = some_bytes(1_500_000)
    await store.put("a/large", data)
    await store.put("small", b"x", META)
    archive = io.BytesIO()
    await jetstow.backup(store, archive)

    async def blocks() -> AsyncIterator[bytes]:
        archive.seek(0)
        while block := archive.read(10_007):
            yield block

    await jetstow.restore(js, blocks(), f"{store.bucket}-other")
    nats_py_store = await raw.jetstream().object_store(f"{store.bucket}-other")
    assert (await nats_py_store.get("a/large")).data == data
    small = await nats_py_store.get("small")
    assert small.data == b"x"
    assert small.info.description == "a description"
