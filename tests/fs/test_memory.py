"""The same steps on `memory://` and in a bucket: the same results, errors and trees.

`docs/tools/fsspec.md` lists the differences; `SKIPPED` leaves them out here.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from jetstow.fs import JetstowFileSystem
from tests.fs.conftest import OtherClient, listing_of

Step = tuple[str, ...]


class Side:
    """One of the two file systems, with the folder in which the steps work."""

    def __init__(self, fs: Any, root: str, local: Path) -> None:
        self._fs = fs
        self._root = root
        self._local = local

    def run(self, verb: str, *args: str) -> object:
        """Run a step. Return its result without the root, or the error."""
        try:
            return self._plain(self._call(verb, *args))
        except Exception as error:  # noqa: BLE001 - compared
            return error

    def tree(self) -> object:
        """Return all files with their bytes, and all folders."""
        found = self._fs.find(self._root, withdirs=True, detail=True)
        return self._plain({
            path: self._fs.cat_file(path) if entry["type"] == "file" else None
            for path, entry in found.items()
        })  # fmt: skip

    def _call(self, verb: str, *args: str) -> object:
        paths = [self._full(arg) for arg in args]
        verbs: dict[str, Callable[..., object]] = {
            "pipe": lambda path: self._fs.pipe_file(path, args[0].encode()),
            "create": lambda path: self._fs.pipe_file(path, b"new", mode="create"),
            "makedirs": self._fs.makedirs,
            "makedirs_ok": lambda path: self._fs.makedirs(path, exist_ok=True),
            "rm_r": lambda path: self._fs.rm(path, recursive=True),
            "cp_r": lambda a, b: self._fs.cp(a, b, recursive=True),
            "mv_r": lambda a, b: self._fs.mv(a, b, recursive=True),
            "ls": lambda path: {e["name"]: (e["type"], e["size"]) for e in self._fs.ls(path)},
            "find_dirs": lambda path: self._fs.find(path, withdirs=True),
            "find_1": lambda path: self._fs.find(path, maxdepth=1),
            "walk": lambda path: sorted(
                (folder, sorted(folders), sorted(files))
                for folder, folders, files in self._fs.walk(path)
            ),
            "glob": lambda path: self._fs.glob(path + "/*"),
            "glob_all": lambda path: self._fs.glob(path + "/**"),
            "glob_dirs": lambda path: self._fs.glob(path + "/*/"),
            "info": lambda path: {k: self._fs.info(path)[k] for k in ("name", "type", "size")},
            "touch_keep": lambda path: self._fs.touch(path, truncate=False),
            "write": lambda path: self._write(path, "wb"),
            "open": lambda path: self._fs.open(path).read(),
            "modified": lambda path: self._fs.modified(path) and None,
            "append": lambda path: self._write(path, "ab"),
            "put_r": lambda path: self._put(str(self._local), path),
            "put_into": lambda path: self._put(f"{self._local}/", f"{path}/"),
        }
        call = verbs.get(verb) or getattr(self._fs, verb)
        return call(*paths)

    def _write(self, path: str, mode: str) -> None:
        with self._fs.open(path, mode) as file:
            file.write(b"written")

    def _put(self, local: str, path: str) -> None:
        self._fs.put(local, path, recursive=True)  # one returns None, the other a list of them

    def _full(self, path: str) -> str:
        return f"{self._root}/{path}" if path else self._root

    def _plain(self, value: Any) -> Any:
        if isinstance(value, str):
            return value.lstrip("/").removeprefix(self._root.strip("/"))
        if isinstance(value, dict):
            return {self._plain(key): self._plain(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self._plain(item) for item in value]
        return value


class Memory(Side):
    """`memory://`, which can go back to an earlier state."""

    def __init__(self, local: Path) -> None:
        self.fs = MemoryFileSystem(global_store=False, skip_instance_cache=True)
        self.fs.mkdir("/root")
        super().__init__(self.fs, "/root", local)

    def state(self) -> tuple[dict[str, bytes], list[str]]:
        return {path: f.getvalue() for path, f in self.fs.store.items()}, [*self.fs.pseudo_dirs]

    def restore(self, state: tuple[dict[str, bytes], list[str]]) -> None:
        self.fs.store.clear()
        self.fs.pseudo_dirs[:] = state[1]
        for path, data in state[0].items():
            self.fs.pipe_file(path, data)

    def has_file_that_is_folder(self) -> bool:
        return any(self.fs.isdir(path) for path in self.fs.store)

    def is_implied(self, path: str) -> bool:
        full = f"/root/{path.rstrip('/')}"
        return full not in self.fs.pseudo_dirs and self.fs.isdir(full)

    def is_empty_folder(self, path: str) -> bool:
        return self.fs.isdir(f"/root/{path}") and not self.fs.ls(f"/root/{path}")

    def is_below_file(self, path: str) -> bool:
        levels = path.split("/")
        above = ("/".join(levels[:count]) for count in range(1, len(levels)))
        return any(self.fs.isfile(f"/root/{folder}") for folder in above)


def differs(memory: Memory, step: Step) -> bool:
    """Return whether the documentation lists a difference for a step: it is left out."""
    verb, first, *rest = step
    first = first.rstrip("/")
    if verb in TWO:
        # memory:// removes what is moved to itself or into itself, and what is copied there gets
        # explicit folders.
        target = rest[0].rstrip("/")
        if f"{target}/".startswith(f"{first}/") or first.rpartition("/")[0] == target:
            return True
    if verb in {"rm", "rmdir", "mv"} and memory.is_implied(first):
        return True  # memory:// does not find the folder
    if verb == "mv" and memory.is_empty_folder(first):
        return True  # memory:// removes the folder
    if verb in {"touch", "touch_keep", "pipe", "create", "write", "append"}:
        # memory:// refuses some names that are both a file and a folder.
        return memory.fs.isdir(f"/root/{first}") or memory.is_below_file(first)
    if verb == "open":
        return memory.is_below_file(first)
    if verb in {"put_r", "put_into"}:
        return memory.is_below_file(f"{first}/file")
    return verb == "makedirs_ok" and memory.fs.isfile(f"/root/{first}")


@pytest.fixture(params=[True, False], ids=["cached", "uncached"])
def sides(
    root: str, options: dict[str, Any], tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[tuple[Memory, Side]]:
    fs = JetstowFileSystem(**options, use_listings_cache=request.param, skip_instance_cache=True)
    local = tmp_path / "local"
    (local / "sub" / "empty").mkdir(parents=True)
    (local / "file").write_bytes(b"local")
    yield Memory(local), Side(fs, root, local)
    fs.close()


def compare(memory: Memory, jetstow: Side, step: Step) -> bool:
    """Run a step on both sides and compare. Return False if it is left out."""
    before = memory.state()
    if differs(memory, step):
        return False
    expected = memory.run(*step)
    if memory.has_file_that_is_folder():
        memory.restore(before)
        return False
    result = jetstow.run(*step)
    if isinstance(expected, Exception):
        assert isinstance(result, type(expected)), f"{result!r}, not {expected!r}"
        number = expected.errno if isinstance(expected, OSError) else None
        assert number is None or getattr(result, "errno", None) == number
    else:
        assert result == expected
    assert jetstow.tree() == memory.tree()
    return True


READ = (
    "ls", "find", "find_dirs", "find_1", "walk", "glob", "glob_all", "glob_dirs", "du", "info",
    "exists", "isdir", "isfile", "cat_file", "size", "open",
    "modified",
)  # fmt: skip
CHANGE = (
    "mkdir", "makedirs", "makedirs_ok", "rmdir", "touch", "touch_keep", "pipe", "create", "write",
    "append", "rm", "rm_r", "rm_file", "put_r", "put_into",
)  # fmt: skip
TWO = ("cp", "cp_r", "mv", "mv_r")
PATHS = ("a", "b", "a/b", "a/b/c", "d", "d/e", "a/", "d/e/")


def random_steps(seed: int) -> Iterator[Step]:
    chance = random.Random(seed)
    while True:
        kind = chance.choices([READ, CHANGE, TWO], [4, 6, 3])[0]
        yield (chance.choice(kind), *chance.sample(PATHS, 2 if kind is TWO else 1))


@pytest.mark.parametrize("seed", range(4))
def test_random_steps(sides: tuple[Memory, Side], seed: int) -> None:
    steps = random_steps(seed)
    done: list[Step] = []
    while len(done) < 50:
        step = next(steps)
        try:
            if compare(*sides, step):
                done.append(step)
        except AssertionError as error:
            error.add_note(f"step {step} after {done}")
            raise


HABITS: dict[str, list[Step]] = {
    "make, list, remove": [
        ("mkdir", "a"), ("isdir", "a"), ("ls", "a"), ("ls", ""), ("info", "a/"), ("rmdir", "a"),
        ("exists", "a"), ("ls", "a"), ("rmdir", "a"),
    ],
    "make again": [
        ("mkdir", "a"), ("mkdir", "a"), ("makedirs", "a"), ("makedirs_ok", "a"), ("mkdir", "a/"),
    ],
    "parents": [
        ("makedirs", "a/b/c"), ("isdir", "a/b"), ("find_dirs", "a"), ("rmdir", "a/b/c"),
        ("isdir", "a/b"), ("rmdir", "a"), ("rmdir", "a/b"), ("rmdir", "a"), ("ls", ""),
    ],
    "folder outlives its files": [
        ("mkdir", "a"), ("pipe", "a/b"), ("rmdir", "a"), ("rm", "a/b"), ("isdir", "a"),
        ("ls", "a"), ("rm", "a"), ("exists", "a"),
    ],
    "implied folder": [
        ("pipe", "a/b/c"), ("isdir", "a"), ("mkdir", "a/b"), ("rm", "a/b/c"), ("isdir", "a/b"),
        ("rm_r", "a"), ("exists", "a"),
    ],
    "files in the way": [
        ("touch", "a"), ("mkdir", "a"), ("makedirs", "a/b"), ("mkdir", "a/b/c"), ("makedirs", "a"),
        ("rmdir", "a"), ("isdir", "a"), ("ls", "a"), ("find", "a"), ("walk", "a"),
    ],
    "copy and move folders": [
        ("makedirs", "a/empty"), ("pipe", "a/b/c"), ("cp_r", "a", "d"), ("cp_r", "a", "d"),
        ("mv_r", "a", "e"), ("exists", "a"), ("mv_r", "e/", "f/"), ("cp", "d", "g"),
        ("rm_r", "d"), ("find_dirs", ""), ("walk", "f"), ("du", "f"), ("glob", ""),
    ],
    "move and remove what is not there": [
        ("rm", "a"), ("rm_r", "a"), ("rmdir", "a"), ("mv", "a", "b"), ("mv_r", "a", "b"),
        ("cp", "a", "b"), ("cp_r", "a", "b"), ("rm_file", "a"), ("walk", "a"), ("find", "a"),
    ],
    "put folders": [
        ("put_r", "a"), ("find_dirs", "a"), ("put_r", "a"), ("find_dirs", "a"), ("put_into", "b"),
        ("rmdir", "b/sub/empty"), ("rmdir", "b/sub"), ("rm", "b"), ("rm_r", "b"),
    ],
}  # fmt: skip


@pytest.mark.parametrize("habit", HABITS)
def test_habits_of_tools(sides: tuple[Memory, Side], habit: str) -> None:
    for step in HABITS[habit]:
        assert compare(*sides, step), f"{step} is left out"


def test_buckets_as_folders(fs: JetstowFileSystem, bucket: str, tmp_path: Path) -> None:
    """Top-level folders are buckets."""
    memory = Memory(tmp_path)
    memory.fs.mkdir("/m")
    one, two = f"{bucket}-1", f"{bucket}-2"
    for fs_, a, b in ((memory.fs, "/one", "/two"), (fs, one, two)):
        fs_.mkdir(a)
        with pytest.raises(FileExistsError):
            fs_.mkdir(a)
        fs_.makedirs(a, exist_ok=True)
        fs_.pipe(f"{a}/x/y", b"data")
        fs_.mkdir(f"{a}/empty")
        with pytest.raises(OSError, match="not empty"):
            fs_.rmdir(a)
        with pytest.raises(OSError, match="not empty"):
            fs_.rm(a)
        fs_.cp(a, b, recursive=True)
        assert fs_.find(b, withdirs=True) == [b, f"{b}/empty", f"{b}/x", f"{b}/x/y"]
        fs_.rm(b, recursive=True)
        assert not fs_.exists(b)
        fs_.mv(a, b, recursive=True)
        assert not fs_.exists(a)
        assert fs_.find(b, withdirs=True) == [b, f"{b}/empty", f"{b}/x", f"{b}/x/y"]
        fs_.rm(f"{b}/*", recursive=True)
        assert fs_.ls(b) == []
        fs_.rm(b)
        assert not fs_.exists(b)
        fs_.makedirs(f"{a}/new/folder")
        assert fs_.isdir(f"{a}/new/folder")
        fs_.rm(a, recursive=True)
        fs_.rmdir("")


def test_folders_are_seen_by_other_processes(
    fs: JetstowFileSystem, root: str, options: dict[str, Any], other: OtherClient
) -> None:
    fs.makedirs(f"{root}/a/b")
    fresh = JetstowFileSystem(**options, skip_instance_cache=True)
    assert fresh.find(root, withdirs=True) == [root, f"{root}/a", f"{root}/a/b"]
    assert fresh.info(f"{root}/a/b")["type"] == "directory"
    assert fresh.find(root) == []
    fresh.close()
    assert other.chunks(root) == 0


def test_names_that_are_no_folders(fs: JetstowFileSystem, root: str) -> None:
    for path in (f"{root}/a//b", f"{root}//a"):
        with pytest.raises(OSError, match="Invalid argument"):
            fs.mkdir(path)
    fs.pipe(f"{root}/a/b", b"data")
    with pytest.raises(OSError, match="Invalid argument"):
        fs.mv(f"{root}/a", f"{root}/a/c", recursive=True)
    with pytest.raises(FileExistsError):
        fs.makedirs(f"{root}/a/b", exist_ok=True)
    assert fs.find(root) == [f"{root}/a/b"]


def test_file_with_the_name_of_a_folder(fs: JetstowFileSystem, root: str) -> None:
    fs.makedirs(f"{root}/a/b")
    fs.pipe({f"{root}/a": b"file", f"{root}/a/b": b"file"})
    fs.rm(f"{root}/a", recursive=True)
    assert fs.find(root, withdirs=True) == [root]


def test_folder_of_an_encrypted_file_system(
    fs: JetstowFileSystem, root: str, options: dict[str, Any]
) -> None:
    """Its marker is empty for other clients, too: an empty encrypted object is not."""
    secret = JetstowFileSystem(**options, key=bytes(32), skip_instance_cache=True)
    secret.mkdir(f"{root}/a")
    with secret.transaction:
        secret.mkdir(f"{root}/b")
    assert secret.ls(root, detail=False) == fs.ls(root, detail=False) == [f"{root}/a", f"{root}/b"]
    [info] = listing_of(fs, root).infos("a/")
    assert (info.name, info.size, info.encrypted) == ("a/", 0, False)
    secret.rmdir(f"{root}/a")
    assert not secret.exists(f"{root}/a")
    secret.close()
