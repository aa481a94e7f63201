"""Standard input and output, and pipes and devices, which may block without limit.

A read from a terminal or a write to a full pipe cannot be interrupted. So they run in daemon
threads, which the process does not wait for at its end. They use file descriptors only: a thread
that ends inside Python's own buffered files crashes the interpreter.
"""

from __future__ import annotations

import asyncio
import errno
import os
import queue
import select
import stat
import sys
import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import closing, suppress
from io import UnsupportedOperation
from typing import Any, BinaryIO, Final, TextIO

READ_SIZE: Final = 1024 * 1024


class BlockingThread:
    """A daemon thread that runs blocking functions, one after the other."""

    def __init__(self, name: str) -> None:
        self._jobs: queue.SimpleQueue[tuple[asyncio.Future[Any], Callable[[], object]] | None]
        self._jobs = queue.SimpleQueue()
        threading.Thread(target=self._run, name=f"jetstow-{name}", daemon=True).start()

    async def call(self, function: Callable[[], object]) -> Any:
        """Return the function's result. If the caller is cancelled, the function goes on."""
        future = asyncio.get_running_loop().create_future()
        self._jobs.put((future, function))
        return await future

    def close(self) -> None:
        """End the thread after the current function. Do not wait for it."""
        self._jobs.put(None)

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            future, function = job
            result: object = None
            failure: Exception | None = None
            try:
                result = function()
            except Exception as error:  # noqa: BLE001 - raised in the awaiting task
                failure = error
            with suppress(RuntimeError):  # the event loop is closed
                future.get_loop().call_soon_threadsafe(_resolve, future, result, failure)


def _resolve(future: asyncio.Future[Any], result: object, failure: Exception | None) -> None:
    if future.done():
        return  # cancelled
    if failure is None:
        future.set_result(result)
    else:
        future.set_exception(failure)


def descriptor(file: Any) -> int | None:
    """Return the file's descriptor; None if it has none or is closed."""
    try:
        return int(file.fileno())
    except (AttributeError, OSError, ValueError, UnsupportedOperation):
        return None


def is_terminal(file: Any) -> bool:
    """Return whether the file is a terminal."""
    fd = descriptor(file)
    return fd is not None and os.isatty(fd)


def end_interrupted_line() -> None:
    """Begin a line on a terminal, which has printed ^C without a line break."""
    if is_terminal(sys.stderr):
        print(file=sys.stderr)


def stdio_is_terminal() -> bool:
    """Return whether standard input, output and error are terminals: a full screen needs all."""
    return all(map(is_terminal, (sys.stdin, sys.stdout, sys.stderr)))


def regular_size(file: Any) -> int | None:
    """Return the size of a regular file in bytes; None for anything else."""
    fd = descriptor(file)
    status = None if fd is None else os.fstat(fd)
    return status.st_size if status is not None and stat.S_ISREG(status.st_mode) else None


def may_block(path: str) -> bool:
    """Return whether the path is a pipe, a terminal or another device."""
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116
    except OSError:
        return False  # opening the file raises the same error
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


async def read(file: BinaryIO) -> AsyncGenerator[bytes, None]:
    """Yield the bytes of an open file as they arrive."""
    fd = descriptor(file)
    with closing(BlockingThread("in")) as thread:
        while data := await thread.call(lambda: file.read(READ_SIZE) if fd is None else _read(fd)):
            yield data


async def open_and_read(path: str) -> AsyncGenerator[bytes, None]:
    """Yield the bytes of a pipe or a device; opening it may block, too."""
    with closing(BlockingThread("in")) as thread:
        fd = await thread.call(lambda: os.open(path, os.O_RDONLY | os.O_CLOEXEC))
        while data := await thread.call(lambda: _read(fd)):
            yield data
        os.close(fd)


def _read(fd: int) -> bytes:
    while True:
        try:
            return os.read(fd, READ_SIZE)
        except BlockingIOError:  # a process that shares the descriptor made it non-blocking
            select.select([fd], [], [])


async def open_to_write(path: str) -> AsyncOutput:
    """Open a pipe or a device, which may block."""
    flags = os.O_WRONLY | os.O_CLOEXEC
    with closing(BlockingThread("open")) as thread:
        fd: int = await thread.call(lambda: os.open(path, flags))
    return AsyncOutput(fd, path)


class AsyncOutput:
    """An asynchronous file that writes to a descriptor, or to standard output.

    `name` is the file's name in error messages.
    """

    def __init__(self, fd: int | None = None, name: str = "standard output") -> None:
        self._fd = fd
        self._name = name
        self._thread: BlockingThread | None = None

    async def write(self, data: bytes) -> int:
        """Write all of `data`. Raises: `BrokenPipeError` (the reader closed the pipe)."""
        if self._thread is None:
            flush()
            self._thread = BlockingThread("out")
        await self._thread.call(lambda: self._write_all(data))
        return len(data)

    def close(self) -> None:
        """End the thread, and close the descriptor unless it is standard output."""
        if self._thread is not None:
            self._thread.close()
        if self._fd is not None:
            os.close(self._fd)

    def _write_all(self, data: bytes) -> None:
        fd = descriptor(_require_open(sys.stdout, "output")) if self._fd is None else self._fd
        if fd is None:
            sys.stdout.buffer.write(data)
            return
        unwritten = memoryview(data)
        while unwritten:
            try:
                unwritten = unwritten[os.write(fd, unwritten) :]
            except BlockingIOError:
                select.select([], [fd], [])
            except OSError as error:
                error.filename = error.filename or self._name
                raise


def stdin() -> BinaryIO:
    """Return standard input. Raises: `OSError` (it is closed)."""
    return _require_open(sys.stdin, "input").buffer


def _require_open(file: TextIO | None, kind: str) -> TextIO:
    if file is None:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF), f"standard {kind}")
    return file


def flush() -> None:
    """Write out what `print` has buffered."""
    if sys.stdout is not None:
        sys.stdout.flush()


def discard_output() -> None:
    """Redirect standard output to the null device, so that Python's last flush cannot fail."""
    with suppress(OSError, ValueError, UnsupportedOperation, AttributeError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)
