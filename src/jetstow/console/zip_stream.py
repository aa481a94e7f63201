"""A zip archive that is written while it is sent: its memory does not depend on its size."""

from __future__ import annotations

import asyncio
import datetime
import zipfile
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator
from contextlib import suppress
from typing import IO, Final, cast

from jetstow import ObjectReader

# How many of the next objects are opened in advance: the bytes of small ones arrive with them.
_AHEAD: Final = 8
# How many bytes are collected for one piece of the response.
_PIECE: Final = 256 * 1024

_MODE: Final = 0o100644 << 16
_UNIX: Final = 3
# The years that the format can have.
_MIN_YEAR: Final = 1980
_MAX_YEAR: Final = 2107

# Opens an object; None if it is not to be in the archive.
Open = Callable[[str], Awaitable[ObjectReader | None]]


class _Output:
    """A file that keeps what is written until it is taken. It cannot seek."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self.size = 0

    def write(self, data: bytes) -> int:
        """Add bytes."""
        self._pieces.append(bytes(data))
        self.size += len(data)
        return len(data)

    def flush(self) -> None:
        """Do nothing."""

    def take(self) -> bytes:
        """Return what was written since the last call."""
        data = b"".join(self._pieces)
        self._pieces.clear()
        self.size = 0
        return data


async def zip_pieces(paths: dict[str, str], open_object: Open) -> AsyncGenerator[bytes, None]:
    """Yield the bytes of an archive with objects: `paths` has the path of each name.

    If an object cannot be read to its end, the error is raised before the archive is complete.

    Raises: what `open_object` and `stream` raise.
    """
    output = _Output()
    # Stored: what is large is compressed already. All sizes may exceed 4 GiB (ZIP64).
    # Not a context manager, which would complete the archive after an error.
    archive = zipfile.ZipFile(cast("IO[bytes]", output), "w", zipfile.ZIP_STORED)
    opened = _Ahead(paths, open_object)
    try:
        while (found := await opened.next()) is not None:
            name, reader = found
            async with reader:
                with archive.open(_entry(paths[name], reader), "w", force_zip64=True) as file:
                    async for piece in reader.stream():
                        file.write(piece)
                        if output.size >= _PIECE:
                            yield output.take()
    finally:
        await opened.close()
    archive.close()
    yield output.take()


class _Ahead:
    """Objects in order, of which the next ones are being opened."""

    def __init__(self, names: Iterable[str], open_object: Open) -> None:
        self._names: Iterator[str] = iter(names)
        self._open = open_object
        self._tasks: deque[tuple[str, asyncio.Task[ObjectReader | None]]] = deque()

    async def next(self) -> tuple[str, ObjectReader] | None:
        """Return the next object and its name; None at the end.

        Raises: what opening it raises.
        """
        self._start()
        while self._tasks:
            name, task = self._tasks[0]
            reader = await task
            self._tasks.popleft()
            self._start()
            if reader is not None:
                return name, reader
        return None

    async def close(self) -> None:
        """Stop opening, and close what is open."""
        for _, task in self._tasks:
            task.cancel()
            with suppress(asyncio.CancelledError, Exception):
                if (reader := await task) is not None:
                    await reader.close()
        self._tasks.clear()

    def _start(self) -> None:
        while len(self._tasks) < _AHEAD and (name := next(self._names, None)) is not None:
            self._tasks.append((name, asyncio.create_task(_opened(self._open, name))))


async def _opened(open_object: Open, name: str) -> ObjectReader | None:
    return await open_object(name)


def _entry(path: str, reader: ObjectReader) -> zipfile.ZipInfo:
    modified = reader.info.modified or datetime.datetime(_MIN_YEAR, 1, 1, tzinfo=datetime.UTC)
    year = min(max(modified.year, _MIN_YEAR), _MAX_YEAR)
    time = (year, modified.month, modified.day, modified.hour, modified.minute, modified.second)
    entry = zipfile.ZipInfo(path, time)
    entry.external_attr, entry.create_system = _MODE, _UNIX
    return entry
