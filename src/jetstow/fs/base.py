"""The base class of the file system: methods that its parts call on each other."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from fsspec.asyn import AsyncFileSystem

if TYPE_CHECKING:
    import jetstow
    from jetstow.fs.connection import Connection


class FileSystemBase(AsyncFileSystem):
    """Declares what `ReadOperations`, `WriteOperations` and the open files use."""

    _use_listings_cache: bool

    def _connection(self) -> Connection:
        raise NotImplementedError

    async def _store(self, bucket: str) -> jetstow.ObjectStore:
        raise NotImplementedError

    async def _open_reader(self, path: str, **preconditions: Any) -> jetstow.ObjectReader:
        raise NotImplementedError

    def _bucket_and_name(self, path: str) -> tuple[str, str]:
        raise NotImplementedError

    async def begin_write(self, path: str, mode: str, **options: Any) -> jetstow.ObjectWriter:
        """Start an upload."""
        raise NotImplementedError

    async def end_write(self, writer: jetstow.ObjectWriter) -> None:
        """Complete an upload."""
        raise NotImplementedError

    def close_soon(self, close: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Schedule a coroutine function on the loop, without waiting for it."""
        raise NotImplementedError
