"""universal_pathlib: `UPath` maps `jetstow:` URLs to `JetstowPath`, without warnings."""

from __future__ import annotations

import pytest


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


def test_upath_mkdir_creates_buckets(root: str, options: dict[str, str]) -> None:
    from jetstow.fs.upath import JetstowPath

    path = JetstowPath(f"jetstow://{root}", **options)
    path.mkdir(exist_ok=True)
    with pytest.raises(FileExistsError):
        path.mkdir()
    (path / "folder").mkdir()
    with pytest.raises(FileNotFoundError):
        JetstowPath(f"jetstow://{root}-2/folder", **options).mkdir()
    path.rmdir()
    assert not path.exists()
