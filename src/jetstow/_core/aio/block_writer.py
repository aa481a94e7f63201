"""Write a file in blocks: a thread writes one block while the event loop fills another."""

from __future__ import annotations

import asyncio
import os
import queue
import sys
import threading
from collections import deque
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Self

from jetstow._core.aio.cancellation import uncancelled
from jetstow._core.aio.worker import BLOCK_SIZE, run_in_thread

if TYPE_CHECKING:
    from typing_extensions import Buffer

# The blocks of memory, which are used again and again.
_MAX_BLOCKS: Final = 6

# The bytes of one system call. Linux 6.18 takes three times as long to write 1 MiB to a new file on
# ext4 at once: it looks for contiguous memory for it.
_WRITE_SIZE: Final = 256 * 1024

# The disk space that is reserved at once, in bytes.
_RESERVED_PART: Final = 64 * 1024 * 1024

# Of `fallocate(2)`: the size of the file is that of the bytes written.
_FALLOC_FL_KEEP_SIZE: Final = 1


class BlockWriter:
    """A sink that writes to an unbuffered regular file; an async context manager.

    `flush` waits for the last write. `__aexit__` waits for the running one, so that no thread uses
    a file that its owner closes.
    """

    size = None

    def __init__(self, file: BinaryIO) -> None:
        self._descriptor = file.fileno()
        self._loop = asyncio.get_running_loop()
        self._free: deque[memoryview] = deque()
        self._block_count = 0
        self._block: memoryview | None = None
        self._end = 0
        self._full: queue.SimpleQueue[memoryview | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._error: OSError | None = None
        self._changed = asyncio.Event()
        self._is_closed = False
        self._space = _DiskSpace(self._descriptor, 0)

    def start(self, size: int) -> None:
        """Start with an empty file that will have `size` bytes."""
        self._space = _DiskSpace(self._descriptor, size)

    def take(self, data: Buffer) -> bool:
        """Copy bytes to the free blocks. Return False if they do not fit, or a write has failed."""
        view = memoryview(data)
        space = BLOCK_SIZE - self._end if self._block is not None else 0
        free = len(self._free) + _MAX_BLOCKS - self._block_count
        if self._error is not None or view.nbytes > space + free * BLOCK_SIZE:
            return False
        while view.nbytes:
            view = view[self._copy(view) :]
        return True

    async def write(self, data: Buffer) -> None:
        """Copy bytes to blocks, and wait for free ones.

        Raises: `OSError` (of a write).
        """
        view = memoryview(data)
        while view.nbytes:
            while self._block is None and not self._free and self._block_count == _MAX_BLOCKS:
                await self._wait()
            self._raise_error()
            view = view[self._copy(view) :]

    async def flush(self) -> None:
        """Write what is buffered, and wait until it is written.

        Raises: `OSError` (of a write).
        """
        if self._block is not None:
            self._write_block()
        while len(self._free) < self._block_count:
            await self._wait()
        self._raise_error()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._is_closed = True
        if self._thread is not None:
            self._full.put(None)
            await uncancelled(run_in_thread(self._thread.join))

    # -- internals -------------------------------------------------------------------------

    def _copy(self, view: memoryview) -> int:
        """Copy bytes to the current block, or to a free one. Return how many were copied."""
        if self._block is None:
            self._block, self._end = self._next_block(), 0
        size = min(BLOCK_SIZE - self._end, view.nbytes)
        self._block[self._end : self._end + size] = view[:size]
        self._end += size
        if self._end == BLOCK_SIZE:
            self._write_block()
        return size

    def _next_block(self) -> memoryview:
        if self._free:
            return self._free.popleft()
        self._block_count += 1
        return memoryview(bytearray(BLOCK_SIZE))

    def _write_block(self) -> None:
        assert self._block is not None
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="jetstow file", daemon=True)
            self._thread.start()
        self._full.put(self._block[: self._end])
        self._block = None

    def _run(self) -> None:
        """Write blocks until there are no more; the thread's function."""
        while (block := self._full.get()) is not None:
            error: OSError | None = None
            if self._error is None and not self._is_closed:
                try:
                    self._space.reserve(block.nbytes)
                    _write_all(self._descriptor, block)
                except OSError as caught:
                    error = caught
            self._loop.call_soon_threadsafe(self._on_written, block, error)

    def _on_written(self, block: memoryview, error: OSError | None) -> None:
        self._error = self._error or error
        self._free.append(memoryview(block.obj))
        self._changed.set()

    async def _wait(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    def _raise_error(self) -> None:
        if self._error is not None:
            raise self._error


def _write_all(descriptor: int, data: memoryview) -> None:
    while data.nbytes:
        data = data[os.write(descriptor, data[:_WRITE_SIZE]) :]


class _DiskSpace:
    """Reserves the space of a large file in large parts, where the file system can do that at once.

    The size in damaged metadata may be any number, so only one part is reserved ahead.
    """

    def __init__(self, descriptor: int, size: int) -> None:
        self._descriptor = descriptor
        self._size = size
        self._written = self._reserved = 0
        self._fallocate: Any = None
        if sys.platform == "linux" and size >= _RESERVED_PART:
            import ctypes  # noqa: PLC0415 - its import takes as long as writing 5 MiB

            # Not `os.posix_fallocate`, which writes zeros where the file system cannot reserve.
            self._fallocate = getattr(ctypes.CDLL(None), "fallocate64", None)
            if self._fallocate is not None:
                offset = ctypes.c_int64
                self._fallocate.argtypes = ctypes.c_int, ctypes.c_int, offset, offset

    def reserve(self, count: int) -> None:
        """Prepare for a write of the next `count` bytes."""
        self._written += count
        if self._fallocate is not None and self._written > self._reserved:
            part = min(_RESERVED_PART, self._size - self._reserved)
            # An error is ignored: the write reports it, if it matters.
            if part > 0:
                self._fallocate(self._descriptor, _FALLOC_FL_KEEP_SIZE, self._reserved, part)
            self._reserved += _RESERVED_PART
