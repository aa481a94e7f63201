"""pyarrow: datasets in folders of Parquet files."""

from __future__ import annotations

from typing import Any

from jetstow.fs import JetstowFileSystem


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
    rows = dataset.to_table(filter=ds.field("year") == 2025, columns=["value"])
    assert rows.column("value").to_pylist() == [2.5, 3.5]
    assert {info.base_name for info in arrow.get_file_info(_selector(f"{root}/set"))} >= {"2024"}


def _selector(path: str) -> Any:
    from pyarrow.fs import FileSelector

    return FileSelector(path)
