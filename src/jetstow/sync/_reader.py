"""An object as a file to read, as Python's own libraries take one."""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING, Any, Final, cast
from weakref import WeakSet

import jetstow
from jetstow.models import ObjectInfo
from jetstow.sync.call import Call, run, shut
from jetstow.sync.checksum import Checksum
from jetstow.sync.iterate import check_process
from jetstow.sync.likeness import like
from jetstow.sync.portal import background, inherit, let_go
from jetstow.sync.readahead import Fetch, Pace, Recent, block_size

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from jetstow.sync.base import BucketBase

# What Python's buffer in front of an object has: one call brings so many bytes at least.
_BUFFER: Final = 64 * 1024


def open_reader(owner: BucketBase, name: str, mode: Any, terms: dict[str, Any]) -> ObjectReader:
    """Open an object. Raises what `get` raises, and `ValueError` for a mode that there is not."""
    store = owner.here()

    async def begin() -> jetstow.ObjectReader:
        return await store.open(name, mode, **terms)

    return ObjectReader(ObjectBytes(owner, Call(undo=jetstow.ObjectReader.close).run(begin)))


class ObjectReader(io.BufferedReader):
    """An object opened for reading: a binary file of Python's, which can `seek`.

    It stays at the revision that it was opened at, and `info` tells of it. Reading on fetches
    ahead, more and more; after a jump, only what is about there is fetched. What was fetched
    last is kept, so that jumping back and forth costs nothing. Reading from the first byte to
    the last verifies the digest.
    """

    def __init__(self, raw: ObjectBytes) -> None:
        super().__init__(raw, _BUFFER)
        self.info: ObjectInfo = raw.info
        _open.add(self)

    @like(jetstow.ObjectReader.read_at)
    def read_at(self, offset: int, size: int) -> bytes:
        raw = cast("ObjectBytes", self.raw)
        return raw.read_at(offset, size)

    def __del__(self) -> None:
        """Nothing: what is below lets go of the object, and waits for nothing."""

    def forbid(self) -> None:
        """In a forked child: let nothing be read, not even what was fetched before."""
        super().__init__(self.raw, _BUFFER)


class ObjectBytes(io.RawIOBase):
    """The bytes of an object, as `io.BufferedReader` wants them."""

    name: str
    mode = "rb"

    def __init__(self, owner: object, reader: jetstow.ObjectReader) -> None:
        super().__init__()
        self.info = info = reader.info
        self.name = info.name
        self._owner = owner  # which stays connected as long as somebody reads
        self._reader = reader
        self._size = info.size or 0
        self._position = 0
        chunk_size = info.options.max_chunk_size if info.options is not None else None
        self._pace = Pace(self._size, block_size(chunk_size))
        self._recent = Recent()
        self._checksum = Checksum(info)
        self._pid = os.getpid()
        background().keep_file(reader, reader.close)

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
            raise ValueError(f"position {position} lies before the start of {self.name!r}")
        self._position = position
        return position

    def readinto(self, buffer: Buffer) -> int:
        self._check_open()
        view = memoryview(buffer).cast("B")
        if not view.nbytes or (self._position >= self._size and self._size):
            return 0
        found = self._recent.at(self._position)
        if not found.nbytes:
            found = self._fetch(self._pace.fetch(self._position, view.nbytes))
        count = min(view.nbytes, found.nbytes)
        view[:count] = found[:count]
        self._position += count
        return count

    def readall(self) -> bytes:
        self._check_open()
        start = self._position
        found = run(self._read_on, start, -1)
        self._checksum.add(start, found)
        self._position = max(start, self._size)
        return found

    def read_at(self, offset: int, size: int) -> bytes:
        """Bytes anywhere; the position stays where it is."""
        self._check_open()
        return run(self._reader.read_at, offset, size)

    def close(self) -> None:
        if not self.closed:
            super().close()
            if self._pid == os.getpid():
                shut(self._reader, self._reader.close)

    def __del__(self) -> None:
        if not hasattr(self, "_pid") or self.closed:
            return
        if self._pid == os.getpid():
            let_go(self._reader, self._reader.close)
        else:
            inherit(self._reader)

    def _fetch(self, fetch: Fetch) -> memoryview:
        data = run(self._get, fetch)
        self._checksum.add(fetch.start, data)
        self._recent.keep(fetch.start, data)
        return self._recent.at(self._position)

    async def _get(self, fetch: Fetch) -> bytes:
        length = fetch.stop - fetch.start
        if fetch.ahead:
            return await self._read_on(fetch.start, length)
        return await self._reader.read_at(fetch.start, length)

    async def _read_on(self, start: int, length: int) -> bytes:
        if self._reader.tell() != start:
            await self._reader.seek(start)
        return await self._reader.read(length)

    def _check_open(self) -> None:
        if self.closed:
            raise ValueError(f"object {self.name!r} was opened and is closed again")
        check_process(self._pid, f"object {self.name!r}, open for reading,")


_open: WeakSet[ObjectReader] = WeakSet()


def _forbid_all() -> None:
    for reader in tuple(_open):
        if not reader.closed:
            reader.forbid()


if sys.platform != "win32":
    os.register_at_fork(after_in_child=_forbid_all)
