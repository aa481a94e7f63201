"""Read one column of a large Parquet file, and all of it: `python -m benchmarks.columns`.

It reads a file of 20 columns of random numbers, which do not compress, through fsspec. The file has
row groups of pyarrow's default size, or of 10 MiB. Each row group of a column is a request. The
reads run in turn; the ratio is the result.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import fsspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from tests.support.servers import NatsServer

MIB = 1024 * 1024
COLUMNS = 20
ROWS = 200 * MIB // 8 // COLUMNS
GROUPS = {"pyarrow's own": 1024 * 1024, "small": ROWS // 20}
REPEATS = 5
PATH = "tables/wide.parquet"


def main() -> None:
    """Measure and print a table for each kind of file."""
    with NatsServer() as server:
        options = {"servers": server.url}
        fs = fsspec.filesystem("jetstow", **options)
        fs.mkdir("tables")
        generator = np.random.default_rng(0)
        table = pa.table({f"c{n}": generator.random(ROWS) for n in range(COLUMNS)})
        for kind, rows in GROUPS.items():
            with fs.open(PATH, "wb") as file:
                pq.write_table(
                    table, file, row_group_size=rows, compression="none", use_dictionary=False
                )
            size = fs.size(PATH) / MIB
            print(f"{size:.0f} MiB, {COLUMNS} columns, {-(-ROWS // rows)} row groups ({kind} size)")
            _compare(server, fs, options)
        fs.close()


def _compare(server: NatsServer, fs: Any, options: dict[str, str]) -> None:
    reads: dict[str, Callable[[], Any]] = {
        "pandas, one column": lambda: _pandas(options, ["c7"]),
        "pandas, all": lambda: _pandas(options, None),
        "pyarrow, one column": lambda: _pyarrow(fs, ["c7"]),
        "pyarrow, all": lambda: _pyarrow(fs, None),
        "all its bytes": lambda: fs.cat_file(PATH),
    }
    taken: dict[str, list[float]] = {name: [] for name in reads}
    sent: dict[str, int] = {}
    for _ in range(REPEATS):
        for name, read in reads.items():
            before, began = _sent(server), time.perf_counter()
            read()
            taken[name].append(time.perf_counter() - began)
            sent[name] = _sent(server) - before
    print(f"{'':22} {'seconds':>8} {'MiB sent':>9}   median of {REPEATS}")
    for name, each in taken.items():
        print(f"{name:22} {statistics.median(each):8.3f} {sent[name] / MIB:9.1f}")
    for tool in ("pandas", "pyarrow"):
        one, whole = (statistics.median(taken[f"{tool}, {what}"]) for what in ("one column", "all"))
        print(f"{tool}: one column takes {one / whole:.2f} of all")
    print()


def _pandas(options: dict[str, str], columns: list[str] | None) -> None:
    frame = pd.read_parquet(f"jetstow://{PATH}", columns=columns, storage_options=options)
    assert frame.shape == (ROWS, len(columns or range(COLUMNS)))


def _pyarrow(fs: Any, columns: list[str] | None) -> None:
    with fs.open(PATH) as file:
        table = pq.read_table(file, columns=columns)
    assert table.shape == (ROWS, len(columns or range(COLUMNS)))


def _sent(server: NatsServer) -> int:
    return int(server.monitor("varz")["out_bytes"])


if __name__ == "__main__":
    main()
