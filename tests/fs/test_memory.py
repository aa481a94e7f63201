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

    def is_both(self, *paths: str) -> bool:
        """Return whether a path has a file above it, or a file has the name of a folder."""
        parts = [path.strip("/").split("/") for path in paths if path.strip("/")]
        above = {"/".join(p[:n]) for p in parts for n in range(1, len(p))}
        return any(self._fs.isfile(self._full(path)) for path in above)

    def _call(self, verb: str, *args: str) -> object:
        paths = [self._full(arg) for arg in args]
        verbs: dict[str, Callable[..., object]] = {
            "pipe": lambda path: self._fs.pipe_file(path, args[0].encode()),
            "create": lambda path: self._fs.pipe_file(path, b"new", mode="create"),
            "makedirs": lambda path: self._fs.makedirs(path),
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
            "append": lambda path: self._write(path, "ab"),
            "put_r": lambda path: self._fs.put(str(self._local), path, recursive=True),
            "put_into": lambda path: self._fs.put(f"{self._local}/", f"{path}/", recursive=True),
        }
        call = verbs.get(verb) or getattr(self._fs, verb)
        return call(*paths)

    def _write(self, path: str, mode: str) -> None:
        with self._fs.open(path, mode) as file:
            file.write(b"written")

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


@pytest.fixture
def sides(
    fs: JetstowFileSystem, root: str, tmp_path: Path
) -> Iterator[tuple[Side, Side]]:
    local = tmp_path / "local"
    (local / "sub" / "empty").mkdir(parents=True)
    (local / "file").write_bytes(b"local")
    memory = MemoryFileSystem(global_store=False, skip_instance_cache=True)
    memory.mkdir("/root")
    yield Side(memory, "/root", local), Side(fs, root, local)


def compare(sides: tuple[Side, Side], steps: list[Step]) -> None:
    memory, jetstow = sides
    for number, step in enumerate(steps):
        expected, result = memory.run(*step), jetstow.run(*step)
        done = f"step {number} of {steps[:number + 1]}"
        if isinstance(expected, Exception):
            assert isinstance(result, type(expected)), f"{done}: {result!r}, not {expected!r}"
            if isinstance(expected, OSError) and expected.errno:
                assert isinstance(result, OSError)
                assert result.errno == expected.errno, done
        else:
            assert result == expected, done
        assert jetstow.tree() == memory.tree(), done


READ = (
    "ls", "find", "find_dirs", "find_1", "walk", "glob", "glob_all", "glob_dirs", "du", "info",
    "exists", "isdir", "isfile", "cat_file", "size",
)  # fmt: skip
CHANGE = (
    "mkdir", "makedirs", "makedirs_ok", "rmdir", "touch", "touch_keep", "pipe", "create", "write",
    "append", "rm", "rm_r", "rm_file", "put_r", "put_into",
)  # fmt: skip
TWO = ("cp", "cp_r", "mv", "mv_r")
PATHS = ("a", "b", "a/b", "a/b/c", "d", "d/e", "a/", "d/e/")


def random_steps(seed: int, memory: Side) -> Iterator[Step]:
    chance = random.Random(seed)
    while True:
        kind = chance.choices([READ, CHANGE, TWO], [4, 6, 3])[0]
        verb = chance.choice(kind)
        yield (verb, *chance.sample(PATHS, 2 if kind is TWO else 1))


@pytest.mark.parametrize("seed", range(12))
def test_random_steps(sides: tuple[Side, Side], seed: int) -> None:
    memory, jetstow = sides
    done: list[Step] = []
    for step in random_steps(seed, memory):
        if len(done) == 60:
            break
        done.append(step)
        try:
            compare(sides, [step])
        except AssertionError as e:
            raise AssertionError(f"{e} after {done}")
