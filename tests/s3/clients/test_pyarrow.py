"""pyarrow's S3FileSystem: files, folders, datasets."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.gateway import OWNER, REGION

if TYPE_CHECKING:
    from tests.support.gateway import RunningGateway


@pytest.fixture
def file_system(gateway: RunningGateway) -> Any:
    from pyarrow import fs

    return fs.S3FileSystem(
        access_key=OWNER.access_key, secret_key=OWNER.secret_key, region=REGION,
        endpoint_override=gateway.url, allow_bucket_creation=True, allow_bucket_deletion=True,
    )  # fmt: skip


def test_pyarrow_files(file_system: Any, s3: Any, s3_bucket: str) -> None:
    from pyarrow import fs

    data = os.urandom(11 * 1024 * 1024)
    metadata = {"Content-Type": "text/x-test"}
    with file_system.open_output_stream(f"{s3_bucket}/d/large", metadata=metadata) as stream:
        stream.write(data)
    with file_system.open_input_file(f"{s3_bucket}/d/large") as file:
        assert file.size() == len(data)
        file.seek(6_000_000)
        assert file.read(10) == data[6_000_000:6_000_010]
        assert file.read_at(3, 0) == data[:3]
    head = s3.head_object(Bucket=s3_bucket, Key="d/large")
    assert (head["ContentType"], head["ContentLength"]) == ("text/x-test", len(data))
    file_system.copy_file(f"{s3_bucket}/d/large", f"{s3_bucket}/d/copy")
    file_system.move(f"{s3_bucket}/d/copy", f"{s3_bucket}/e/moved")
    file_system.create_dir(f"{s3_bucket}/empty")
    listed = file_system.get_file_info(fs.FileSelector(s3_bucket, recursive=True))
    kinds = {info.path.removeprefix(f"{s3_bucket}/"): info.type.name for info in listed}
    assert kinds == {
        "d": "Directory", "d/large": "File", "e": "Directory", "e/moved": "File",
        "empty": "Directory",
    }  # fmt: skip
    file_system.delete_dir_contents(s3_bucket)
    assert file_system.get_file_info(fs.FileSelector(s3_bucket)) == []
    assert file_system.get_file_info(f"{s3_bucket}/d/large").type == fs.FileType.NotFound


def test_pyarrow_dataset(file_system: Any, bucket: str) -> None:
    import pyarrow as pa
    from pyarrow import dataset, parquet

    file_system.create_dir(bucket)
    table = pa.table({"n": range(10_000), "k": [number % 3 for number in range(10_000)]})
    parquet.write_to_dataset(table, f"{bucket}/t", partition_cols=["k"], filesystem=file_system)
    read = dataset.dataset(f"{bucket}/t", filesystem=file_system, partitioning="hive")
    found = read.to_table(filter=dataset.field("k") == 1)
    assert sorted(found["n"].to_pylist()) == list(range(1, 10_000, 3))
    file_system.delete_dir(f"{bucket}/t")
    file_system.delete_dir(bucket)
