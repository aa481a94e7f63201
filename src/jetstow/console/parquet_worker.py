"""A program that reads the first rows of a Parquet file, whose bytes it requests by ranges.

What a file has is not trusted: pyarrow's parsers and what they decompress stay in
this process, with limits of its memory and its time. It imports nothing of jetstow.

Each request on stdout is a line `OFFSET SIZE`; stdin has the bytes. The last line is JSON:
`{"table": {...}}` or `{"error": "..."}`. The arguments are the memory that the process may have,
the size of the file, both in bytes, and the limits of the table.
"""

from __future__ import annotations

import io
import json
import math
import os
import resource
import sys
from typing import Any, Final

# The time of the process on a processor, in seconds.
_MAX_TIME: Final = 20
# pyarrow reads the columns of a row group in pieces of this size, instead of whole.
_BUFFER_SIZE: Final = 256 * 1024
# Limits of the metadata at the end of a file.
_MAX_METADATA_TEXT: Final = 16 * 1024 * 1024
_MAX_METADATA_ITEMS: Final = 1_000_000
# How many values of a list are shown.
_MAX_ITEMS: Final = 20
# A browser's numbers are floating-point.
_MAX_INTEGER: Final = 2**53


class RangeFile(io.RawIOBase):
    """A file of another process, which sends the ranges that are requested."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self._size = size
        self._position = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Set the position and return it."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def read(self, size: int | None = -1) -> bytes:
        """Return bytes from the position on.

        Raises: `EOFError` (the other process has ended).
        """
        rest = max(0, self._size - self._position)
        wanted = rest if size is None or size < 0 else min(size, rest)
        if not wanted:
            return b""
        write_line(f"{self._position} {wanted}")
        data = sys.stdin.buffer.read(wanted)
        if len(data) < wanted:
            raise EOFError
        self._position += wanted
        return data


def write_line(line: str) -> None:
    """Send a line to the other process."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def read_table(file: RangeFile, max_rows: int, max_columns: int, max_cell: int) -> dict[str, Any]:
    """Return the first rows of a Parquet file as the fields of a table."""
    import pyarrow.parquet as pq  # noqa: PLC0415 - after the limits

    with pq.ParquetFile(
        file,
        buffer_size=_BUFFER_SIZE,
        pre_buffer=False,
        thrift_string_size_limit=_MAX_METADATA_TEXT,
        thrift_container_size_limit=_MAX_METADATA_ITEMS,
    ) as parquet:
        schema, total = parquet.schema_arrow, parquet.metadata.num_rows
        fields = list(schema)[:max_columns]
        names = [field.name for field in fields]
        rows: list[list[Any]] = []
        for batch in parquet.iter_batches(max_rows, columns=names, use_threads=False):
            columns = [batch.column(name) for name in names]
            rows += (
                [cell(value(column[row]), max_cell) for column in columns]
                for row in range(min(max_rows - len(rows), batch.num_rows))
            )
            if len(rows) >= max_rows:
                break
        return {
            "columns": [
                {"name": field.name[:max_cell], "type": str(field.type)[:100]} for field in fields
            ],
            "rows": rows,
            "truncated": total > len(rows) or len(schema) > len(fields),
            "total": total,
        }


def value(scalar: Any) -> Any:
    """Return the value of a cell; of a list only its first values."""
    values = getattr(scalar, "values", None)
    if values is None or not hasattr(values, "slice"):
        return scalar.as_py()
    shown = values.slice(0, _MAX_ITEMS).to_pylist()
    return [*shown, "…"] if len(values) > _MAX_ITEMS else shown


def cell(found: Any, max_cell: int) -> str | int | float | bool | None:
    """Return a value as JSON has it exactly, and not too long."""
    if found is None or isinstance(found, bool):
        return found
    if isinstance(found, int):
        return found if abs(found) < _MAX_INTEGER else str(found)
    if isinstance(found, float):
        return found if math.isfinite(found) else str(found)
    if isinstance(found, bytes):
        return f"0x{found[: max_cell // 2].hex()}"
    if hasattr(found, "isoformat"):
        return str(found.isoformat())
    return str(found)[:max_cell]


def main() -> None:
    """Read the file that the other process has."""
    # glibc's allocator: others reserve more addresses than the limit.
    os.environ["ARROW_DEFAULT_MEMORY_POOL"] = "system"
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # numpy's, with memory for each
    max_memory, size, *limits = map(int, sys.argv[1:])
    resource.setrlimit(resource.RLIMIT_AS, (max_memory, max_memory))
    resource.setrlimit(resource.RLIMIT_CPU, (_MAX_TIME, _MAX_TIME))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        result: dict[str, Any] = {"table": read_table(RangeFile(size), *limits)}
    except EOFError:
        sys.exit(1)
    except MemoryError:
        result = {"error": "its first rows need too much memory"}
    except Exception as error:  # noqa: BLE001 - pyarrow has a dozen classes for what is wrong
        result = {"error": " ".join(str(error).split())[:200]}
    write_line(json.dumps(result))


if __name__ == "__main__":
    main()
