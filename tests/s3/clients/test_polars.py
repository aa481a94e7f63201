"""polars: scan_parquet, write_parquet, sinks, CSV, by storage options."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture
def frame() -> Any:
    import polars as pl

    return pl.DataFrame({"n": range(100_000), "k": [str(number % 7) for number in range(100_000)]})


def test_polars_parquet(frame: Any, s3_bucket: str, storage_options: dict[str, str]) -> None:
    import polars as pl

    url = f"s3://{s3_bucket}/d/frame.parquet"
    frame.write_parquet(url, storage_options=storage_options)
    lazy = pl.scan_parquet(url, storage_options=storage_options)
    assert lazy.collect().equals(frame)
    found = lazy.filter(pl.col("k") == "3").select(pl.col("n").sum()).collect()
    assert found.item() == sum(range(3, 100_000, 7))
    lazy.sink_parquet(f"s3://{s3_bucket}/d/sunk.parquet", storage_options=storage_options)
    folder = pl.scan_parquet(f"s3://{s3_bucket}/d/*.parquet", storage_options=storage_options)
    assert folder.select(pl.len()).collect().item() == 200_000


def test_polars_csv(frame: Any, s3: Any, s3_bucket: str, storage_options: dict[str, str]) -> None:
    import polars as pl

    url = f"s3://{s3_bucket}/frame.csv"
    frame.write_csv(url, storage_options=storage_options)
    assert s3.get_object(Bucket=s3_bucket, Key="frame.csv")["Body"].read(8) == b"n,k\n0,0\n"
    read = pl.scan_csv(url, storage_options=storage_options, schema_overrides={"k": pl.String})
    assert read.collect().equals(frame)
