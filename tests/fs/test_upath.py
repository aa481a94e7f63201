"""universal_pathlib: `UPath` maps `jetstow:` URLs to `JetstowPath`, without warnings."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

_NAMES = """
import json, sys
from upath import UPath

folder = UPath(sys.argv[1], **json.loads(sys.argv[2]))
(folder / "march.txt").write_text("3")
print(*(path.name for path in folder.rglob("*.txt")))
"""


def test_upath_operations(root: str, options: dict[str, str]) -> None:
    from upath import UPath

    from jetstow.fs.upath import JetstowPath

    folder = UPath(f"jetstow://{root}/notes", **options)
    assert isinstance(folder, JetstowPath)
    path = folder / "2026" / "a.txt"
    path.write_text("hello")
    assert path.read_text() == "hello"
    assert (path.name, path.suffix, path.exists(), path.is_file()) == ("a.txt", ".txt", True, True)
    assert path.stat().st_size == 5
    assert [child.name for child in folder.iterdir()] == ["2026"]
    assert [child.name for child in folder.rglob("*.txt")] == ["a.txt"]
    path.rename(folder / "b.txt")
    assert not path.exists()
    (folder / "b.txt").unlink()
    assert not folder.exists()


def test_first_path_of_a_process(root: str, options: dict[str, str]) -> None:
    """The names lost their first letters, as the file system was not loaded yet."""
    command = [sys.executable, "-c", _NAMES, f"jetstow://{root}/first", json.dumps(options)]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert (result.stdout, result.stderr) == ("march.txt\n", "")


def test_upath_makes_buckets_and_folders(root: str, options: dict[str, str]) -> None:
    from jetstow.fs.upath import JetstowPath

    path = JetstowPath(f"jetstow://{root}", **options)
    path.mkdir(exist_ok=True)
    with pytest.raises(FileExistsError):
        path.mkdir()
    folder = path / "folder"
    folder.mkdir()
    assert folder.is_dir()
    assert list(folder.iterdir()) == []
    assert list(path.iterdir()) == [folder]
    with pytest.raises(FileExistsError):
        folder.mkdir()
    folder.mkdir(exist_ok=True)
    (folder / "file").touch()
    with pytest.raises(FileExistsError):
        (folder / "file").mkdir(exist_ok=True)
    (folder / "file").unlink()
    assert folder.exists()
    with pytest.raises(FileNotFoundError):
        JetstowPath(f"jetstow://{root}-2/folder", **options).mkdir()
    folder.rmdir()
    assert not folder.exists()
    path.rmdir()
    assert not path.exists()


def test_upath_moves_a_folder(root: str, options: dict[str, str]) -> None:
    from upath import UPath

    folder = UPath(f"jetstow://{root}/old", **options)
    (folder / "sub").mkdir(parents=True)
    (folder / "a").write_text("a")
    with pytest.raises(OSError, match="not empty"):
        folder.rename(folder.parent / "new")
    folder.move(folder.parent / "new")
    assert sorted(path.name for path in folder.parent.rglob("*")) == ["a", "new", "sub"]
