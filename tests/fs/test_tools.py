"""The tools that people use, on real files in a real bucket."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from jetstow.fs import JetstowFileSystem


@pytest.fixture
def frame() -> pd.DataFrame:
    numbers = np.arange(10_000)
    return pd.DataFrame({"n": numbers, "half": numbers / 2, "name": [f"row {n}" for n in numbers]})


# -- pandas --------------------------------------------------------------------------------


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


def test_pandas_says_what_is_missing(root: str, options: dict[str, str]) -> None:
    with pytest.raises(FileNotFoundError, match="nothing"):
        pd.read_csv(f"jetstow://{root}/nothing.csv", storage_options=options)


# -- polars --------------------------------------------------------------------------------


def test_polars(fs: JetstowFileSystem, root: str) -> None:
    import polars as pl

    frame = pl.DataFrame({"a": [1, 2, 3], "b": ["x", "y", "z"]})
    with fs.open(f"{root}/p.parquet", "wb") as file:
        frame.write_parquet(file)
    with fs.open(f"{root}/p.parquet") as file:
        assert pl.read_parquet(file, columns=["b"]).equals(frame.select("b"))
    with fs.open(f"{root}/p.csv", "wb") as file:
        frame.write_csv(file)
    with fs.open(f"{root}/p.csv") as file:
        assert pl.read_csv(file).equals(frame)


# -- pyarrow -------------------------------------------------------------------------------


def test_pyarrow_datasets(fs: JetstowFileSystem, root: str) -> None:
    import pyarrow as pa
    import pyarrow.dataset as ds
    from pyarrow.fs import FSSpecHandler, PyFileSystem

    table = pa.table({"year": [2024, 2025, 2025], "value": [1.5, 2.5, 3.5]})
    arrow = PyFileSystem(FSSpecHandler(fs))
    ds.write_dataset(
        table, f"{root}/set", format="parquet", partitioning=["year"], filesystem=arrow
    )
    dataset = ds.dataset(f"{root}/set", format="parquet", partitioning=["year"], filesystem=arrow)
    assert len(dataset.files) == 2
    found = dataset.to_table(filter=ds.field("year") == 2025, columns=["value"])
    assert found.column("value").to_pylist() == [2.5, 3.5]
    assert {info.base_name for info in arrow.get_file_info(_below(f"{root}/set"))} >= {"2024"}


def _below(path: str) -> Any:
    from pyarrow.fs import FileSelector

    return FileSelector(path)


# -- DuckDB --------------------------------------------------------------------------------


def test_duckdb(
    fs: JetstowFileSystem, root: str, options: dict[str, str], frame: pd.DataFrame
) -> None:
    import duckdb

    frame.to_parquet(f"jetstow://{root}/d/frame.parquet", storage_options=options)
    with duckdb.connect() as connection:
        connection.register_filesystem(fs)
        query = f"SELECT max(n), sum(half) FROM 'jetstow://{root}/d/*.parquet'"
        assert connection.sql(query).fetchall() == [(9_999, frame["half"].sum())]
        connection.execute(f"COPY (SELECT 42 AS answer) TO 'jetstow://{root}/d/copy.csv'")
    assert fs.cat_file(f"{root}/d/copy.csv") == b"answer\n42\n"


# -- zarr ----------------------------------------------------------------------------------


def test_zarr(root: str, options: dict[str, str]) -> None:
    import zarr

    data = np.arange(10_000).reshape(100, 100)
    url = f"jetstow://{root}/array.zarr"
    array = zarr.create_array(
        url, shape=data.shape, chunks=(25, 25), dtype=data.dtype, storage_options=options
    )
    array[:] = data
    again = zarr.open_array(url, mode="r", storage_options=options)
    assert np.array_equal(again[20:60, 30:40], data[20:60, 30:40])


# -- universal_pathlib ---------------------------------------------------------------------


def test_universal_pathlib(root: str, options: dict[str, str]) -> None:
    from upath import UPath

    with warnings.catch_warnings():
        # It does not know the protocol, and says so; it works all the same.
        warnings.filterwarnings("ignore", message=".*UPath.*jetstow.*", category=UserWarning)
        folder = UPath(f"jetstow://{root}/notes", **options)
        path = folder / "2026" / "a.txt"
        path.write_text("hello")
        assert path.read_text() == "hello"
        assert (path.name, path.suffix, path.exists(), path.is_file()) == (
            "a.txt",
            ".txt",
            True,
            True,
        )
        assert [each.name for each in folder.iterdir()] == ["2026"]
        assert [each.name for each in folder.rglob("*.txt")] == ["a.txt"]
        path.rename(folder / "b.txt")
        assert not path.exists()
        (folder / "b.txt").unlink()
        assert not folder.exists()


# -- scikit-learn --------------------------------------------------------------------------


def test_scikit_learn(fs: JetstowFileSystem, root: str) -> None:
    import joblib
    from sklearn.linear_model import LinearRegression

    x = np.arange(20).reshape(-1, 1)
    model = LinearRegression().fit(x, 3 * x.ravel() + 1)
    with fs.open(f"{root}/model.joblib", "wb") as file:
        joblib.dump(model, file)
    with fs.open(f"{root}/model.joblib") as file:
        again = joblib.load(file)
    assert np.allclose(again.predict([[100]]), 301)


# -- the standard library, and h5py --------------------------------------------------------


def test_archives_and_h5py(fs: JetstowFileSystem, root: str, tmp_path: Path) -> None:
    import zipfile

    import h5py

    with fs.open(f"{root}/a.zip", "wb") as file, zipfile.ZipFile(file, "w") as archive:
        archive.writestr("one", b"1" * 1_000)
        archive.writestr("two", b"2" * 2_000_000)
    with fs.open(f"{root}/a.zip") as file:
        assert zipfile.ZipFile(file).read("one") == b"1" * 1_000
        assert file.cache.total_requested_bytes < 200_000
    with h5py.File(tmp_path / "h5", "w") as made:
        made["x"] = np.arange(1_000)
    fs.put_file(str(tmp_path / "h5"), f"{root}/h5")
    with fs.open(f"{root}/h5") as file, h5py.File(file, "r") as opened:
        assert opened["x"][10] == 10
    with fs.open(f"{root}/a.npy", "wb") as file:
        np.save(file, np.eye(3))
    with fs.open(f"{root}/a.npy") as file:
        assert np.array_equal(np.load(io.BytesIO(file.read())), np.eye(3))
