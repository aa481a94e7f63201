"""An object as a Python file to read."""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING, Any, Final, cast
from weakref import WeakSet

import jetstow
from jetstow._core.aio.readahead import Fetch, ReadAhead, RecentBlocks, fetch_alignment
from jetstow.models import ObjectInfo
from jetstow.sync._call import Call, close_and_wait, run
from jetstow.sync._checksum import SequentialChecksum
from jetstow.sync._iterate import check_process
from jetstow.sync._portal import close_soon, get_portal, keep_inherited

if TYPE_CHECKING:
    from typing_extensions import Buffer

# Size of Python's buffer in front of an object: the least that one call fetches, in bytes.
_BUFFER_SIZE: Final = 64 * 1024

# The most that one call fetches, and what a file keeps of the blocks that it fetched, in bytes.
_MAX_FETCH: Final = 4 * 1024 * 1024


def open_reader(
    owner: object, store: jetstow.ObjectStore, name: str, mode: Any, **options: Any
) -> ObjectReader:
    """Open an object with the options of `ObjectStore.open`.

    `owner` is the blocking store. The file keeps it, and so its connection.
    """

    async def start() -> jetstow.ObjectReader:
        return await store.open(name, mode, **options)

    return ObjectReader(RawObject(owner, Call(undo=jetstow.ObjectReader.close).run(start)))


class ObjectReader(io.BufferedReader):
    """An object opened for reading: a binary Python file with `seek`.

    It reads the revision that it was opened at; `info` describes it. Sequential reads fetch ahead,
    more each time. A read after a seek fetches little more than its own bytes. The last 4 MiB are
    kept, so that seeking back does not fetch them again. Reading from the first byte to the last
    verifies the digest.
    """

    def __init__(self, raw: RawObject) -> None:
        super().__init__(raw, _BUFFER_SIZE)
        self.info: ObjectInfo = raw.info
        _readers.add(self)

    def read_at(self, offset: int, size: int) -> bytes:
        """Return up to `size` bytes from `offset` on; fewer only at the end of the object.

        The position does not change. Several threads may call it at the same time.

        Raises: `ValueError` (`offset` or `size` is negative), and what `get_range` raises.
        """
        raw = cast("RawObject", self.raw)
        return raw.read_at(offset, size)

    def __del__(self) -> None:
        """Do nothing: the default closes the file, which waits. `RawObject` closes it later."""

    def discard_buffer(self) -> None:
        """Drop the buffered bytes, so that a forked child does not read those of its parent."""
        super().__init__(self.raw, _BUFFER_SIZE)


class RawObject(io.RawIOBase):
    """The unbuffered file below `ObjectReader`."""

    name: str
    mode = "rb"

    def __init__(self, owner: object, reader: jetstow.ObjectReader) -> None:
        super().__init__()
        self.info = info = reader.info
        self.name = info.name
        self._owner = owner  # keeps the connection open
        self._reader = reader
        self._size = info.size or 0
        self._position = 0
        chunk_size = info.options.max_chunk_size if info.options is not None else None
        self._read_ahead = ReadAhead(self._size, fetch_alignment(chunk_size), _MAX_FETCH)
        self._recent = RecentBlocks(_MAX_FETCH)
        self._checksum = SequentialChecksum(info)
        self._pid = os.getpid()
        get_portal().register_file(reader, reader.close)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        self._check_open()
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._check_open()
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}
        if whence not in base:
            raise ValueError(f"whence must be 0, 1 or 2, not {whence!r}")
        position = base[whence] + offset
        if position < 0:
            raise ValueError(f"position {position} is before the start of {self.name!r}")
        self._position = position
        return position

    def readinto(self, buffer: Buffer) -> int:
        self._check_open()
        view = memoryview(buffer).cast("B")
        # Reading an empty object, too, goes to the server: its digest is verified there.
        if not view.nbytes or (self._position >= self._size and self._size):
            return 0
        block = self._recent.get(self._position)
        if not block.nbytes:
            wanted = min(view.nbytes, _MAX_FETCH)
            block = self._fetch(self._read_ahead.next_fetch(self._position, wanted))
        count = min(view.nbytes, block.nbytes)
        view[:count] = block[:count]
        self._position += count
        return count

    def readall(self) -> bytes:
        self._check_open()
        start = self._position
        data = run(self._read_stream, start, -1)
        self._checksum.add(start, data)
        self._position = max(start, self._size)
        return data

    def read_at(self, offset: int, size: int) -> bytes:
        self._check_open()
        return run(self._reader.read_at, offset, size)

    def close(self) -> None:
        if not self.closed:
            super().close()
            if self._pid == os.getpid():
                close_and_wait(self._reader, self._reader.close)

    def __del__(self) -> None:
        if not hasattr(self, "_pid") or self.closed:
            return
        if self._pid == os.getpid():
            close_soon(self._reader, self._reader.close)
        else:
            keep_inherited(self._reader)

    def _fetch(self, fetch: Fetch) -> memoryview:
        data = run(self._get, fetch)
        self._checksum.add(fetch.start, data)
        self._recent.add(fetch.start, data)
        return self._recent.get(self._position)

    async def _get(self, fetch: Fetch) -> bytes:
        length = fetch.stop - fetch.start
        if fetch.is_streaming:
            return await self._read_stream(fetch.start, length)
        return await self._reader.read_at(fetch.start, length)

    async def _read_stream(self, start: int, length: int) -> bytes:
        if self._reader.tell() != start:
            await self._reader.seek(start)
        return await self._reader.read(length)

    def _check_open(self) -> None:
        if self.closed:
            raise ValueError(f"the file of object {self.name!r} is closed")
        check_process(self._pid, f"object {self.name!r}, open for reading,")


_readers: WeakSet[ObjectReader] = WeakSet()


def _discard_buffers() -> None:
    for reader in tuple(_readers):
        if not reader.closed:
            reader.discard_buffer()


if sys.platform != "win32":
    os.register_at_fork(after_in_child=_discard_buffers)
