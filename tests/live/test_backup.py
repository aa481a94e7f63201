"""A bucket in a file: what goes in, that other tools open it, and what is left out."""

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

import pytest
from nats.aio.client import Client

import jetstow
from jetstow import ObjectMeta, ObjectMetaOptions
from jetstow.errors import DigestMismatchError, InvalidOptionError
from tests.support import object_builder
from tests.support.samples import ASCII_NAMES, UNICODE_NAMES, some_bytes

AWKWARD = (
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
    description="what it is",
    headers={"h": ["1", "2"], "i": ["3"]},
    metadata={"k": "ü"},
    options=ObjectMetaOptions(max_chunk_size=1000),
)


def said(info: jetstow.ObjectInfo) -> tuple[object, ...]:
    return (info.name, info.size, info.digest, info.description, info.headers, info.metadata)


@pytest.mark.parametrize("name", ["all.tar", "all.tar.gz"])
async def test_everything_comes_back(
    js: jetstow.JetStreamContext, store: jetstow.ObjectStore, tmp_path: Path, name: str
) -> None:
    for number, awkward in enumerate(AWKWARD):
        await store.put(awkward, some_bytes(number * 300), META if number % 2 else None)
    await store.put("large", some_bytes(3_000_000))
    await store.put("gone", b"x")
    await store.delete("gone")
    await store.add_link("link", "plain")
    await store.update_meta("link", ObjectMeta(description="a link", metadata={"k": "v"}))
    await store.add_bucket_link("bucket link", "elsewhere")

    report = await jetstow.backup(store, tmp_path / name)
    assert (report.objects, report.links, report.failed) == (len(AWKWARD) + 1, 2, [])
    assert [path.name for path in tmp_path.iterdir()] == [name]

    other = f"{store.bucket}-other"
    restored = await jetstow.restore(js, tmp_path / name, other)
    assert (restored.objects, restored.links, restored.unchanged) == (report.objects, 2, 0)
    assert (restored.size, restored.failed) == (report.size, [])
    copy = await js.object_store(other)
    before = {info.name: info for info in await store.list()}
    after = {info.name: info for info in await copy.list()}
    assert sorted(map(said, after.values())) == sorted(map(said, before.values()))
    for key, info in before.items():
        assert (info.options is None) == (after[key].options is None)
        if info.options and not info.link:
            assert after[key].options == info.options
    assert (await copy.get("large")).data == some_bytes(3_000_000)
    assert after["link"].link == jetstow.models.ObjectLink(other, "plain")
    assert after["bucket link"].link == jetstow.models.ObjectLink("elsewhere")

    again = await jetstow.restore(js, tmp_path / name, other)
    assert (again.unchanged, again.objects, again.links) == (len(before), 0, 0)


async def test_the_configuration_comes_back(
    js: jetstow.JetStreamContext, bucket: str, raw: Client
) -> None:
    modern = raw.connected_server_version.minor > 9
    newer = {"compression": "s2", "metadata": {"k": "v"}} if modern else {}
    store = await js.create_object_store(
        bucket, description="what for", ttl=3600, max_bytes=10**6, storage="memory", **newer
    )
    archive = io.BytesIO()
    await jetstow.backup(store, archive)
    await js.delete_object_store(bucket)
    archive.seek(0)
    report = await jetstow.restore(js, archive)
    assert (report.bucket, report.objects) == (bucket, 0)
    status = await (await js.object_store(bucket)).status()
    assert (status.description, status.ttl, status.max_bytes) == ("what for", 3600, 10**6)
    assert (status.storage_type, status.compressed) == ("memory", modern)
    assert status.metadata == newer.get("metadata", {})


async def test_the_same_bucket_is_the_same_file(store: jetstow.ObjectStore) -> None:
    for number in range(50):
        await store.put(f"{number}", some_bytes(number * 1000))
    first, second = io.BytesIO(), io.BytesIO()
    await jetstow.backup(store, first)
    await jetstow.backup(store, second)
    assert first.getvalue() == second.getvalue()


async def test_tar_unpacks_it(store: jetstow.ObjectStore, tmp_path: Path) -> None:
    for name in AWKWARD:
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
    assert sorted(path.read_text() for path in files) == sorted(AWKWARD)
    assert (tmp_path / "out/links/link").read_text() == f"{store.bucket}/plain\n"
    modified = (await store.get_info("plain")).modified
    assert modified is not None
    stamp = (tmp_path / "out/objects/plain").stat().st_mtime
    assert datetime.datetime.fromtimestamp(stamp, datetime.UTC) == modified.replace(microsecond=0)


