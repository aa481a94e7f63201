"""The first rows of a Parquet file, which is read by ranges."""

from __future__ import annotations

import asyncio
import io
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

from jetstow import ObjectReader
from jetstow.console.errors import ConsoleError
from jetstow.console.tables import MAX_COLUMNS, MAX_ROWS, Cell, Column, Table, limited
from jetstow.s3.errors import S3Error

if TYPE_CHECKING:
    import pyarrow as pa

# How many bytes of a file are read at most, and how long one read may take, in seconds.
MAX_READ: Final = 64 * 1024 * 1024
_READ_TIMEOUT: Final = 30.0
# pyarrow reads the columns of a row group in pieces of this size, instead of whole.
_BUFFER_SIZE: Final = 256 * 1024
# Limits of the metadata at the end of a file, which may come from anyone.
_MAX_METADATA_TEXT: Final = 16 * 1024 * 1024
_MAX_METADATA_ITEMS: Final = 1_000_000
# How many values of a list are shown.
_MAX_ITEMS: Final = 20

# Reading takes a thread: few, as each may need the memory of a page of each column.
_threads: Final = ThreadPoolExecutor(2, thread_name_prefix="jetstow-parquet")


async def read_parquet(reader: ObjectReader) -> Table:
    """Return the first rows of a Parquet file.

    Raises: `ConsoleError` (NotInstalled), `S3Error` (InvalidRequest: it is not a valid file, or its
    first rows need too many bytes), what `read_at` raises.
    """
    try:
        import pyarrow  # noqa: F401, PLC0415 - optional, and slow to import
    except ImportError:
        raise ConsoleError("NotInstalled", "Parquet needs the package pyarrow.") from None
    loop = asyncio.get_running_loop()
    file = _ObjectFile(reader, loop)
    try:
        return await loop.run_in_executor(_threads, _read_rows, file)
    except Exception as error:
        if file.error is not None:
            raise file.error from None
        if isinstance(error, S3Error):
            raise
        # pyarrow has a dozen classes for what is wrong with a file.
        reason = " ".join(str(error).split())[:200]
        message = f"The object cannot be read as a Parquet file: {reason}"
        raise S3Error("InvalidRequest", message) from None
    finally:
        file.stop()


def _read_rows(file: _ObjectFile) -> Table:
    import pyarrow.parquet as pq  # noqa: PLC0415

    with pq.ParquetFile(
        file,
        buffer_size=_BUFFER_SIZE,
        pre_buffer=False,
        thrift_string_size_limit=_MAX_METADATA_TEXT,
        thrift_container_size_limit=_MAX_METADATA_ITEMS,
    ) as parquet:
        schema, total = parquet.schema_arrow, parquet.metadata.num_rows
        fields = list(schema)[:MAX_COLUMNS]
        names = [field.name for field in fields]
        rows: list[list[Cell]] = []
        for batch in parquet.iter_batches(MAX_ROWS, columns=names, use_threads=False):
            rows += _rows_of(batch, names, MAX_ROWS - len(rows))
            if len(rows) >= MAX_ROWS:
                break
        columns = [Column(str(limited(field.name)), str(field.type)[:100]) for field in fields]
        truncated = total > len(rows) or len(schema) > len(fields)
        return Table(columns, rows, truncated, total)


def _rows_of(batch: pa.RecordBatch, names: list[str], count: int) -> list[list[Cell]]:
    columns = [batch.column(name) for name in names]
    return [
        [limited(_value(column[row])) for column in columns]
        for row in range(min(count, batch.num_rows))
    ]


def _value(scalar: Any) -> Any:
    """Return the value of a cell; of a list only its first values."""
    values = getattr(scalar, "values", None)
    if values is None or not hasattr(values, "slice"):
        return scalar.as_py()
    shown = values.slice(0, _MAX_ITEMS).to_pylist()
    return [*shown, "…"] if len(values) > _MAX_ITEMS else shown


class _ObjectFile(io.RawIOBase):
    """An object as a blocking file for another thread than that of the event loop.

    `error` is what ended the reading, which pyarrow would only have as a text.
    """

    def __init__(self, reader: ObjectReader, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self.error: Exception | None = None
        self._reader = reader
        self._loop = loop
        self._size = reader.info.size or 0
        self._position = 0
        self._left = MAX_READ
        self._stopped = False

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

        Raises: `OSError` (see `error`).
        """
        rest = max(0, self._size - self._position)
        wanted = rest if size is None or size < 0 else min(size, rest)
        self._left -= wanted
        try:
            if self._left < 0:
                limit = MAX_READ // 1024**2
                raise S3Error("InvalidRequest", f"The first rows need more than {limit} MiB.")
            data = self._read(wanted)
        except Exception as error:
            self.error = self.error or error
            raise OSError(str(error)) from error
        self._position += len(data)
        return data

    def stop(self) -> None:
        """Let reads fail from now on: the request has ended."""
        self._stopped = True

    def _read(self, size: int) -> bytes:
        if self._stopped:
            raise ConnectionAbortedError("the request has ended")
        reading = self._reader.read_at(self._position, size)
        future = asyncio.run_coroutine_threadsafe(reading, self._loop)
        try:
            return future.result(_READ_TIMEOUT)
        except BaseException:
            future.cancel()
            raise
