"""Modification time and mode of files in the metadata of objects."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from jetstow import ObjectInfo
from jetstow._transfer.folders.file_attributes import FileAttributes

MTIME = 1_700_000_000_123_456_789


def attributes_of(metadata: dict[str, str]) -> FileAttributes:
    return FileAttributes.of_object(ObjectInfo("a", bucket="b", nuid="n", metadata=metadata))


def test_metadata_of_a_file(tmp_path: Path) -> None:
    """The format is that of rclone."""
    path = tmp_path / "a"
    path.touch()
    path.chmod(0o4751)
    os.utime(path, ns=(0, MTIME))
    metadata = FileAttributes.of_file(path.stat()).metadata()
    assert metadata == {"mtime": "2023-11-14T22:13:20.123456789Z", "mode": "0751"}
    assert attributes_of(metadata) == FileAttributes(MTIME, 0o751)


def test_metadata_of_other_clients() -> None:
    rclone = {"mtime": "2023-11-14T23:13:20.123456789+01:00", "mode": "0100644"}
    assert attributes_of(rclone) == FileAttributes(MTIME, 0o644)
    assert attributes_of({"mode": "106777"}) == FileAttributes(None, 0o777)  # not setuid


@pytest.mark.parametrize("mtime", ["", "x", "Z", "2023-13-01T00:00:00Z", "1700000000.5", "\0" * 30])
def test_invalid_metadata(mtime: str) -> None:
    assert attributes_of({"mtime": mtime, "mode": "rw-"}) == FileAttributes(None, None)


def test_time_that_has_no_format() -> None:
    assert FileAttributes(10**21, None).metadata() == {}


@pytest.mark.parametrize(
    ("wanted", "included"),
    [
        (FileAttributes(MTIME, 0o644), True),
        (FileAttributes(None, None), True),
        (FileAttributes(MTIME + 10**9, None), True),  # FAT rounds to two seconds
        (FileAttributes(MTIME + 2 * 10**9, 0o644), False),
        (FileAttributes(MTIME, 0o600), False),
    ],
)
def test_comparison(wanted: FileAttributes, included: bool) -> None:
    assert FileAttributes(MTIME, 0o644).includes(wanted) is included
    assert FileAttributes(None, None).includes(wanted) is (wanted == FileAttributes(None, None))
