"""An object as a Python file to write."""

from __future__ import annotations

import io
import os
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

import jetstow
from jetstow.errors import InvalidDataError
from jetstow.models import ObjectInfo, ObjectMeta
from jetstow.sync._call import Call, close_and_wait, run
from jetstow.sync._iterate import check_process
from jetstow.sync._portal import close_soon, get_portal, keep_inherited

if TYPE_CHECKING:
    from typing_extensions import Buffer

# Small writes are buffered up to this many bytes before one call sends them.
_BUFFER_SIZE: Final = 256 * 1024

# How often, in seconds, a call that waits for another thread looks whether the program has ended.
_LOCK_INTERVAL: Final = 0.5


def open_writer(
    owner: object, store: jetstow.ObjectStore, name: str, **options: Any
) -> ObjectWriter:
    """Start to write an object, with the options of `ObjectStore.open`.

    `owner` is the blocking store. The file keeps it, and so its connection.
    """

    async def start() -> jetstow.ObjectWriter:
        return await store.open(name, "wb", **options)

    return ObjectWriter(owner, Call(undo=jetstow.ObjectWriter.abort).run(start))


class ObjectWriter(io.BufferedIOBase):
    """An object opened for writing: `write` and `close`; a context manager.

    The object exists when `close` has returned; `info` then describes it. An exception within
    `with`, `abort`, a garbage-collected file that was not closed, and the end of the interpreter
    leave neither an object nor chunks.

    A wrapper such as `io.TextIOWrapper` closes the file when its own `with` ends, even after an
    exception. So use `with` for the store's file, too: while its block handles an exception, a
    wrapper does not complete the object.
    """

    name: str
    mode = "wb"

    def __init__(self, owner: object, writer: jetstow.ObjectWriter) -> None:
        super().__init__()
        self.name = writer.name
        self.info: ObjectInfo | None = None
        self._owner = owner  # keeps the connection open
        self._writer = writer
        self._buffer = bytearray()
        self._position = 0
        self._is_entered = self._is_abandoned = False
        self._is_sending = self._may_lack_bytes = False
        self._pid = os.getpid()
        # For the buffer and the order of its bytes. Not taken in a forked child: another thread
        # of the parent may have it.
        self._lock = threading.RLock()
        self._portal = get_portal()
        self._portal.register_file(writer, writer.abort)

    @property
    def nuid(self) -> str:
        """The NUID of the chunks."""
        return self._writer.nuid

    @property
    def meta(self) -> ObjectMeta:
        """What the object will have as its metadata. It may be changed until the file is closed."""
        return self._writer.meta

    @meta.setter
    def meta(self, meta: ObjectMeta) -> None:
        self._writer.meta = meta

    @property
    def size(self) -> int:
        """How many bytes were written."""
        return self._position

    @property
    def digest(self) -> str:
        """The SHA-256 digest of the bytes written so far, in the form of `ObjectInfo.digest`.

        Through a view with a key, it is that of the plaintext.
        """
        if self.closed:
            return self._writer.digest
        self._check_open()
        with self._exclusive():
            self._check_complete()
            if self._buffer:
                self._send_buffered()
            return self._writer.digest

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        """Return how many bytes were written."""
        self._check_open()
        return self._position

    def write(self, data: Buffer) -> int:
        """Write all of `data`, and return its size in bytes.

        If sending it fails or is interrupted, `close` discards the object.

        Raises: `InvalidDataError` (a str), `ValueError` (the file is closed, or a write failed),
        and what `put` raises.
        """
        self._check_open()
        if isinstance(data, str):
            raise InvalidDataError(f"object {self.name!r} takes bytes, not str: encode it")
        size = memoryview(data).nbytes
        with self._exclusive():
            self._check_open()
            if not self._is_sending:
                self._check_complete()
            # A signal handler may write while this thread sends: then the bytes wait.
            if self._is_sending or len(self._buffer) + size < _BUFFER_SIZE:
                self._buffer += memoryview(data).cast("B") if size else b""
            else:
                self._send_buffered(data)
            self._position += size
        return size

    def flush(self) -> None:
        """Do nothing: the object does not exist before the file is closed."""
        if self.closed:
            raise ValueError(f"the file of object {self.name!r} is closed: nothing to flush")

    def close(self) -> None:
        """Complete the object. Does nothing if the file is closed.

        Raises: `ValueError` (a write failed before), and what `put` raises; the object does not
        exist then.
        """
        if self._is_abandoned and self.closed:
            raise ValueError(f"object {self.name!r} was discarded: its wrapper was not closed")
        if self.closed or (self._is_entered and sys.exc_info()[0] is not None):
            return
        if self._is_abandoned:
            self._discard()
            return
        self._check_open()
        with self._exclusive():
            self._complete()

    def abort(self) -> None:
        """Discard what was written, and close the file. Does nothing if the file is closed.

        A write of another thread ends with `ValueError`.
        """
        if not self.closed:
            self._check_open()
            self._end(self._writer.abort)

    def __enter__(self) -> Self:
        self._check_open()
        self._is_entered = True
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._is_entered = False
        if kind is None:
            self.close()
        else:
            self.abort()

    def __del__(self) -> None:
        # Python's own files are closed here. This one may be incomplete.
        if hasattr(self, "_pid") and not self.closed:
            self._discard()

    def _dealloc_warn(self, _: object) -> None:
        """Called by Python's wrappers when they are garbage collected without `close`."""
        self._is_abandoned = True

    def _discard(self) -> None:
        if self._pid == os.getpid():
            close_soon(self._writer, self._writer.abort)
        else:
            keep_inherited(self._writer)
        super().close()

    @contextmanager
    def _exclusive(self) -> Iterator[None]:
        """Wait for the calls of other threads. At the end of the program, they never return.

        Raises: `ValueError` (the program has ended).
        """
        while not self._lock.acquire(timeout=_LOCK_INTERVAL):
            if self._portal.has_ended:
                raise ValueError(f"object {self.name!r} was aborted: the program has ended")
        try:
            yield
        finally:
            self._lock.release()

    def _complete(self) -> None:
        if self.closed:  # by another thread
            return
        if self._may_lack_bytes:
            self._end(self._writer.abort)
            self._check_complete()
        buffered = self._take_buffer()
        self._end(lambda: self._finish(buffered))
        self._may_lack_bytes = False
        self.info = self._writer.info

    def _end(self, close: Callable[[], Awaitable[None]]) -> None:
        """Close the file, unless another thread has done so."""
        if self.closed:
            return
        try:
            close_and_wait(self._writer, close, fallback=self._writer.abort)
        finally:
            super().close()

    def _send_buffered(self, data: Buffer = b"") -> None:
        """Send the buffered bytes, then `data`."""
        buffered = self._take_buffer()
        try:
            self._is_sending = True
            run(self._send, buffered, data)
            self._may_lack_bytes = False
        finally:
            self._is_sending = False

    def _take_buffer(self) -> bytes:
        """Return the buffered bytes. The caller resets `_may_lack_bytes` when they are sent.

        An interruption can come at any moment, also before the loop has begun to send them.
        """
        self._may_lack_bytes = True
        buffered, self._buffer = bytes(self._buffer), bytearray()
        return buffered

    async def _send(self, buffered: bytes, data: Buffer) -> None:
        if buffered:
            await self._writer.write(buffered)
        await self._writer.write(data)

    async def _finish(self, buffered: bytes) -> None:
        if buffered:
            await self._writer.write(buffered)
        await self._writer.close()

    def _check_complete(self) -> None:
        if self._may_lack_bytes:
            raise ValueError(f"object {self.name!r} was aborted because a write failed")

    def _check_open(self) -> None:
        if self.closed:
            raise ValueError(f"the file of object {self.name!r} is closed")
        check_process(self._pid, f"object {self.name!r}, open for writing,")
