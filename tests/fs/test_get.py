"""get: folders on the local disk, also with objects whose names are not paths in a folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from jetstow.errors import InvalidObjectNameError
from jetstow.fs import JetstowFileSystem
from tests.fs.conftest import OtherClient


@pytest.fixture
def target(tmp_path: Path) -> Path:
    path = tmp_path / "one" / "two" / "target"
    path.mkdir(parents=True)
    return path


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.mark.parametrize(
    "name", ["../../evil", "..", "x/..", "x/../../../evil", "./x", "x//y", "..\\evil"]
)
def test_get_of_names_that_are_not_paths(
    fs: JetstowFileSystem,
    root: str,
    other: OtherClient,
    target: Path,
    tmp_path: Path,
    name: str,
) -> None:
    """Files were written above the folder; the newest fsspec refused to copy any file."""
    for stored in (f"data/{name}", "data/a", "data/sub/b"):
        other.put(root, stored, stored.encode())
    with pytest.raises(InvalidObjectNameError, match="not a safe path") as caught:
        fs.get(f"{root}/data/", str(target), recursive=True)
    assert (caught.value.bucket, caught.value.name) == (root, f"data/{name}")
    copied = {"one/two/target/a": b"data/a", "one/two/target/sub/b": b"data/sub/b"}
    assert contents(tmp_path) == copied
    fs.get([f"{root}/data/{name}"], [str(tmp_path / "chosen")])
    assert (tmp_path / "chosen").read_bytes() == f"data/{name}".encode()


def test_get_of_the_last_level_only(
    fs: JetstowFileSystem, root: str, other: OtherClient, target: Path, tmp_path: Path
) -> None:
    """A list of paths is copied into one folder."""
    for name in ("x/..", "x/a", "y/b"):
        other.put(root, name, b"x")
    with pytest.raises(InvalidObjectNameError):
        fs.get([f"{root}/{name}" for name in ("x/..", "x/a", "y/b")], f"{target}/")
    assert sorted(contents(tmp_path)) == ["one/two/target/a", "one/two/target/b"]


def test_targets_of_files_and_folders(fs: JetstowFileSystem, root: str, target: Path) -> None:
    """The rules of fsspec: into a folder that exists, or as the path."""
    for name in ("data/a", "data/sub/b"):
        fs.pipe(f"{root}/{name}", b"x")
    cases: tuple[tuple[str, str, bool, list[str]], ...] = (
        ("data/a", "", False, ["a"]),
        ("data/a", "/new", False, ["new"]),
        ("data/a", "/new/", False, ["new/a"]),
        ("data/*", "", False, ["a"]),
        ("data", "", False, []),
        ("data", "", True, ["data/a", "data/sub/b"]),
        ("data/", "", True, ["a", "sub/b"]),
        ("data", "/new", True, ["new/a", "new/sub/b"]),
        ("", "/new", True, ["new/data/a", "new/data/sub/b"]),
    )
    fs.get([f"{root}/data/a"], (f"{target}/one",))
    assert (target / "one").read_bytes() == b"x"
    for number, (source, to, recursive, expected) in enumerate(cases):
        folder = target / f"{number}"
        folder.mkdir()
        fs.get(f"{root}/{source}" if source else root, f"{folder}{to}", recursive=recursive)
        assert sorted(contents(folder)) == expected, (source, to, recursive)
