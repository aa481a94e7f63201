"""The fsspec file system: connections, opening files, and file facts."""

from __future__ import annotations

import asyncio
import errno
import os
import weakref
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from fsspec.asyn import AsyncFileSystem, sync
from fsspec.core import get_compression

import jetstow
from jetstow.fs.compression import CompressedFile, TextFile
from jetstow.fs.connection import Connection
from jetstow.fs.files import DEFAULT_BLOCK_SIZE, ReadFile, WriteFile
from jetstow.fs.paths import split_path
from jetstow.fs.reading import ReadOperations
from jetstow.fs.writing import WriteOperations

if TYPE_CHECKING:
    import datetime

# How long the interpreter's exit waits for a connection to close, in seconds.
CLOSE_TIMEOUT: Final = 2.0

TEXT_OPTIONS: Final = ("encoding", "errors", "newline")


class JetstowFileSystem(WriteOperations, ReadOperations, AsyncFileSystem):
    """A file system whose top-level folders are buckets and whose paths are object names.

    `servers` and other options are passed to `jetstow.connect`. `key` is a key of 32 bytes to
    encrypt and decrypt objects; `allow_plain` also reads objects that are not encrypted (see
    `ObjectStore.encrypted`). Listings are cached, and a watch keeps them current;
    `use_listings_cache=False` lists the bucket on the server each time.
    `batch_size` is the number of concurrent requests of one call (default 16).
    """

    protocol = "jetstow"
    root_marker = ""
    cachable = True
    mirror_sync_methods = True
    async_impl = True
    default_block_size = DEFAULT_BLOCK_SIZE

    def __init__(
        self,
        servers: str | list[str] | None = None,
        *,
        key: bytes | None = None,
        allow_plain: bool = False,
        use_listings_cache: bool = True,
        asynchronous: bool = False,
        loop: Any = None,
        batch_size: int | None = 16,
        **options: Any,
    ) -> None:
        super().__init__(asynchronous=asynchronous, loop=loop, batch_size=batch_size)
        self._connect_options = {"servers": servers, **options}
        self._key = key
        self._allow_plain = allow_plain
        self._use_listings_cache = use_listings_cache
        self._connections: weakref.WeakKeyDictionary[Any, Connection] = weakref.WeakKeyDictionary()

    # -- the connection --------------------------------------------------------------------

    def _connection(self) -> Connection:
        """Return the running loop's connection.

        It is closed when the file system is garbage-collected or the interpreter exits.
        """
        loop = asyncio.get_running_loop()
        connection = self._connections.get(loop)
        if connection is None:
            connection = Connection(self._connect_options, self._key, allow_plain=self._allow_plain)
            self._connections[loop] = connection
            weakref.finalize(self, _close_connection, loop, connection, os.getpid())
        return connection

    async def _store(self, bucket: str) -> jetstow.ObjectStore:
        return await self._connection().store(bucket)

    def close_soon(self, close: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Schedule a coroutine function on the loop, without waiting for it. Thread-safe."""
        loop = self._loop
        if loop is not None and loop.is_running():
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(lambda: loop.create_task(close()))

    def close(self) -> None:
        """Close the connections of all loops. The next operation opens a new connection."""
        for loop, connection in list(self._connections.items()):
            _close_connection(loop, connection, os.getpid())

    async def aclose(self) -> None:
        """Close the connection of the running loop."""
        await self._connection().close()

    def invalidate_cache(self, path: str | None = None) -> None:
        """List the bucket of `path`, or all buckets, again at the next use."""
        bucket = split_path(self._strip_protocol(path))[0] if path else None
        for connection in list(self._connections.values()):
            connection.mark_stale(bucket or None)

    # -- files -----------------------------------------------------------------------------

    def open(self, path: str, mode: str = "rb", *args: Any, **options: Any) -> Any:
        """Open a file: "rb", "wb", "xb" or "ab"; without the "b", as text.

        `compression` is one of fsspec's names, such as "gzip", or "infer" from the path. Text
        files take `encoding`, `errors` and `newline`.

        Raises: `FileNotFoundError`, `IsADirectoryError`, `FileExistsError` ("x" and the object
        exists).
        """
        compression = get_compression(path, options.get("compression"))
        if "r" in mode or ("b" in mode and compression is None):
            return super().open(path, mode, *args, **options)
        text = {key: options.pop(key) for key in TEXT_OPTIONS if key in options}
        options.pop("compression", None)
        file = super().open(path, f"{mode.strip('bt')}b", *args, **options)
        if compression is not None:
            file = CompressedFile(file, compression)
        return file if "b" in mode else TextFile(file, **text)

    def _open(
        self,
        path: str,
        mode: str = "rb",
        block_size: int | None = None,
        autocommit: bool = True,
        cache_options: dict[str, Any] | None = None,
        **options: Any,
    ) -> ReadFile | WriteFile:
        block_size = block_size if isinstance(block_size, int) else DEFAULT_BLOCK_SIZE
        if mode == "rb":
            preconditions = {
                key: options.pop(key)
                for key in ("expected_revision", "if_changed_since")
                if key in options
            }
            reader = sync(self.loop, self._open_reader, path, **preconditions)
            return ReadFile(
                self, path, reader, block_size=block_size, cache_options=cache_options, **options
            )
        if mode in {"wb", "xb", "ab"}:
            return WriteFile(
                self, path, mode, options, block_size=block_size, autocommit=autocommit
            )
        raise ValueError(f"cannot open {path} with mode {mode!r}: use 'rb', 'wb', 'xb' or 'ab'")

    async def open_async(self, path: str, mode: str = "rb", **options: Any) -> Any:
        """Open an object in the running loop.

        Return an `ObjectReader` for "rb", an `ObjectWriter` for "wb", "xb" and "ab".

        Raises: the errors of `ObjectStore.open`.
        """
        if mode == "rb":
            return await self._open_reader(self._strip_protocol(path), **options)
        return await self.begin_write(self._strip_protocol(path), mode, **options)

    async def _open_reader(self, path: str, **preconditions: Any) -> jetstow.ObjectReader:
        bucket, name = self._bucket_and_name(path)
        return await (await self._store(bucket)).open(name, "rb", **preconditions)

    # -- file facts --------------------------------------------------------------------------

    def sign(self, path: str, expiration: int = 100, **_: Any) -> str:
        """Raise `NotImplementedError`: NATS has no signed URLs."""
        raise NotImplementedError(
            f"cannot sign {path}: NATS has no signed URLs; give the reader a user on the server"
        )

    def created(self, path: str) -> datetime.datetime:
        """Return the time of the object's current revision."""
        return self.info(path)["created"]

    def modified(self, path: str) -> datetime.datetime:
        """Return the time of the object's current revision."""
        return self.info(path)["modified"]

    def ukey(self, path: str) -> str:
        """Return a key that changes with every revision of the object."""
        return str(self.info(path)["ETag"])

    def checksum(self, path: str) -> int:
        """Return `ukey` as an integer."""
        return int.from_bytes(self.ukey(path).encode(), "big")

    @property
    def fsid(self) -> str:
        """An identifier of the servers that this file system connects to."""
        return f"jetstow_{self._connect_options['servers'] or 'default'}"

    def _bucket_and_name(self, path: str) -> tuple[str, str]:
        """Return the bucket and name of an object.

        Raises: `IsADirectoryError` (`path` is a bucket).
        """
        bucket, name = split_path(path)
        if not name:
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
        return bucket, name


def _close_connection(loop: Any, connection: Connection, pid: int) -> None:
    """Close a connection on its loop, which at exit still runs in fsspec's own thread."""
    if os.getpid() != pid or not loop.is_running() or loop.is_closed():
        return  # a forked process has a copy of neither the loop's thread nor the connection
    with suppress(Exception):
        if _is_running_loop(loop):
            loop.create_task(connection.close())
        else:
            sync(loop, connection.close, timeout=CLOSE_TIMEOUT)


def _is_running_loop(loop: Any) -> bool:
    try:
        return asyncio.get_running_loop() is loop
    except RuntimeError:
        return False
