"""universal_pathlib: `UPath` knows jetstow's addresses, without warnings."""

from __future__ import annotations

import pytest


def test_universal_pathlib(root: str, options: dict[str, str]) -> None:
    from upath import UPath

    from jetstow.fs.upath import JetstowPath

    folder = UPath(f"jetstow://{root}/notes", **options)
    assert isinstance(folder, JetstowPath)
    path = folder / "2026" / "a.txt"
    path.write_text("hello")
    assert path.read_text() == "hello"
    assert (path.name, path.suffix, path.exists(), path.is_file()) == ("a.txt", ".txt", True, True)
    assert path.stat().st_size == 5
    assert [each.name for each in folder.iterdir()] == ["2026"]
    assert [each.name for each in folder.rglob("*.txt")] == ["a.txt"]
    path.rename(folder / "b.txt")
    assert not path.exists()
    (folder / "b.txt").unlink()
    assert not folder.exists()


def test_universal_pathlib_makes_buckets(root: str, options: dict[str, str]) -> None:
    from jetstow.fs.upath import JetstowPath

    made = JetstowPath(f"jetstow://{root}", **options)
    made.mkdir(exist_ok=True)
    with pytest.raises(FileExistsError):
        made.mkdir()
    (made / "folder").mkdir()
    with pytest.raises(FileNotFoundError):
        JetstowPath(f"jetstow://{root}-2/folder", **options).mkdir()
    made.rmdir()
    assert not made.exists()
