"""Text files in encodings that begin with a byte order mark."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
from pathlib import Path
from typing import Any

import fsspec
import pandas as pd
import pytest

from jetstow.fs import JetstowFileSystem

ENCODINGS = ["utf-16", "utf-32", "utf-8-sig", "utf-16-le", "utf-16-be", "utf-32-be", "utf-8"]
LINES = ["Zürich\n", "東京\n", "end\n"]
PLAIN = {None: open, "gzip": gzip.open, "bz2": bz2.open, "xz": lzma.open}


def download(fs: JetstowFileSystem, path: str, folder: Path) -> Path:
    local = folder / "downloaded"
    fs.get_file(path, str(local))
    return local


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("compression", PLAIN)
def test_text_is_read_by_plain_python(
    fs: JetstowFileSystem, root: str, tmp_path: Path, encoding: str, compression: str | None
) -> None:
    """The byte order mark was missing: Python then guesses the byte order, or refuses the file."""
    path = f"{root}/a"
    with fs.open(path, "w", encoding=encoding, compression=compression, block_size=10) as file:
        for line in LINES:
            file.write(line)
    with fs.open(path, "a", encoding=encoding, compression=compression) as file:
        file.write("appended\n")
    opened: Any = PLAIN[compression]
    with opened(download(fs, path, tmp_path), "rt", encoding=encoding) as file:
        assert list(file) == [*LINES, "appended\n"]
    with fs.open(path, "r", encoding=encoding, compression=compression) as file:
        assert list(file) == [*LINES, "appended\n"]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_bytes_are_those_of_a_local_file(
    fs: JetstowFileSystem, root: str, tmp_path: Path, encoding: str
) -> None:
    for mode in ("w", "a", "a"):
        with (
            fs.open(f"{root}/a", mode, encoding=encoding, newline="\r\n") as stored,
            (tmp_path / "a").open(mode, encoding=encoding, newline="\r\n") as local,
        ):
            for file in (stored, local):
                file.writelines(LINES)
    assert fs.cat_file(f"{root}/a") == (tmp_path / "a").read_bytes()
    with fs.open(f"{root}/b", "x", encoding=encoding) as file:
        file.write("")
    with (tmp_path / "b").open("x", encoding=encoding) as file:
        file.write("")
    assert fs.cat_file(f"{root}/b") == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_fsspec_open(
    root: str, options: dict[str, Any], fs: JetstowFileSystem, tmp_path: Path, encoding: str
) -> None:
    """`fsspec.open` encodes with a wrapper of its own."""
    url = f"jetstow://{root}/a"
    for mode in ("w", "a"):
        with fsspec.open(url, mode, encoding=encoding, **options) as file:
            file.writelines(LINES)
    with download(fs, f"{root}/a", tmp_path).open(encoding=encoding) as local:
        assert list(local) == LINES * 2
    with fsspec.open(url, "r", encoding=encoding, **options) as file:
        assert file.read() == "".join(LINES * 2)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_upath_and_pandas(
    root: str, options: dict[str, Any], fs: JetstowFileSystem, tmp_path: Path, encoding: str
) -> None:
    from upath import UPath

    path = UPath(f"jetstow://{root}/a", **options)
    path.write_text("".join(LINES), encoding=encoding)
    assert path.read_text(encoding=encoding) == "".join(LINES)
    assert download(fs, f"{root}/a", tmp_path).read_text(encoding=encoding) == "".join(LINES)
    with path.open("a", encoding=encoding) as file:
        file.write("more")
    assert path.read_text(encoding=encoding) == "".join([*LINES, "more"])
    frame = pd.DataFrame({"city": ["Zürich", "東京"]})
    url = f"jetstow://{root}/frame.csv"
    frame.to_csv(url, index=False, encoding=encoding, storage_options=options)
    local = download(fs, f"{root}/frame.csv", tmp_path)
    assert local.read_text(encoding=encoding) == "city\nZürich\n東京\n"
    read = pd.read_csv(url, encoding=encoding, storage_options=options)
    pd.testing.assert_frame_equal(read, frame)


def test_position_of_an_appended_file(fs: JetstowFileSystem, root: str) -> None:
    fs.pipe(f"{root}/a", b"12345")
    with fs.open(f"{root}/a", "ab") as file:
        assert file.tell() == 5
        file.write(b"678")
        assert file.tell() == 8
    assert fs.cat_file(f"{root}/a") == b"12345678"


def test_file_that_cannot_seek_says_so(fs: JetstowFileSystem, root: str) -> None:
    """Libraries that test whether a file can seek, such as `zipfile`, take the other way."""
    with fs.open(f"{root}/a", "wb") as file:
        with pytest.raises(OSError, match="Seek only available"):
            file.seek(0)
        file.write(b"1")
        assert not file.seekable()
    with fs.open(f"{root}/z", "wb") as file, zipfile.ZipFile(file, "w") as archive:
        archive.writestr("name", b"content")
    assert zipfile.ZipFile(io.BytesIO(fs.cat_file(f"{root}/z"))).read("name") == b"content"
