"""DuckDB: `jetstow:` URLs in queries."""

from __future__ import annotations

import pandas as pd

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
