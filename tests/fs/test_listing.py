"""Names as folders, and listings that a watch keeps current."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from fsspec.asyn import sync

from jetstow import Client, ObjectInfo
from jetstow.fs import JetstowFileSystem, paths
from tests.fs.conftest import OtherClient, listing_of
from tests.support import raw_stream


@pytest.fixture
def filled(fs: JetstowFileSystem, root: str) -> str:
    for name in ("a", "a/b", "x/y/z.csv", "x/q.txt", "top.txt"):
        fs.pipe(f"{root}/{name}", name.encode())
    return root


def names_in(root: str, paths: Any) -> list[str]:
    return [str(path).removeprefix(f"{root}/") for path in paths]


@pytest.mark.parametrize("versioned", [False, True])
def test_rmdir_of_a_bucket_with_nothing_but_hidden_data(
    fs: JetstowFileSystem, root: str, other: OtherClient, versioned: bool
) -> None:
    """A bucket with older versions, or with metadata that cannot be read only, was deleted."""

    async def hide(nc: Client) -> None:
        if versioned:
            store = await nc.jetstream().update_object_store(root, versioned=True)
            await store.put("a", b"1")
            await store.delete("a")
        else:
            await raw_stream.write_metadata(nc, root, "a", b"no JSON")

    other.run(hide)
    assert fs.ls(root) == []
    with pytest.raises(OSError, match="not empty"):
        fs.rmdir(root)
    assert fs.exists(root)
    if versioned:
        fs.pipe(f"{root}/b", b"b")
        with pytest.raises(OSError, match="not empty"):  # before anything is moved
            fs.mv(root, f"{root}-2", recursive=True)
        assert fs.find(root) == [f"{root}/b"]
        assert not fs.exists(f"{root}-2")


def test_versions_are_hidden(fs: JetstowFileSystem, root: str, other: OtherClient) -> None:
    """A file system that had listed a bucket before showed the hidden names of versions."""
    fs.pipe(f"{root}/a", b"1")
    assert fs.find(root) == [f"{root}/a"]

    async def replace_twice(nc: Client) -> None:
        store = await nc.jetstream().update_object_store(root, versioned=True)
        await store.put("a", b"2")
        await store.put("a", b"3")

    other.run(replace_twice)
    fs.invalidate_cache(root)
    assert fs.find(root) == [f"{root}/a"]
    assert fs.cat(f"{root}/a") == b"3"


def test_ls_lists_prefixes_as_folders(fs: JetstowFileSystem, filled: str) -> None:
    entries = {(entry["name"], entry["type"], entry["size"]) for entry in fs.ls(filled)}
    assert entries == {
        (f"{filled}/a", "directory", 0),
        (f"{filled}/a", "file", 1),
        (f"{filled}/top.txt", "file", 7),
        (f"{filled}/x", "directory", 0),
    }
    assert names_in(filled, fs.ls(filled, detail=False)) == ["a", "top.txt", "x"]
    assert names_in(filled, fs.ls(f"jetstow://{filled}/x/", detail=False)) == ["x/q.txt", "x/y"]
    assert fs.ls(f"{filled}/top.txt", detail=False) == [f"{filled}/top.txt"]
    assert filled in fs.ls("", detail=False)
    for missing in (f"{filled}/nothing", f"{filled}/to", f"{filled}-no", "no.bucket/a"):
        with pytest.raises(FileNotFoundError):
            fs.ls(missing)


def test_name_that_is_file_and_folder(fs: JetstowFileSystem, filled: str) -> None:
    assert (fs.isfile(f"{filled}/a"), fs.isdir(f"{filled}/a")) == (True, True)
    assert fs.cat(f"{filled}/a/b") == b"a/b"
    assert fs.cat_file(f"{filled}/a") == b"a"
    assert (fs.isdir(f"{filled}/x"), fs.isfile(f"{filled}/x")) == (True, False)
    assert fs.isdir(f"{filled}/xx") is False


def test_find_walk_glob_du(fs: JetstowFileSystem, filled: str) -> None:
    assert names_in(filled, fs.find(filled)) == ["a", "a/b", "top.txt", "x/q.txt", "x/y/z.csv"]
    assert names_in(filled, fs.find(f"{filled}/x", maxdepth=1)) == ["x/q.txt"]
    assert names_in(filled, fs.find(filled, prefix="x/q")) == ["x/q.txt"]
    assert fs.find(f"{filled}/top.txt") == [f"{filled}/top.txt"]
    assert fs.find(f"{filled}/nothing") == []
    assert names_in(filled, fs.glob(f"{filled}/**/*.csv")) == ["x/y/z.csv"]
    assert names_in(filled, fs.glob(f"{filled}/x/*")) == ["x/q.txt", "x/y"]
    assert [folder for folder, _, _ in fs.walk(f"{filled}/x")] == [f"{filled}/x", f"{filled}/x/y"]
    assert fs.du(f"{filled}/x") == len("x/q.txt") + len("x/y/z.csv")


@pytest.mark.parametrize("cached", [True, False])
def test_names_with_empty_path_segments(
    fs: JetstowFileSystem, root: str, other: OtherClient, options: dict[str, Any], cached: bool
) -> None:
    for name in ("/lead", "a//b", "x/y//z/w", "mark/", "end//"):
        other.put(root, name, name.encode())
    fresh = JetstowFileSystem(**options, use_listings_cache=cached, skip_instance_cache=True)
    paths = fresh.find(root)
    assert sorted(paths) == sorted(
        f"{root}/{name}" for name in ("/lead", "a//b", "x/y//z/w", "end//")
    )
    for path in set(paths) - {f"{root}/end//"}:  # fsspec strips trailing slashes of paths
        assert fresh.cat_file(path).decode() == path.removeprefix(f"{root}/")
    assert fresh.isdir(f"{root}/mark") is True
    assert fresh.ls(f"{root}/mark") == []
    fresh.rm(f"{root}/mark", recursive=True)
    assert not fresh.exists(f"{root}/mark")


def test_changes_of_another_client_are_listed(
    fs: JetstowFileSystem, root: str, other: OtherClient
) -> None:
    assert fs.ls(root) == []
    changed = listing_of(fs, root).changed
    info = other.put(root, "new", b"12345")
    wait_for_change(fs, changed)
    [entry] = fs.ls(root)
    assert (entry["size"], entry["revision"]) == (5, info.revision)
    other.put(root, "new", b"1")
    wait_for_change(fs, changed)
    assert fs.ls(root)[0]["size"] == 1
    other.delete(root, "new")
    wait_for_change(fs, changed)
    assert fs.ls(root) == []


def wait_for_change(fs: JetstowFileSystem, changed: asyncio.Event) -> None:
    async def wait() -> None:
        await changed.wait()
        changed.clear()

    sync(fs.loop, wait)


async def test_concurrent_listings_share_one_watch(root: str, options: dict[str, Any]) -> None:
    fs = JetstowFileSystem(asynchronous=True, skip_instance_cache=True, **options)
    await fs._pipe_file(f"{root}/a", b"a")
    tasks = asyncio.all_tasks()
    paths = await asyncio.gather(*(fs._find(root) for _ in range(10)))
    assert paths == [[f"{root}/a"]] * 10
    new_tasks = asyncio.all_tasks() - tasks
    watches = {task for task in new_tasks if "ListingCache._watch" in repr(task.get_coro())}
    assert len(watches) == 1
    await fs.aclose()


def test_own_changes_are_listed_at_once(fs: JetstowFileSystem, root: str) -> None:
    assert fs.ls(root) == []
    for number in range(20):
        fs.pipe(f"{root}/a", b"x" * number)
        assert fs.ls(root)[0]["size"] == number
        fs.mv(f"{root}/a", f"{root}/b")
        assert fs.ls(root, detail=False) == [f"{root}/b"]
        fs.rm(f"{root}/b")
        assert fs.ls(root) == []


def test_listing_of_a_recreated_bucket(fs: JetstowFileSystem, root: str) -> None:
    fs.pipe(f"{root}/a", b"a")
    assert len(fs.ls(root)) == 1
    fs.rm(root, recursive=True)
    assert not fs.exists(root)
    fs.mkdir(root)
    assert fs.ls(root) == []


def test_invalidate_cache_and_refresh(fs: JetstowFileSystem, root: str, other: OtherClient) -> None:
    fs.pipe(f"{root}/a", b"a")
    assert len(fs.ls(root)) == 1
    other.put(root, "b", b"b")
    fs.invalidate_cache(f"{root}/a")
    assert len(fs.ls(root)) == 2
    other.put(root, "c", b"c")
    assert len(fs.ls(root, refresh=True)) == 3


def test_info_of_an_object(fs: JetstowFileSystem, root: str, other: OtherClient) -> None:
    path = f"{root}/t.csv"
    put = other.put(root, "t.csv", b"1,2")
    info = fs.info(path)
    assert (info["size"], info["type"], info["digest"]) == (3, "file", put.digest)
    assert info["content_type"] == "text/csv"
    assert fs.created(path) == fs.modified(path) == info["modified"]
    assert info["mtime"] == info["modified"].timestamp()
    before = fs.ukey(path), fs.checksum(path)
    other.put(root, "t.csv", b"1,2")
    assert fs.ukey(path) != before[0]
    assert fs.checksum(path) != before[1]
    with pytest.raises(NotImplementedError, match=f"cannot sign {path}"):
        fs.sign(path)


def test_iter_entries_yields_each_folder_once() -> None:
    infos = [ObjectInfo(name=name, bucket="b", nuid="n") for name in ("a/b/c", "a/d", "e")]
    entries = [(path, info is None) for path, info in paths.iter_entries("b", "", infos, None)]
    assert entries == [
        ("b/a", True), ("b/a/b", True), ("b/a/b/c", False), ("b/a/d", False), ("b/e", False),
    ]  # fmt: skip
    assert [path for path, _ in paths.iter_entries("b", "", infos, 1)] == ["b/a", "b/e"]
    assert [path for path, _ in paths.iter_entries("b", "a", infos, 1)] == ["b/a/b", "b/a/d"]
