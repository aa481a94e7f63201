"""Text files, compressed files and transactions: a failure stores nothing."""

from __future__ import annotations

import gc
from contextlib import suppress
from typing import Any

import fsspec
import pandas as pd
import pytest

from jetstow.fs import JetstowFileSystem
from tests.fs.conftest import OtherClient
from tests.support.samples import some_bytes


@pytest.mark.parametrize("compression", [None, "gzip", "bz2", "xz", "infer"])
@pytest.mark.parametrize("mode", ["w", "wb", "xt"])
def test_text_and_compression(
    fs: JetstowFileSystem, root: str, mode: str, compression: str | None
) -> None:
    text = "Zürich\n" * 1_000
    data: Any = text.encode() if "b" in mode else text
    options = {} if "b" in mode else {"encoding": "utf-8", "newline": ""}
    path = f"{root}/a.gz"
    with fs.open(path, mode, compression=compression, **options) as file:
        file.write(data)
    stored = fs.cat_file(path)
    assert (stored == text.encode()) == (compression is None)
    with fs.open(path, "r", compression=compression, encoding="utf-8") as file:
        assert file.read() == text


@pytest.mark.parametrize("mode", ["w", "wb"])
@pytest.mark.parametrize("compression", [None, "gzip", "xz"])
def test_exception_keeps_the_old_object(
    fs: JetstowFileSystem, root: str, other: OtherClient, mode: str, compression: str | None
) -> None:
    fs.pipe(f"{root}/a", b"old")

    def fail() -> None:
        with fs.open(f"{root}/a", mode, compression=compression, block_size=1_000) as file:
            file.write(some_bytes(50_000) if "b" in mode else "text" * 5_000)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    gc.collect()
    assert fs.cat_file(f"{root}/a") == b"old"
    assert other.chunks(root) == 1


@pytest.mark.parametrize("mode", ["w", "wb", "a", "x"])
@pytest.mark.parametrize("compression", [None, "gzip"])
def test_unclosed_file_is_not_stored(
    fs: JetstowFileSystem, root: str, other: OtherClient, mode: str, compression: str | None
) -> None:
    """Python's finalizer closed text files, which stored an incomplete object."""
    file = fs.open(f"{root}/a", mode, compression=compression, block_size=100)
    file.write(b"data" * 1_000 if "b" in mode else "data" * 1_000)
    del file
    gc.collect()
    while other.chunks(root):
        pass
    assert not fs.exists(f"{root}/a")


@pytest.mark.parametrize("options", [{"encoding": "nonsense"}, {"newline": "x"}])
def test_invalid_option_stores_nothing(
    fs: JetstowFileSystem, root: str, options: dict[str, str]
) -> None:
    with fs.transaction, pytest.raises((LookupError, ValueError)):
        fs.open(f"{root}/a", "w", **options)
    assert not fs.exists(f"{root}/a")


def test_exception_in_pandas_within_a_transaction(
    fs: JetstowFileSystem, root: str, options: Any
) -> None:
    class Bad:
        def __str__(self) -> str:
            raise ZeroDivisionError

    frame = pd.DataFrame({"a": [*range(1_000), Bad()]}, dtype=object)
    fs.pipe(f"{root}/a.csv", b"old")
    shared = fsspec.filesystem("jetstow", **options)  # the instance that pandas uses

    def fail() -> None:
        with shared.transaction:
            frame.to_csv(f"jetstow://{root}/a.csv", storage_options=options)

    with pytest.raises(ZeroDivisionError):
        fail()
    assert fs.cat_file(f"{root}/a.csv") == b"old"


def test_exclusive_creation(fs: JetstowFileSystem, root: str, other: OtherClient) -> None:
    with fs.open(f"{root}/a", "xb") as file:
        file.write(b"mine")
    for attempt in (
        lambda: fs.open(f"{root}/a", "xb"),
        lambda: fs.pipe_file(f"{root}/a", b"", mode="create"),
        lambda: fs.put_file(__file__, f"{root}/a", mode="create"),
    ):
        with pytest.raises(FileExistsError):
            attempt()
    file = fs.open(f"{root}/b", "xb")
    file.write(b"mine")
    other.put(root, "b", b"theirs")
    with pytest.raises(FileExistsError):
        file.close()
    assert fs.cat(root + "/b") == b"theirs"


def test_file_discarded_in_a_transaction(fs: JetstowFileSystem, root: str) -> None:
    with fs.transaction:
        with suppress(ZeroDivisionError), fs.open(f"{root}/a", "wb") as file:
            file.write(b"data")
            raise ZeroDivisionError
        with fs.open(f"{root}/b", "wb") as file:
            file.write(b"data")
    assert fs.find(root) == [f"{root}/b"]
