"""Local folders: listing, safe paths, comparison and removal of files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from jetstow import ObjectInfo
from jetstow._core.protocol.timestamps import format_timestamp
from jetstow._transfer.folders import local_tree
from jetstow.errors import InvalidObjectNameError

OLD = "2020-01-01T00:00:00Z"


def info(**fields: Any) -> ObjectInfo:
    return ObjectInfo(**({"name": "a", "bucket": "b", "nuid": "n"} | fields))


def test_scan_of_files_links_and_pipes(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/b").write_text("b")
    (tmp_path / "a").write_text("a")
    (tmp_path / "link").symlink_to("a")
    (tmp_path / "folder link").symlink_to("folder")
    os.mkfifo(tmp_path / "pipe")
    tree = local_tree.scan_tree(tmp_path)
    assert [name for name, _, _ in tree.files] == ["a", "folder/b"]
    assert sorted(tree.special_files) == ["folder link", "link", "pipe"]
    assert tree.unreadable == {}
    assert tree.may_contain("pipe")
    assert tree.may_contain("folder link/b")
    assert not tree.may_contain("a")
    assert not tree.may_contain("folder links/b")


def test_unreadable_folder_may_contain_any_name() -> None:
    tree = local_tree.LocalTree(unreadable={"folder/": OSError(), "file": OSError()})
    assert tree.may_contain("folder/a/b")
    assert tree.may_contain("file")
    assert not tree.may_contain("folder")
    assert not tree.may_contain("file/a")
    assert local_tree.LocalTree(unreadable={"": OSError()}).may_contain("a")


@pytest.mark.parametrize(
    "name", ["a", "a/b", "ü/x y", "-rf", "3.45\u202fPM.png", "\u0645\u06cc\u200c\u062e"]
)
def test_safe_names(tmp_path: Path, name: str) -> None:
    assert local_tree.local_path(tmp_path, name, "b") == tmp_path / name


@pytest.mark.parametrize(
    "name", ["", "/a", "a//b", "a/", ".", "..", "../a", "a/../b", "a\\b", "a\nb", "a\x9b", "link/a"]
)
def test_unsafe_names(tmp_path: Path, name: str) -> None:
    (tmp_path / "link").symlink_to("/tmp")
    with pytest.raises(InvalidObjectNameError, match="cannot be a file in folder") as caught:
        local_tree.local_path(tmp_path, name, "b")
    assert (caught.value.bucket, caught.value.name) == ("b", name)


def test_comparison_by_size_and_digest(tmp_path: Path) -> None:
    path = tmp_path / "a"
    stored = info(size=3, digest="SHA-256=ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0=")
    assert not local_tree.has_same_bytes(path, stored)
    path.write_text("abd")
    assert not local_tree.has_same_bytes(path, stored)
    path.write_text("abc")
    assert local_tree.has_same_bytes(path, stored)
    assert local_tree.file_digest(path) == stored.digest
    path.rename(tmp_path / "target")
    path.symlink_to("target")
    assert not local_tree.has_same_bytes(path, stored)


def test_comparison_of_encrypted_objects_by_time(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("abc")
    mtime = "2026-01-02T03:04:05.123456789Z"
    stored = info(size=3, mtime=mtime, headers={"Jetstow-Encryption": ["x"]})
    assert not local_tree.has_same_bytes(path, stored)
    with path.open("r+b") as file:
        local_tree.finish_file(file, path, stored)
    assert local_tree.has_same_bytes(path, stored)
    assert format_timestamp(path.stat().st_mtime_ns) == mtime
    assert not local_tree.has_same_bytes(path, info(**vars(stored) | {"metadata": {"mtime": OLD}}))


def test_removal_of_file_and_empty_folders(tmp_path: Path) -> None:
    for name in ("a/b/c", "a/d"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    local_tree.remove_file(tmp_path / "a/b/c", tmp_path)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a", "d"]
    local_tree.remove_file(tmp_path / "a/d", tmp_path)
    assert list(tmp_path.iterdir()) == []
