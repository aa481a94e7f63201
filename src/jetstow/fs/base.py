"""What the parts of the file system have of one another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fsspec.asyn import AsyncFileSystem

if TYPE_CHECKING:
    import jetstow
    from jetstow.fs.connection import Connection


class Base(AsyncFileSystem):
    """The connection, and the names of what should be objects."""

    _lists_once: bool

    def _connection(self) -> Connection:
        raise NotImplementedError

    async def _store(self, bucket: str) -> jetstow.ObjectStore:
        raise NotImplementedError

    async def _open_reader(self, path: str, **terms: Any) -> jetstow.ObjectReader:
        raise NotImplementedError

    def _file(self, path: str) -> tuple[str, str]:
        raise NotImplementedError
