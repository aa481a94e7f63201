"""The file objects that `open` returns: blocking and buffered; files for reading can seek."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Final

from fsspec.asyn import sync
from fsspec.caching import BaseCache, register_cache
from fsspec.spec import AbstractBufferedFile

from jetstow._core.aio.readahead import ReadAhead, RecentBlocks, fetch_alignment
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
        data: bytes = sync(self.fs.loop, self._reader.read_at, start, max(0, end - start))
        return data


class WriteFile(AbstractBufferedFile):
    """An object opened for writing. It is stored when the file is closed.

    In a transaction, it is stored when the transaction ends. After an exception, or if the file
    is never closed, nothing is stored.
    """

    def __init__(
        self, fs: FileSystemBase, path: str, mode: str, writer_options: dict[str, Any],
        **options: Any,
    ) -> None:  # fmt: skip
        self._writer: jetstow.ObjectWriter | None = None
        self._writer_options = writer_options
        self._is_discarded = False
        super().__init__(fs, path, mode, **options)
        if mode == "xb":
            # Start the upload now, so that `open` raises `FileExistsError` for an existing object.
            self.offset = 0
            self._initiate_upload()

    def _initiate_upload(self) -> None:
        self._writer = sync(
            self.fs.loop, self.fs.begin_write, self.path, self.mode, **self._writer_options
        )

    def _upload_chunk(self, final: bool = False) -> bool:
        assert self._writer is not None, "fsspec calls _initiate_upload before _upload_chunk"
        try:
            sync(self.fs.loop, self._writer.write, self.buffer.getvalue())
            if final and self.autocommit:
                self._finish()
        except BaseException:
            self.discard()
            raise
        return True

    def commit(self) -> None:
        """Store the object, at the end of the transaction that it belongs to."""
        if not self._is_discarded:
            self.close()
            self._finish()

    def discard(self) -> None:
        """Abort the upload and remove its chunks."""
        self._is_discarded = self.closed = True
        self.buffer = io.BytesIO()
        writer, self._writer = self._writer, None
        if writer is not None:
            sync(self.fs.loop, writer.abort)

    def _finish(self) -> None:
        writer, self._writer = self._writer, None
        assert writer is not None, "fsspec starts the upload before it is finished"
        sync(self.fs.loop, self.fs.end_write, writer)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()

    def discard_soon(self) -> None:
        """Schedule `discard` on the loop: a finalizer must not block."""
        self._is_discarded = self.closed = True
        writer, self._writer = getattr(self, "_writer", None), None
        if writer is not None:
            self.fs.close_soon(writer.abort)

    def __del__(self) -> None:
        # A file that was never closed is incomplete.
        self.discard_soon()