async def test_what_is_damaged_is_left_out_and_told(
    js: jetstow.JetStreamContext, store: jetstow.ObjectStore, raw: Client, bucket: str
) -> None:
    for name in "abc":
        await store.put(name, name.encode() * 10)
    await object_builder.change_metadata(raw, bucket, "b", digest="SHA-256=nonsense")
    archive = io.BytesIO()
    report = await jetstow.backup(store, archive)
    (error,) = report.failed
    assert isinstance(error, DigestMismatchError)
    assert (error.bucket, error.name, report.objects) == (bucket, "b", 2)
    archive.seek(0)
    restored = await jetstow.restore(js, archive, f"{bucket}-other")
    assert (restored.objects, restored.omitted) == (2, 1)


async def test_an_object_without_a_digest_gets_one(
    js: jetstow.JetStreamContext, store: jetstow.ObjectStore, raw: Client, bucket: str
) -> None:
    await object_builder.write_object(raw, bucket, "a", [b"x" * 5], digest=None)
    archive = io.BytesIO()
    await jetstow.backup(store, archive)
    archive.seek(0)
    assert (await jetstow.restore(js, archive, f"{bucket}-other")).objects == 1


class Meddler:
    """A file that does something to the bucket when the first bytes are written."""

    def __init__(self, store: jetstow.ObjectStore) -> None:
        self.store = store
        self.data = b""

    async def write(self, data: bytes) -> None:
        first = not self.data
        self.data += data
        if first:
            await self.store.put("replaced", b"new")
            await self.store.put("made since", b"new")
            await self.store.delete("removed")
            await self.store.delete("linked")
            await self.store.add_link("linked", "0")


async def test_what_happens_meanwhile(store: jetstow.ObjectStore) -> None:
    await store.put("0", some_bytes(2_000_000))
    for number in range(30):  # more than are read ahead
        await store.put(f"a{number}", b"x")
    for name in ("replaced", "removed", "linked"):
        await store.put(name, b"old")
    file = Meddler(store)
    report = await jetstow.backup(store, file)
    assert (report.objects, report.links, report.failed) == (32, 1, [])
    with tarfile.open(fileobj=io.BytesIO(file.data)) as archive:
        opened = archive.extractfile("objects/replaced")
        assert opened is not None
        assert opened.read() == b"new"
        names = archive.getnames()
    assert "links/linked" in names
    assert not {"objects/removed", "objects/made since"} & set(names)


async def test_a_file_appears_whole_or_not_at_all(
    store: jetstow.ObjectStore, tmp_path: Path
) -> None:
    for name in "ab":
        await store.put(name, some_bytes(3_000_000))
    path = tmp_path / "a.tar"
    path.write_text("the one before")
    path.chmod(0o640)
    begun = asyncio.Event()

    def tell(_done: int, _size: int | None) -> None:
        begun.set()

    task = asyncio.create_task(jetstow.backup(store, path, progress=tell))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [each.name for each in tmp_path.iterdir()] == ["a.tar"]
    assert path.read_text() == "the one before"
    await jetstow.backup(store, path)
    assert tarfile.is_tarfile(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


async def test_a_pipe_is_written_to_and_stays_one(
    store: jetstow.ObjectStore, tmp_path: Path
) -> None:
    await store.put("a", b"x")
    path = tmp_path / "a.tar"
    os.mkfifo(path)
    reading = asyncio.create_task(asyncio.to_thread(path.read_bytes))
    await jetstow.backup(store, path)
    assert tarfile.is_tarfile(io.BytesIO(await reading))
    assert path.is_fifo()


async def test_what_cannot_be_written(store: jetstow.ObjectStore, tmp_path: Path) -> None:
    with pytest.raises(InvalidOptionError, match=r"\.xz"):
        await jetstow.backup(store, tmp_path / "a.tar.xz")
    with pytest.raises(FileNotFoundError, match="no folder"):
        await jetstow.backup(store, tmp_path / "no" / "a.tar")
    with pytest.raises(IsADirectoryError):
        await jetstow.backup(store, tmp_path)
    assert list(tmp_path.iterdir()) == []


async def test_progress_ends_with_all_of_it(store: jetstow.ObjectStore) -> None:
    for name in "abc":
        await store.put(name, some_bytes(1000))
    told: list[tuple[int, int | None]] = []
    await jetstow.backup(store, io.BytesIO(), progress=lambda *each: told.append(each))
    assert told == [(1000, 3000), (2000, 3000), (3000, 3000)]


async def test_restored_from_pieces_as_they_come(
    js: jetstow.JetStreamContext, store: jetstow.ObjectStore, raw: Client
) -> None:
    """What other clients get is what was backed up."""
    data = some_bytes(1_500_000)
    await store.put("a/large", data)
    await store.put("small", b"x", META)
    archive = io.BytesIO()
    await jetstow.backup(store, archive)

    async def pieces() -> AsyncIterator[bytes]:
        archive.seek(0)
        while piece := archive.read(10_007):
            yield piece

    await jetstow.restore(js, pieces(), f"{store.bucket}-other")
    theirs = await raw.jetstream().object_store(f"{store.bucket}-other")
    assert (await theirs.get("a/large")).data == data
    small = await theirs.get("small")
    assert small.data == b"x"
    assert small.info.description == "what it is"
