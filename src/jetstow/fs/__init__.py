"""The fsspec file system for `jetstow://bucket/name` URLs: pandas, polars, pyarrow and others.

    import pandas as pd

    frame.to_parquet("jetstow://tables/2026/frame.parquet")
    pd.read_parquet("jetstow://tables/2026/frame.parquet", columns=["price"])

Requires `pip install "jetstow[fs]"`. `storage_options={"servers": "nats://…"}` names the server;
without it, the file system connects as `jetstow.connect()` does.
"""

from jetstow.fs.filesystem import JetstowFileSystem

__all__ = ["JetstowFileSystem"]
