"""The file objects that `open` returns: blocking and buffered; files for reading can seek."""

from __future__ import annotations

import io
import os
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self

from fsspec.asyn import sync
from fsspec.caching import BaseCache, register_cache
from fsspec.spec import AbstractBufferedFile

from jetstow._core.aio.readahead import ReadAhead, RecentBlocks, fetch_alignment
from jetstow.errors import ConnectionLostError
from jetstow.fs.paths import Entry, file_entry

if TYPE_CHECKING:
    import jetstow
    from jetstow.fs.base import FileSystemBase

# The largest read-ahead, and the size of a write buffer, in bytes. Measured on a sequential read:
# larger blocks are not faster, and with 1 MiB the read takes a quarter longer.
DEFAULT_BLOCK_SIZE: Final = 4 * 1024 * 1024

# What a file keeps of the blocks that it fetched, in bytes.
_MAX_CACHED_BYTES: Final = 16 * 1024 * 1024


class ReadAheadCache(BaseCache):
    """The read-ahead policy of jetstow as a cache of fsspec; reads ahead up to `blocksize` bytes.

    fsspec's own caches read ahead after every seek. With them, reading one column of a Parquet
    file with 20 columns, in row groups of 10 MiB, fetches half of the file.
    """

    name: ClassVar[str] = "jetstow"

    def __init__(
        self, blocksize: int, fetcher: Callable[[int, int], bytes], size: int, alignment: int
    ) -> None:
        super().__init__(blocksize, fetcher, size)
        self._read_ahead = ReadAhead(size, alignment, max_ahead=blocksize)
        self._recent = RecentBlocks(_MAX_CACHED_BYTES)

    def _fetch(self, start: int | None, stop: int | None) -> bytes:
        position = 0 if start is None else max(0, start)
        stop = self.size if stop is None else min(stop, self.size)
        parts: list[memoryview] = []
        while position < stop:
            block = self._recent.get(position)
            if block.nbytes:
                self.hit_count += 1
            else:
                self.miss_count += 1
                block = self._fetch_block(position, stop - position)
            part = block[: stop - position]
            parts.append(part)
            position += part.nbytes
        if len(parts) == 1 and isinstance(whole := parts[0].obj, bytes):
            return whole if len(whole) == parts[0].nbytes else bytes(parts[0])
        return b"".join(parts)

    def _fetch_block(self, position: int, wanted: int) -> memoryview:
        fetch = self._read_ahead.next_fetch(position, wanted)
        data = self.fetcher(fetch.start, fetch.stop)
        self.total_requested_bytes += len(data)
        self._recent.add(fetch.start, data)
        block = self._recent.get(position)
        if not block.nbytes:
            raise EOFError(f"no data at {position} of a file of {self.size} bytes")
        return block


register_cache(ReadAheadCache)


class ReadFile(AbstractBufferedFile):
    """An object opened for reading. All reads are of the revision that was opened."""

    def __init__(
        self, fs: FileSystemBase, path: str, reader: jetstow.ObjectReader, **options: Any
    ) -> None:
        self._reader = reader
        self._pid = os.getpid()
        self._inherited: list[jetstow.ObjectReader] = []
        # fsspec passes `size` when it unpickles a file; the reader has the size.
        options.pop("size", None)
        options.setdefault("cache_type", ReadAheadCache.name)
        if options["cache_type"] == ReadAheadCache.name:
            chunks = reader.info.options
            alignment = fetch_alignment(chunks.max_chunk_size if chunks is not None else None)
            options["cache_options"] = {
                "alignment": alignment,
                **(options.get("cache_options") or {}),
            }
        self._details: Entry = file_entry(reader.info, path)
        super().__init__(fs, path, "rb", size=self._details["size"], **options)

    def _fetch_range(self, start: int, end: int) -> bytes:
        if self._pid != os.getpid():
            # Keep the parent's reader: its finalizer would use the parent's connection.
            self._inherited.append(self._reader)
            self._pid = os.getpid()
            self._reader = sync(self.fs.loop, self.fs.reopen_reader, self._reader.info)
        length = max(0, end - start)
        data: bytes = sync(self.fs.loop, self.fs.read_range, self._reader, start, length)
        return data


