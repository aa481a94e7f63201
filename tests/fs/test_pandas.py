"""pandas: tables in a bucket."""

from __future__ import annotations

import pandas as pd
import pytest

from jetstow.fs import JetstowFileSystem


def test_pandas_csv(root: str, options: dict[str, str], frame: pd.DataFrame) -> None:
    url = f"jetstow://{root}/tables/frame.csv"
    frame.to_csv(url, index=False, storage_options=options)
    pd.testing.assert_frame_equal(pd.read_csv(url, storage_options=options), frame)
    chunks = pd.read_csv(url, storage_options=options, chunksize=3_000)
    assert [len(chunk) for chunk in chunks] == [3_000, 3_000, 3_000, 1_000]
    frame[:5].to_csv(f"{url}.gz", index=False, storage_options=options)
    assert len(pd.read_csv(f"{url}.gz", storage_options=options)) == 5


def test_pandas_parquet(root: str, options: dict[str, str], frame: pd.DataFrame) -> None:
    url = f"jetstow://{root}/tables/frame.parquet"
    frame.to_parquet(url, storage_options=options)
    pd.testing.assert_frame_equal(pd.read_parquet(url, storage_options=options), frame)
    half = pd.read_parquet(url, columns=["half"], storage_options=options)
    assert list(half.columns) == ["half"]


def test_pandas_missing_file(root: str, options: dict[str, str]) -> None:
    with pytest.raises(FileNotFoundError, match="nothing"):
        pd.read_csv(f"jetstow://{root}/nothing.csv", storage_options=options)


def test_pandas_partitioned_folder(
    fs: JetstowFileSystem, root: str, options: dict[str, str], frame: pd.DataFrame
) -> None:
    url = f"jetstow://{root}/tables/set"
    frame["odd"] = frame["n"] % 2
    for _ in range(2):
        frame.to_parquet(url, partition_cols=["odd"], storage_options=options)
    read = pd.read_parquet(url, filters=[("odd", "==", 1)], storage_options=options)
    assert len(read) == len(frame)
    fs.rm(f"{root}/tables", recursive=True)
    assert fs.ls(root) == []
