"""Copies of a bucket with metadata that cannot be read: failures, and the last good copies."""

from __future__ import annotations

import asyncio
import io
import logging
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from nats.aio.client import Client

import jetstow
from jetstow.errors import BadObjectMetaError
from tests.support import raw_stream
from tests.support.servers import NatsServer

pytestmark = pytest.mark.one_path


@pytest.fixture
async def damage(store: jetstow.ObjectStore, raw: Client) -> None:
    """Objects "p/a" and "p/b", and "p/bad" and "bad" with metadata that cannot be read."""
    for name in ("p/a", "p/b"):
        await store.put(name, b"x")
    for name in ("p/bad", "bad"):
        await raw_stream.write_metadata(raw, store.bucket, name, b"no JSON")


def check_failed(failed: Sequence[Exception], *names: str) -> None:
    assert sorted(
        error.name or "" for error in failed if isinstance(error, BadObjectMetaError)
    ) == list(names)
    assert len(failed) == len(names)


@pytest.mark.usefixtures("damage")
async def test_backup_is_not_complete(
    js: jetstow.JetStreamContext, store: jetstow.ObjectStore, caplog: pytest.LogCaptureFixture
) -> None:
    """The objects were left out without an error, and the archive counted as complete."""
    archive = io.BytesIO()
    with caplog.at_level(logging.WARNING, "jetstow"):
        result = await jetstow.backup(store, archive)
    assert caplog.records == [], "what is returned is not logged, too"
    check_failed(result.failed, "bad", "p/bad")
    archive.seek(0)
    restored = await jetstow.restore(js, archive, f"{store.bucket}-restored")
    assert (restored.objects, restored.omitted) == (2, 2)
    await js.delete_object_store(f"{store.bucket}-restored")


@pytest.mark.usefixtures("damage")
@pytest.mark.parametrize("dry_run", [False, True])
async def test_mirror_is_not_complete(
    store: jetstow.ObjectStore, target: jetstow.ObjectStore, dry_run: bool
) -> None:
    """The objects were left out without an error."""
    await target.put("bad", b"the last good copy")
    await target.put("old", b"x")
    result = await jetstow.mirror(store, target, delete=True, max_delete=1, dry_run=dry_run)
    check_failed(result.failed, "bad", "p/bad")
    assert (result.copied, result.removed) == (["p/a", "p/b"], ["old"])
    assert (await target.get("bad")).data == b"the last good copy"


@pytest.mark.usefixtures("damage")
@pytest.mark.parametrize("dry_run", [False, True])
async def test_download_keeps_the_last_good_copy(
    store: jetstow.ObjectStore, tmp_path: Path, dry_run: bool
) -> None:
    """`delete` removed the file of an object whose metadata cannot be read."""
    (tmp_path / "bad").write_bytes(b"the last good copy")
    (tmp_path / "old").write_bytes(b"x")
    # Names that no object can have: not valid UTF-8.
    (tmp_path / "\udcff").write_bytes(b"x")
    result = await jetstow.download_folder(
        store, tmp_path, "p", delete=True, max_delete=2, dry_run=dry_run
    )
    check_failed(result.failed, "p/bad")
    assert (sorted(result.copied), sorted(result.removed)) == (["a", "b"], ["old", "\udcff"])
    assert (tmp_path / "bad").read_bytes() == b"the last good copy"
    assert (tmp_path / "old").exists() is dry_run
    result = await jetstow.download_folder(store, tmp_path, "p", exclude=["b*"], dry_run=dry_run)
    assert result.failed == []


async def test_object_that_appears_during_the_download(
    server: NatsServer, store: jetstow.ObjectStore, tmp_path: Path
) -> None:
    """`delete` removed the file of an object that was written after the listing."""
    await store.put("a", b"x")
    for name in ("new", "bad", "old"):
        (tmp_path / name).write_bytes(b"x")

    async def write() -> None:
        async with jetstow.connect(server.url) as nc:
            await (await nc.jetstream().object_store(store.bucket)).put("new", b"new")
            await raw_stream.write_metadata(nc, store.bucket, "bad", b"no JSON")

    def write_once(_done: int, _total: int | None) -> None:
        if not written.is_set():
            written.set()
            with ThreadPoolExecutor(1) as executor:
                executor.submit(asyncio.run, write()).result()

    written = threading.Event()
    result = await jetstow.download_folder(store, tmp_path, delete=True, progress=write_once)
    assert written.is_set()
    check_failed(result.failed, "bad")
    assert result.removed == ["old"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "bad", "new"]
