"""delta-rs: tables, with writers at the same time, whose commits are conditional puts."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor


def test_delta_concurrent_writers(s3_bucket: str, storage_options: dict[str, str]) -> None:
    import pyarrow as pa
    from deltalake import DeltaTable, write_deltalake

    url = f"s3://{s3_bucket}/table"
    schema = pa.schema([("writer", pa.int64()), ("n", pa.int64())])
    DeltaTable.create(url, schema, storage_options=storage_options)

    def append(writer: int) -> None:
        for number in range(3):
            rows = pa.table({"writer": [writer], "n": [number]}, schema=schema)
            write_deltalake(url, rows, mode="append", storage_options=storage_options)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(append, range(4)))
    table = DeltaTable(url, storage_options=storage_options)
    assert table.version() == 12
    rows = pa.table(table.to_pyarrow_table()).to_pylist()
    found = sorted((row["writer"], row["n"]) for row in rows)
    assert found == [(writer, number) for writer in range(4) for number in range(3)]


def test_delta_history_and_vacuum(s3_bucket: str, storage_options: dict[str, str]) -> None:
    import pyarrow as pa
    from deltalake import DeltaTable, write_deltalake

    url = f"s3://{s3_bucket}/table"
    write_deltalake(url, pa.table({"n": [1, 2]}), storage_options=storage_options)
    write_deltalake(url, pa.table({"n": [3]}), mode="overwrite", storage_options=storage_options)
    table = DeltaTable(url, storage_options=storage_options)
    assert pa.table(table.to_pyarrow_table())["n"].to_pylist() == [3]
    old = DeltaTable(url, version=0, storage_options=storage_options)
    assert pa.table(old.to_pyarrow_table())["n"].to_pylist() == [1, 2]
    table.delete("n = 3")
    assert pa.table(table.to_pyarrow_table()).num_rows == 0
    removed = table.vacuum(0, enforce_retention_duration=False, dry_run=False)
    assert len(removed) == 2
