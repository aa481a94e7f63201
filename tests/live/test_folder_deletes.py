"""upload_folder and download_folder with `delete`: empty and missing sources, `max_delete`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

import jetstow
from jetstow.errors import BucketNotFoundError, InvalidOptionError

pytestmark = pytest.mark.one_path

Sync = Callable[..., Awaitable[jetstow.types.SyncResult]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "folder"
    path.mkdir()
    return path


@pytest.fixture(params=["upload", "download"])
def upload(request: pytest.FixtureRequest) -> bool:
    return bool(request.param == "upload")


@pytest.fixture
def sync(upload: bool, store: jetstow.ObjectStore, folder: Path) -> Sync:
    """The function under test, between the prefix "p/" of the bucket and the folder."""

    async def call(**options: Any) -> jetstow.types.SyncResult:
        if upload:
            return await jetstow.upload_folder(folder, store, "p", delete=True, **options)
        return await jetstow.download_folder(store, folder, "p", delete=True, **options)

    return call


async def fill(store: jetstow.ObjectStore, folder: Path, *, upload: bool, source: str = "") -> None:
    """Create files "a.txt", "b.log" and "c.log" in the target, and `source` in the source."""
    await store.put("other", b"x")
    for name in ("a.txt", "b.log", "c.log"):
        if upload:
            await store.put(f"p/{name}", b"x")
        else:
            (folder / name).write_bytes(b"x")
    if source and upload:
        (folder / source).write_bytes(b"new")
    elif source:
        await store.put(f"p/{source}", b"new")


async def state(
    store: jetstow.ObjectStore, folder: Path
) -> tuple[dict[str, int], dict[str, bytes]]:
    revisions = {info.name: info.revision for info in await store.list()}
    return revisions, {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("dry_run", [False, True])
async def test_empty_source(
    store: jetstow.ObjectStore, folder: Path, sync: Sync, upload: bool, dry_run: bool
) -> None:
    await fill(store, folder, upload=upload)
    before = await state(store, folder)
    noun = "object" if upload else "file"
    with pytest.raises(InvalidOptionError, match=f"remove 3 {noun}s from .* force=True") as caught:
        await sync(dry_run=dry_run)
    assert caught.value.bucket == store.bucket
    assert all(repr(text) in str(caught.value) for text in (store.bucket, str(folder), "p/"))
    assert await state(store, folder) == before
    result = await sync(force=True, dry_run=dry_run)
    assert result.removed == ["a.txt", "b.log", "c.log"]
    revisions, files = await state(store, folder)
    assert (revisions, files) == (before if dry_run else ({"other": before[0]["other"]}, {}))


async def test_empty_source_and_target(sync: Sync) -> None:
    result = await sync(max_delete=0)
    assert (result.copied, result.removed, result.failed) == ([], [], [])


async def test_empty_bucket(store: jetstow.ObjectStore, folder: Path) -> None:
    """Only a prefix without objects was refused: an empty bucket removed all files."""
    (folder / "a").write_bytes(b"x")
    with pytest.raises(InvalidOptionError, match=f"bucket '{store.bucket}' has nothing to copy"):
        await jetstow.download_folder(store, folder, delete=True)
    assert (folder / "a").read_bytes() == b"x"


@pytest.mark.parametrize(
    "patterns", [{"include": ["*.log"]}, {"exclude": ["*.txt"]}], ids=["include", "exclude"]
)
async def test_patterns_that_select_nothing_in_the_source(
    store: jetstow.ObjectStore, folder: Path, sync: Sync, upload: bool, patterns: dict[str, Any]
) -> None:
    await fill(store, folder, upload=upload, source="a.txt")
    before = await state(store, folder)
    with pytest.raises(InvalidOptionError, match="remove 2 "):
        await sync(**patterns)
    assert await state(store, folder) == before
    assert (await sync(include=["*.jpg"])).removed == []
    assert (await sync(**patterns, force=True)).removed == ["b.log", "c.log"]


@pytest.mark.parametrize("dry_run", [False, True])
async def test_max_delete(
    store: jetstow.ObjectStore, folder: Path, sync: Sync, upload: bool, dry_run: bool
) -> None:
    await fill(store, folder, upload=upload, source="new")
    before = await state(store, folder)
    for options in ({"max_delete": 2}, {"max_delete": 0}, {"max_delete": 2, "force": True}):
        limit = options["max_delete"]
        with pytest.raises(
            InvalidOptionError, match=rf"remove 3 .* max_delete \({limit}\)"
        ) as caught:
            await sync(**options, dry_run=dry_run)
        assert caught.value.bucket == store.bucket
    assert await state(store, folder) == before
    result = await sync(max_delete=3, dry_run=dry_run)
    assert (result.copied, len(result.removed)) == (["new"], 3)


async def test_max_delete_with_an_empty_source(
    store: jetstow.ObjectStore, folder: Path, sync: Sync, upload: bool
) -> None:
    await fill(store, folder, upload=upload)
    before = await state(store, folder)
    with pytest.raises(InvalidOptionError, match="nothing to copy"):
        await sync(max_delete=3)
    with pytest.raises(InvalidOptionError, match=r"max_delete \(2\)"):
        await sync(max_delete=2, force=True)
    with pytest.raises(InvalidOptionError, match="max_delete must be 0 or more, not -1"):
        await sync(max_delete=-1, force=True)
    assert await state(store, folder) == before


async def test_missing_source(
    js: jetstow.JetStreamContext, store: jetstow.ObjectStore, folder: Path
) -> None:
    (folder / "a").write_bytes(b"x")
    await store.put("a", b"x")
    before = await state(store, folder)
    with pytest.raises(FileNotFoundError, match="missing"):
        await jetstow.upload_folder(folder / "missing", store, delete=True, force=True)
    missing = await js.create_object_store(f"{store.bucket}-missing")
    await js.delete_object_store(missing.bucket)
    with pytest.raises(BucketNotFoundError, match=missing.bucket):
        await jetstow.download_folder(missing, folder, delete=True, force=True)
    assert await state(store, folder) == before


async def test_file_created_during_the_download(store: jetstow.ObjectStore, folder: Path) -> None:
    """The folder was listed after the copying: `delete` removed files that were created since."""
    await store.put("a", b"x")
    (folder / "old").write_bytes(b"x")

    def create(_done: int, _total: int | None) -> None:
        (folder / "new").write_bytes(b"x")

    result = await jetstow.download_folder(
        store, folder, delete=True, max_delete=1, progress=create
    )
    assert result.removed == ["old"]
    assert sorted(path.name for path in folder.iterdir()) == ["a", "new"]
