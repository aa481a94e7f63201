"""pyiceberg: a table whose warehouse is a bucket, with a catalog in SQLite."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.gateway import OWNER, REGION

if TYPE_CHECKING:
    from tests.support.gateway import RunningGateway


def test_pyiceberg_table(gateway: RunningGateway, s3_bucket: str, tmp_path: Path) -> None:
    import pyarrow as pa
    from pyiceberg.catalog.sql import SqlCatalog

    catalog = SqlCatalog(
        "test",
        **{
            "uri": f"sqlite:///{tmp_path}/catalog.db", "warehouse": f"s3://{s3_bucket}/warehouse",
            "s3.endpoint": gateway.url, "s3.region": REGION,
            "s3.access-key-id": OWNER.access_key, "s3.secret-access-key": OWNER.secret_key,
        },
    )  # fmt: skip
    catalog.create_namespace("space")
    rows = pa.table({"n": range(1_000), "k": [str(number % 3) for number in range(1_000)]})
    table = catalog.create_table("space.numbers", rows.schema)
    table.append(rows)
    table.append(rows.slice(0, 10))
    assert table.scan().to_arrow().num_rows == 1_010
    found = table.scan(row_filter="k = '1'", selected_fields=("n",)).to_arrow()
    assert sorted(found["n"].to_pylist()) == sorted([*range(1, 1_000, 3), 1, 4, 7])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a delete that rewrites files warns
        table.delete("k = '1'")
    assert catalog.load_table("space.numbers").scan().to_arrow().num_rows == 1_010 - len(found)
    first = table.history()[0].snapshot_id
    assert table.scan(snapshot_id=first).to_arrow().num_rows == 1_000
    catalog.close()