class WriteFile(AbstractBufferedFile):
    """An object opened for writing. It is stored when the file is closed.

    In a transaction, it is stored when the transaction ends. After an exception, or if the file
    is never closed, nothing is stored. A forked process cannot write to its parent's files.
    """

    _closed: bool

    def __init__(
        self, fs: FileSystemBase, path: str, mode: str, writer_options: dict[str, Any],
        **options: Any,
    ) -> None:  # fmt: skip
        self._writer: jetstow.ObjectWriter | None = None
        self._writer_options = writer_options
        self._pid = os.getpid()
        self._wrapper: weakref.ref[io.IOBase] | None = None
        self.is_discarded = False
        super().__init__(fs, path, mode, **options)
        if mode != "wb":
            # Start the upload now: `open` raises `FileExistsError` for an existing object ("xb"),
            # and the position includes the existing bytes ("ab").
            self.offset = 0
            self.loc = self._begin().tell()

    def wrap(self, wrapper: io.IOBase) -> None:
        """Set the file that compresses or encodes into this one: its buffer has the last bytes."""
        self._wrapper = weakref.ref(wrapper)

    def write(self, data: Any) -> int:
        """Append bytes. Return how many."""
        self._check_process()
        written: int = super().write(data)
        return written

    def seekable(self) -> bool:
        """Return whether nothing was written yet, although `seek` always raises an error.

        `io.TextIOWrapper` asks once. It writes a byte order mark only to seekable files at
        position 0 (CPython's `textio.c`). Without one, Python does not read UTF-16 and UTF-32.
        """
        return bool(super().seekable()) or (self.writable() and not self._has_new_bytes())

    def flush(self, force: bool = False) -> None:
        """Send what is buffered if it is a block, or with `force`."""
        self._check_process()
        super().flush(force)

    def close(self) -> None:
        """Store the object; in a transaction, complete its upload. A second call does nothing."""
        if self._closed:
            return
        self._check_process()
        try:
            if not self.forced:
                self.flush(force=True)
        finally:
            self.closed = True

    def take_writer(self) -> jetstow.ObjectWriter | None:
        """Close the file at the end of a transaction. Return its upload; None if discarded."""
        if self._wrapper is not None and (wrapper := self._wrapper()) is not None:
            wrapper.close()
        if not self.is_discarded:
            self.close()
        writer, self._writer = self._writer, None
        return writer

    def commit(self) -> None:
        """Store the object, if it was opened with `autocommit=False`."""
        writer = self.take_writer()
        if writer is not None:
            sync(self.fs.loop, self.fs.end_write, writer)

    def discard(self) -> None:
        """Abort the upload and remove its chunks."""
        self._check_process()
        self.is_discarded = self.closed = True
        self.buffer = io.BytesIO()
        writer, self._writer = self._writer, None
        if writer is not None:
            sync(self.fs.loop, writer.abort)

    def discard_soon(self) -> None:
        """Schedule `discard` on the loop: a finalizer must not block."""
        self.is_discarded = self.closed = True
        if getattr(self, "_pid", None) != os.getpid():
            return  # the upload is the parent's
        writer, self._writer = getattr(self, "_writer", None), None
        if writer is not None:
            self.fs.close_soon(writer.abort)

    def _initiate_upload(self) -> None:
        self._begin()

    def _begin(self) -> jetstow.ObjectWriter:
        writer: jetstow.ObjectWriter = sync(
            self.fs.loop, self.fs.begin_write, self.path, self.mode, **self._writer_options
        )
        self._writer = writer
        return writer

    def _upload_chunk(self, final: bool = False) -> bool:
        assert self._writer is not None, "fsspec calls _initiate_upload before _upload_chunk"
        try:
            sync(self.fs.loop, self._writer.write, self.buffer.getvalue())
            if final and self.autocommit:
                writer, self._writer = self._writer, None
                sync(self.fs.loop, self.fs.end_write, writer)
        except BaseException:
            self.discard()
            raise
        return True

    def _has_new_bytes(self) -> bool:
        sent = self._writer is not None and self.offset
        return bool(self.buffer.tell() or sent)

    def _check_process(self) -> None:
        if self._pid != os.getpid():
            raise ConnectionLostError(
                f"{self.path} was opened for writing by process {self._pid}: "
                "open it again in this process"
            )

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()

    def __del__(self) -> None:
        # A file that was never closed is incomplete.
        self.discard_soon()


class StagedWriter:
    """An asynchronous file of a transaction: `add` gets the upload when the file is closed."""

    def __init__(
        self, writer: jetstow.ObjectWriter, add: Callable[[jetstow.ObjectWriter], None]
    ) -> None:
        self._writer = writer
        self._add = add
        self._added = False

    @property
    def closed(self) -> bool:
        """Whether the object was finished or aborted."""
        return self._added or self._writer.closed

    def tell(self) -> int:
        """Return how many bytes were written."""
        return self._writer.tell()

    async def write(self, data: Any) -> int:
        """Append bytes. Return how many.

        Raises: what `ObjectWriter.write` raises.
        """
        if self._added:
            raise ValueError(f"object {self._writer.name!r} is closed: it cannot be written to")
        return await self._writer.write(data)

    async def close(self) -> None:
        """Add the object to the transaction. A second call does nothing."""
        if not (self._added or self._writer.closed):
            self._added = True
            self._add(self._writer)

    async def abort(self) -> None:
        """Discard what was written."""
        if not self._added:
            await self._writer.abort()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        await (self.close() if kind is None else self.abort())
