"""Names as folders, and listings that a watch keeps true."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from fsspec.asyn import sync

from jetstow import ObjectInfo
from jetstow.fs import JetstowFileSystem, paths
from jetstow.fs.dircache import Names
from tests.fs.conftest import Other


@pytest.fixture
def filled(fs: JetstowFileSystem, root: str) -> str:
    for name in ("a", "a/b", "x/y/z.csv", "x/q.txt", "top.txt"):
        fs.pipe(f"{root}/{name}", name.encode())
    return root


def short(root: str, paths: Any) -> list[str]:
    return [str(path).removeprefix(f"{root}/") for path in paths]


def test_prefixes_are_folders(fs: JetstowFileSystem, filled: str) -> None:
    entries = {(each["name"], each["type"], each["size"]) for each in fs.ls(filled)}
    assert entries == {
        (f"{filled}/a", "directory", 0),
        (f"{filled}/a", "file", 1),
        (f"{filled}/top.txt", "file", 7),
        (f"{filled}/x", "directory", 0),
    }
    assert short(filled, fs.ls(filled, detail=False)) == ["a", "top.txt", "x"]
    assert short(filled, fs.ls(f"jetstow://{filled}/x/", detail=False)) == ["x/q.txt", "x/y"]
    assert fs.ls(f"{filled}/top.txt", detail=False) == [f"{filled}/top.txt"]
    assert filled in fs.ls("", detail=False)
    for missing in (f"{filled}/nothing", f"{filled}/to", f"{filled}-no", "no.bucket/a"):
        with pytest.raises(FileNotFoundError):
            fs.ls(missing)


def test_a_name_may_be_a_file_and_a_folder(fs: JetstowFileSystem, filled: str) -> None:
    assert (fs.isfile(f"{filled}/a"), fs.isdir(f"{filled}/a")) == (True, True)
    assert fs.cat(f"{filled}/a/b") == b"a/b"
    assert fs.cat_file(f"{filled}/a") == b"a"
    assert (fs.isdir(f"{filled}/x"), fs.isfile(f"{filled}/x")) == (True, False)
    assert fs.isdir(f"{filled}/xx") is False


def test_find_walk_glob_du(fs: JetstowFileSystem, filled: str) -> None:
    assert short(filled, fs.find(filled)) == ["a", "a/b", "top.txt", "x/q.txt", "x/y/z.csv"]
    assert short(filled, fs.find(f"{filled}/x", maxdepth=1)) == ["x/q.txt"]
    assert short(filled, fs.find(filled, prefix="x/q")) == ["x/q.txt"]
    assert fs.find(f"{filled}/top.txt") == [f"{filled}/top.txt"]
    assert fs.find(f"{filled}/nothing") == []
    assert short(filled, fs.glob(f"{filled}/**/*.csv")) == ["x/y/z.csv"]
    assert short(filled, fs.glob(f"{filled}/x/*")) == ["x/q.txt", "x/y"]
    assert [folder for folder, _, _ in fs.walk(f"{filled}/x")] == [f"{filled}/x", f"{filled}/x/y"]
    assert fs.du(f"{filled}/x") == len("x/q.txt") + len("x/y/z.csv")


@pytest.mark.parametrize("cached", [True, False])
def test_odd_names_are_files_and_no_endless_folders(
    fs: JetstowFileSystem, root: str, other: Other, options: dict[str, str], cached: bool
) -> None:
    for name in ("/lead", "a//b", "x/y//z/w", "mark/", "end//"):
        other.put(root, name, name.encode())
    looks = JetstowFileSystem(**options, use_listings_cache=cached, skip_instance_cache=True)
    found = looks.find(root)
    assert sorted(found) == sorted(
        f"{root}/{name}" for name in ("/lead", "a//b", "x/y//z/w", "end//")
    )
    for path in set(found) - {f"{root}/end//"}:  # a path loses its last slashes
        assert looks.cat_file(path).decode() == path.removeprefix(f"{root}/")
    assert looks.isdir(f"{root}/mark") is True
    assert looks.ls(f"{root}/mark") == []
    looks.rm(f"{root}/mark", recursive=True)
    assert not looks.exists(f"{root}/mark")


def test_a_change_by_somebody_else_shows(fs: JetstowFileSystem, root: str, other: Other) -> None:
    assert fs.ls(root) == []
    heard = names_of(fs, root).changed
    info = other.put(root, "new", b"12345")
    await_news(fs, heard)
    [found] = fs.ls(root)
    assert (found["size"], found["revision"]) == (5, info.revision)
    other.put(root, "new", b"1")
    await_news(fs, heard)
    assert fs.ls(root)[0]["size"] == 1
    other.delete(root, "new")
    await_news(fs, heard)
    assert fs.ls(root) == []


def names_of(fs: JetstowFileSystem, bucket: str) -> Names:
    names = fs._connections[fs.loop].known(bucket)
    assert names is not None
    return names


def await_news(fs: JetstowFileSystem, heard: asyncio.Event) -> None:
    async def one() -> None:
        await heard.wait()
        heard.clear()

    sync(fs.loop, one)


async def test_many_who_ask_at_once_share_a_watch(root: str, options: dict[str, str]) -> None:
    fs = JetstowFileSystem(asynchronous=True, skip_instance_cache=True, **options)
    await fs._pipe_file(f"{root}/a", b"a")
    tasks = asyncio.all_tasks()
    found = await asyncio.gather(*(fs._find(root) for _ in range(10)))
    assert found == [[f"{root}/a"]] * 10
    following = {task for task in asyncio.all_tasks() - tasks if "_follow" in repr(task.get_coro())}
    assert len(following) == 1
    await fs.aclose()


def test_ones_own_changes_show_at_once(fs: JetstowFileSystem, root: str) -> None:
    assert fs.ls(root) == []
    for number in range(20):
        fs.pipe(f"{root}/a", b"x" * number)
        assert fs.ls(root)[0]["size"] == number
        fs.mv(f"{root}/a", f"{root}/b")
        assert fs.ls(root, detail=False) == [f"{root}/b"]
        fs.rm(f"{root}/b")
        assert fs.ls(root) == []


def test_a_bucket_that_is_made_anew(fs: JetstowFileSystem, root: str) -> None:
    fs.pipe(f"{root}/a", b"a")
    assert len(fs.ls(root)) == 1
    fs.rm(root, recursive=True)
    assert not fs.exists(root)
    fs.mkdir(root)
    assert fs.ls(root) == []


def test_forgetting_reads_anew(fs: JetstowFileSystem, root: str, other: Other) -> None:
    fs.pipe(f"{root}/a", b"a")
    assert len(fs.ls(root)) == 1
    other.put(root, "b", b"b")
    fs.invalidate_cache(f"{root}/a")
    assert len(fs.ls(root)) == 2
    other.put(root, "c", b"c")
    assert len(fs.ls(root, refresh=True)) == 3


def test_what_is_told_of_an_object(fs: JetstowFileSystem, root: str, other: Other) -> None:
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
    with pytest.raises(NotImplementedError, match="cannot be signed"):
        fs.sign(path)


def test_folders_of_names() -> None:
    infos = [ObjectInfo(name=name, bucket="b", nuid="n") for name in ("a/b/c", "a/d", "e")]
    every = [(path, info is None) for path, info in paths.below("b", "", infos, None)]
    assert every == [
        ("b/a", True), ("b/a/b", True), ("b/a/b/c", False), ("b/a/d", False), ("b/e", False),
    ]  # fmt: skip
    assert [path for path, _ in paths.below("b", "", infos, 1)] == ["b/a", "b/e"]
    assert [path for path, _ in paths.below("b", "a", infos, 1)] == ["b/a/b", "b/a/d"]
