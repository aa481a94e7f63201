"""Standard input and output, which may block for ever and must hold nobody up.

A read from a terminal or a write to a stopped reader cannot be interrupted. So they happen
in threads that the end of the process does not wait for, on the file descriptors alone: a
thread that dies inside Python's own buffers takes the interpreter with it.
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

_PIECE: Final = 1024 * 1024


class Patient:
    """A thread that does one thing after another, and may be left at it."""

    def __init__(self, name: str) -> None:
        self._jobs: queue.SimpleQueue[tuple[asyncio.Future[Any], Callable[[], object]] | None]
        self._jobs = queue.SimpleQueue()
        threading.Thread(target=self._work, name=f"jetstow-{name}", daemon=True).start()

    async def do(self, job: Callable[[], object]) -> Any:
        """The result of the job. A caller who is cancelled leaves; the job goes on."""
        future = asyncio.get_running_loop().create_future()
        self._jobs.put((future, job))
        return await future

    def close(self) -> None:
        """Let the thread end, when it has done what it is at."""
        self._jobs.put(None)

    def _work(self) -> None:
        while (work := self._jobs.get()) is not None:
            future, job = work
            result: object = None
            failure: Exception | None = None
            try:
                result = job()
            except Exception as error:  # noqa: BLE001 - it is raised where it is awaited
                failure = error
            with suppress(RuntimeError):  # the loop has ended
                future.get_loop().call_soon_threadsafe(_settle, future, result, failure)


def _settle(future: asyncio.Future[Any], result: object, failure: Exception | None) -> None:
    if future.done():
        return  # cancelled
    if failure is None:
        future.set_result(result)
    else:
        future.set_exception(failure)


def descriptor(file: Any) -> int | None:
    """The file's descriptor; None for one that has none, or that is closed."""
    try:
        return int(file.fileno())
    except (AttributeError, OSError, ValueError, UnsupportedOperation):
        return None


def is_terminal(file: Any) -> bool:
    """Whether somebody sits there."""
    fd = descriptor(file)
    return fd is not None and os.isatty(fd)


def size(file: Any) -> int | None:
    """How many bytes a file on a disk has; None for anything else."""
    fd = descriptor(file)
    found = None if fd is None else os.fstat(fd)
    return found.st_size if found is not None and stat.S_ISREG(found.st_mode) else None


def may_block(path: str) -> bool:
    """Whether that is a pipe, a terminal or some other device, not a file or nothing yet."""
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116
    except OSError:
        return False  # whoever opens it finds out
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


async def read(file: BinaryIO) -> AsyncGenerator[bytes, None]:
    """A file's bytes as they come."""
    fd = descriptor(file)
    with closing(Patient("in")) as thread:
        while piece := await thread.do(lambda: file.read(_PIECE) if fd is None else _read(fd)):
            yield piece


async def open_and_read(path: str) -> AsyncGenerator[bytes, None]:
    """The bytes of a pipe or a device, whose opening may block as well."""
    with closing(Patient("in")) as thread:
        fd = await thread.do(lambda: os.open(path, os.O_RDONLY | os.O_CLOEXEC))
        while piece := await thread.do(lambda: _read(fd)):
            yield piece
        os.close(fd)


def _read(fd: int) -> bytes:
    while True:
        try:
            return os.read(fd, _PIECE)
        except BlockingIOError:  # somebody made it so for all who share it
            select.select([fd], [], [])


async def open_to_write(path: str) -> int:
    """A descriptor for a pipe or a device, whose opening may block as well."""
    flags = os.O_WRONLY | os.O_CLOEXEC
    with closing(Patient("open")) as thread:
        opened: int = await thread.do(lambda: os.open(path, flags))
    return opened


class Output:
    """A descriptor as an asynchronous file; standard output without one."""

    def __init__(self, fd: int | None = None) -> None:
        self._fd = fd
        self._thread: Patient | None = None

    async def write(self, data: bytes) -> int:
        """Write all of it. Raises `BrokenPipeError` when nobody reads any more."""
        if self._thread is None:
            flush()
            self._thread = Patient("out")
        await self._thread.do(lambda: self._write_all(data))
        return len(data)

    def close(self) -> None:
        """Write nothing more; a descriptor of one's own is closed."""
        if self._thread is not None:
            self._thread.close()
        if self._fd is not None:
            os.close(self._fd)

    def _write_all(self, data: bytes) -> None:
        fd = descriptor(_opened(sys.stdout, "output")) if self._fd is None else self._fd
        if fd is None:
            sys.stdout.buffer.write(data)
            return
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[os.write(fd, rest) :]
            except BlockingIOError:
                select.select([], [fd], [])
            except OSError as error:
                error.filename = error.filename or "standard output"
                raise


def stdin() -> BinaryIO:
    """Standard input. Raises `OSError` where it is closed."""
    return _opened(sys.stdin, "input").buffer


def _opened(file: TextIO | None, kind: str) -> TextIO:
    if file is None:
        raise OSError(errno.EBADF, "it is closed", f"standard {kind}")
    return file


def flush() -> None:
    """Let go of what `print` has kept back."""
    if sys.stdout is not None:
        sys.stdout.flush()


def forget_output() -> None:
    """Nobody reads what is still to be written: let Python's last flush go nowhere."""
    with suppress(OSError, ValueError, UnsupportedOperation, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
