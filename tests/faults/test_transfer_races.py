"""Backup and mirror of buckets that other clients change at the same time."""

from __future__ import annotations

import asyncio
import io
import tarfile

import pytest
from nats.aio.client import Client

import jetstow
from jetstow import ObjectMeta
from tests.support import raw_stream
from tests.support.purges import purges_ended

pytestmark = pytest.mark.one_path


async def test_backup_of_an_object_that_changes(
    store: jetstow.ObjectStore,
) -> None:
    versions = {bytes([number]) * 3_000_000 for number in range(5)}
    await store.put("a", next(iter(versions)))

    async def change() -> None:
        for version in versions:
            await store.put("a", version)

    changing = asyncio.create_task(change())
    archive = io.BytesIO()
    report = await jetstow.backup(store, archive)
    await changing
    assert (report.objects, report.failed) == (1, [])
    archive.seek(0)
    with tarfile.open(fileobj=archive) as opened:
        found = opened.extractfile("objects/a")
        assert found is not None
        assert found.read() in versions


async def test_mirror_of_objects_that_change(
    js: jetstow.JetStreamContext, store: jetstow.ObjectStore, raw: Client
) -> None:
    target = await js.create_object_store(f"{store.bucket}-other")
    versions = {
        bytes([number]) * 1_000_000: ObjectMeta(metadata={"v": str(number)}) for number in range(8)
    }
    for name in ("changes", "goes", "becomes a link"):
        await store.put(name, bytes(1_000_000), ObjectMeta(metadata={"v": "0"}))

    async def change() -> None:
        await store.delete("goes")
        for data, meta in versions.items():
            await store.put("changes", data, meta)
        await store.delete("becomes a link")
        await store.add_link("becomes a link", "changes")

    changing = asyncio.create_task(change())
    for _ in range(3):
        report = await jetstow.mirror(store, target, delete=True)
        assert report.failed == []
        found = await target.get("changes")
        assert versions[found.data].metadata == found.info.metadata
    await changing
    await jetstow.mirror(store, target, delete=True)
    assert [info.name for info in await target.list()] == ["changes", "becomes a link"]
    await purges_ended(target)
    assert len(await raw_stream.chunks(raw, target.bucket)) == 1
