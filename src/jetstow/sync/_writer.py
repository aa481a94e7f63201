"""An object as a file to write, as Python's own libraries take one."""

from __future__ import annotations

import io
import os
import sys
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

import jetstow
from jetstow.errors import InvalidDataError
from jetstow.models import ObjectInfo
from jetstow.sync.call import Call, run, shut
from jetstow.sync.iterate import check_process
from jetstow.sync.likeness import like
from jetstow.sync.portal import background, inherit, let_go

if TYPE_CHECKING:
    from nats.js import api
    from typing_extensions import Buffer

    from jetstow.sync.base import BucketBase

# What is gathered of small writes before the loop gets it, in bytes.
_BLOCK: Final = 256 * 1024


def open_writer(
    owner: BucketBase, name: str, meta: api.ObjectMeta | None, options: dict[str, Any]
) -> ObjectWriter:
    """Begin an object. Raises what `put` raises."""
    store = owner.here()

    async def begin() -> jetstow.ObjectWriter:
        return await store.open(name, "wb", meta, **options)

    return ObjectWriter(owner, Call(undo=jetstow.ObjectWriter.abort).run(begin))


class ObjectWriter(io.BufferedIOBase):
    """An object being written: `write`, `close`; a context manager.

    The object exists once `close` has returned, and `info` tells of it. An exception inside
    `with`, `abort`, a file that is forgotten without `close`, and the end of the interpreter
    leave no object and no chunk.

    What wraps it, such as `io.TextIOWrapper`, closes it, and a wrapper's own `with` does so
    even after an exception. So put a `with` around the store's file itself, too: as long as an
    exception is being handled in there, the end of that block decides.
    """

    name: str
    mode = "wb"

    def __init__(self, owner: object, writer: jetstow.ObjectWriter) -> None:
        super().__init__()
        self.name = writer.name
        self.info: ObjectInfo | None = None
        self._owner = owner  # which stays connected as long as somebody writes
        self._writer = writer
        self._held = bytearray()
        self._position = 0
        self._is_entered = self._forgotten = False
        self._pid = os.getpid()
        background().keep_file(writer, writer.abort)

    def writable(self) -> bool:
        return True

    @like(jetstow.ObjectWriter.tell)
    def tell(self) -> int:
        self._check_open()
        return self._position

    @like(jetstow.ObjectWriter.write)
    def write(self, data: Buffer) -> int:
        self._check_open()
        if isinstance(data, str):
            raise InvalidDataError(f"object {self.name!r} takes bytes, not str: encode it")
        size = memoryview(data).nbytes
        if len(self._held) + size < _BLOCK:
            self._held += memoryview(data).cast("B") if size else b""
        else:
            held, self._held = bytes(self._held), bytearray()
            run(self._send, held, data)
        self._position += size
        return size

    def flush(self) -> None:
        """Does nothing: the object does not exist before it is closed."""
        if self.closed:
            raise ValueError(f"object {self.name!r} is finished: there is nothing to flush")

    @like(jetstow.ObjectWriter.close)
    def close(self) -> None:
        if self._forgotten and self.closed:
            raise ValueError(f"object {self.name!r} was given up: what wrapped it was not closed")
        if self.closed or (self._is_entered and sys.exc_info()[0] is not None):
            return
        if self._forgotten:
            self._abandon()
            return
        self._check_open()
        held = bytes(self._held)
        try:
            shut(self._writer, lambda: self._finish(held), otherwise=self._writer.abort)
        finally:
            super().close()
        self.info = self._writer.info

    @like(jetstow.ObjectWriter.abort)
    def abort(self) -> None:
        if not self.closed:
            self._check_open()
            try:
                shut(self._writer, self._writer.abort)
            finally:
                super().close()

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
        # Python's own files are closed here. Nobody has said that this one is complete.
        if hasattr(self, "_pid") and not self.closed:
            self._abandon()

    def _dealloc_warn(self, _: object) -> None:
        """How Python's wrappers tell what they wrap that they are collected, not closed."""
        self._forgotten = True

    def _abandon(self) -> None:
        if self._pid == os.getpid():
            let_go(self._writer, self._writer.abort)
        else:
            inherit(self._writer)
        super().close()

    async def _send(self, held: bytes, data: Buffer) -> None:
        if held:
            await self._writer.write(held)
        await self._writer.write(data)

    async def _finish(self, held: bytes) -> None:
        if held:
            await self._writer.write(held)
        await self._writer.close()

    def _check_open(self) -> None:
        if self.closed:
            raise ValueError(f"object {self.name!r} is finished: nothing can be added to it")
        check_process(self._pid, f"object {self.name!r}, open for writing,")
