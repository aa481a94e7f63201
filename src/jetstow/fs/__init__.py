"""Objects as files of fsspec: `jetstow://bucket/path`, for pandas, polars, pyarrow and others.

    import pandas as pd

    frame.to_parquet("jetstow://tables/2026/frame.parquet")
    pd.read_parquet("jetstow://tables/2026/frame.parquet", columns=["price"])

Needs `pip install "jetstow[fs]"`. Where the server is, `storage_options={"servers": "nats://…"}`
says, or what `jetstow.connect()` goes by.
"""

from jetstow.fs.filesystem import JetstowFileSystem

__all__ = ["JetstowFileSystem"]
