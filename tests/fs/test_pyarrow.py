"""pyarrow: datasets in folders of Parquet files."""

from __future__ import annotations

from typing import Any

import pytest

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


def test_pyarrow_folder_habits(fs: JetstowFileSystem, root: str) -> None:
    import pyarrow as pa
    import pyarrow.dataset as ds
    import pyarrow.parquet as pq
    from pyarrow.fs import FileType, FSSpecHandler, PyFileSystem

    arrow = PyFileSystem(FSSpecHandler(fs))
    table = pa.table({"year": [2024, 2025], "value": [1.5, 2.5]})
    for behavior in ("error", "overwrite_or_ignore", "delete_matching"):
        ds.write_dataset(
            table, f"{root}/set", format="parquet", partitioning=["year"], filesystem=arrow,
            existing_data_behavior=behavior,
        )  # fmt: skip
    with pytest.raises(pa.ArrowInvalid, match="not empty"):
        ds.write_dataset(table, f"{root}/set", format="parquet", filesystem=arrow)
    arrow.delete_dir_contents(f"{root}/set")
    assert arrow.get_file_info(f"{root}/set").type == FileType.Directory
    assert arrow.get_file_info(_selector(f"{root}/set")) == []
    arrow.delete_dir(f"{root}/set")
    assert arrow.get_file_info(f"{root}/set").type == FileType.NotFound
    arrow.create_dir(f"{root}/a/b")
    arrow.create_dir(f"{root}/a/b")
    assert [info.path for info in arrow.get_file_info(_selector(f"{root}/a"))] == [f"{root}/a/b"]
    arrow.move(f"{root}/a", f"{root}/c")
    assert fs.find(root, withdirs=True) == [root, f"{root}/c", f"{root}/c/b"]
    with pytest.raises(OSError, match="not empty"):
        arrow.delete_file(f"{root}/c")
    pq.write_to_dataset(table, f"{root}/pq", partition_cols=["year"], filesystem=fs)
    assert pq.read_table(f"{root}/pq", filesystem=fs).num_rows == 2


def _selector(path: str) -> Any:
    from pyarrow.fs import FileSelector

    return FileSelector(path)
