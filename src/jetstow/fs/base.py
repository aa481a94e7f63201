"""The base class of the file system: what its parts share, and methods that they call."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from fsspec.asyn import AsyncFileSystem

import jetstow
from jetstow.errors import BucketNotFoundError, ObjectNotFoundError
from jetstow.fs.paths import path_error, split_path

if TYPE_CHECKING:
    from jetstow.fs.connection import Connection


class FileSystemBase(AsyncFileSystem):
    """Declares what the operations and the open files use."""

    _key: bytes | None
    _use_listings_cache: bool
    _loop: Any
    _transaction: Any

    def _connection(self) -> Connection:
        raise NotImplementedError

    async def _store(self, bucket: str) -> jetstow.ObjectStore:
        return await self._connection().store(bucket)

    def close_soon(self, close: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Schedule a coroutine function on the loop, without waiting for it."""
        raise NotImplementedError

    def enter_transaction(self) -> None:
        """Have changes collected by `transaction`."""
        self._intrans = True

    def leave_transaction(self) -> None:
        """Make changes at once again."""
        self._intrans, self._transaction = False, None

    async def begin_write(self, path: str, mode: str, **options: Any) -> jetstow.ObjectWriter:
        """Start an upload."""
        raise NotImplementedError

    async def end_write(self, writer: jetstow.ObjectWriter) -> None:
        """Complete an upload and enter the object in the cached listing."""
        await writer.close()
        assert writer.info is not None, "close() sets the info"
        self._update_listing(writer.info)

    # -- reading -------------------------------------------------------------------------------

    async def _open_reader(self, path: str, **preconditions: Any) -> jetstow.ObjectReader:
        bucket, name = self._bucket_and_name(path)
        with self._forgetting_lost_names():
            return await (await self._store(bucket)).open(name, "rb", **preconditions)

    async def reopen_reader(self, info: jetstow.ObjectInfo) -> jetstow.ObjectReader:
        """Open the same revision of an object with the connection of this process.

        Raises: `RevisionMismatchError` (the object was replaced), `ObjectNotFoundError`.
        """
        path = f"{info.bucket}/{info.name}"
        return await self._open_reader(path, expected_revision=info.revision)

    async def read_range(self, reader: jetstow.ObjectReader, start: int, length: int) -> bytes:
        """Read a range of an open object."""
        with self._forgetting_lost_names():
            return await reader.read_at(start, length)

    # -- the cached listing --------------------------------------------------------------------

    def _update_listing(self, info: jetstow.ObjectInfo) -> None:
        if (listing := self._connection().cached_listing(info.bucket)) is not None:
            listing.enter(info)

    def _remove_from_listing(self, bucket: str, name: str) -> None:
        if (listing := self._connection().cached_listing(bucket)) is not None:
            listing.remove(name)

    @contextmanager
    def _forgetting_lost_names(self) -> Iterator[None]:
        """Drop an object that is not found from the listing, and a bucket with its listing."""
        try:
            yield
        except ObjectNotFoundError as error:
            if error.bucket is not None and error.name is not None:
                self._remove_from_listing(error.bucket, error.name)
            raise
        except BucketNotFoundError as error:
            if error.bucket is not None:
                self._connection().mark_stale(error.bucket)
            raise

    # -- paths ---------------------------------------------------------------------------------

    def _bucket_and_name(self, path: str) -> tuple[str, str]:
        """Return the bucket and name of an object.

        Raises: `IsADirectoryError` (`path` is a bucket).
        """
        bucket, name = split_path(path)
        if not name:
            raise path_error(IsADirectoryError, path)
        return bucket, name
