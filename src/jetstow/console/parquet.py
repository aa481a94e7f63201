"""The first rows of a Parquet file, which another process reads by ranges."""

from __future__ import annotations

import asyncio
import importlib.util
import re
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

import msgspec

from jetstow import ObjectReader
from jetstow.console.context import Context
from jetstow.console.errors import ConsoleError
from jetstow.console.tables import MAX_CELL, MAX_COLUMNS, MAX_ROWS, Table
from jetstow.s3.errors import S3Error

# How many bytes of a file are read at most, how many bytes of memory a process may have, and how
# many seconds it may take. So many run at the same time.
MAX_READ: Final = 64 * 1024 * 1024
MAX_MEMORY: Final = 1536 * 1024 * 1024
_TIMEOUT: Final = 30.0
_MAX_PROCESSES: Final = 2
# The longest line of a process: the table.
_MAX_LINE: Final = 256 * 1024 * 1024

_WORKER: Final = Path(__file__).with_name("parquet_worker.py")
_REQUEST: Final = re.compile(rb"([0-9]{1,18}) ([0-9]{1,18})\n")


class _Result(msgspec.Struct):
    table: Table | None = None
    error: str = ""


class ParquetReaders:
    """Reads Parquet files, few at the same time."""

    def __init__(self, context: Context) -> None:  # noqa: ARG002
        self._slots = asyncio.Semaphore(_MAX_PROCESSES)

    async def read(self, reader: ObjectReader) -> Table:
        """Return the first rows of a file.

        Raises: `ConsoleError` (NotInstalled), `S3Error` (InvalidRequest: it is not a valid file, or
        its first rows need too many bytes, too much memory or time), what `read_at` raises.
        """
        if importlib.util.find_spec("pyarrow") is None:
            raise ConsoleError("NotInstalled", "Parquet needs the package pyarrow.")
        async with self._slots:
            try:
                async with asyncio.timeout(_TIMEOUT) as timeout, _worker(reader) as process:
                    result = await _serve(process, reader)
            except TimeoutError:
                if timeout.expired():
                    raise _invalid(f"reading takes more than {_TIMEOUT:g} seconds") from None
                raise
        if result.table is None:
            raise _invalid(result.error or "its first rows need too much memory or time")
        return result.table


@asynccontextmanager
async def _worker(reader: ObjectReader) -> AsyncIterator[Process]:
    """Run a process that reads a file, until the block ends."""
    arguments = (MAX_MEMORY, reader.info.size or 0, MAX_ROWS, MAX_COLUMNS, MAX_CELL)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", str(_WORKER), *map(str, arguments),
        stdin=PIPE, stdout=PIPE, stderr=DEVNULL, limit=_MAX_LINE,
    )  # fmt: skip
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _serve(process: Process, reader: ObjectReader) -> _Result:
    """Send the ranges that a process requests, and return its result."""
    assert process.stdin is not None
    assert process.stdout is not None
    left = MAX_READ
    while (line := await process.stdout.readline()).endswith(b"\n"):
        if (request := _REQUEST.fullmatch(line)) is None:
            return msgspec.json.decode(line, type=_Result)
        offset, size = map(int, request.groups())
        left -= size
        if left < 0:
            raise _invalid(f"its first rows need more than {MAX_READ // 1024**2} MiB")
        process.stdin.write(await reader.read_at(offset, size))
        with suppress(ConnectionError):  # it has ended: then there is no next line
            await process.stdin.drain()
    return _Result()


def _invalid(reason: str) -> S3Error:
    return S3Error("InvalidRequest", f"The object cannot be shown as a Parquet file: {reason}.")
