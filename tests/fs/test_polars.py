"""polars: open files."""

from __future__ import annotations

from jetstow.fs import JetstowFileSystem


def test_polars_parquet_and_csv(fs: JetstowFileSystem, root: str) -> None:
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
