"""DuckDB: `jetstow:` URLs in queries."""

from __future__ import annotations

import pandas as pd
import pytest

from jetstow.fs import JetstowFileSystem


def test_duckdb_query_and_copy(
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


def test_duckdb_partitioned_copy(fs: JetstowFileSystem, root: str) -> None:
    """DuckDB makes the folders, and looks whether they are empty."""
    import duckdb

    rows = "SELECT i % 2 AS k, i FROM range(10) t(i)"
    copy = f"COPY ({rows}) TO 'jetstow://{root}/d' (PARTITION_BY (k)"
    with duckdb.connect() as connection:
        connection.register_filesystem(fs)
        connection.execute(f"{copy}, FORMAT parquet)")
        with pytest.raises(duckdb.IOException, match="not empty"):
            connection.execute(f"{copy}, FORMAT parquet)")
        connection.execute(f"{copy}, FORMAT parquet, OVERWRITE_OR_IGNORE)")
        query = f"SELECT count(*), sum(k) FROM read_parquet('jetstow://{root}/d/*/*.parquet')"
        assert connection.sql(query).fetchall() == [(10, 5)]
    assert fs.ls(f"{root}/d", detail=False) == [f"{root}/d/k=0", f"{root}/d/k=1"]
