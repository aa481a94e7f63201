"""The file system: fsspec's verbs, in terms of jetstow's."""

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
from jetstow.fs.compression import PackedFile, TextFile
from jetstow.fs.connection import Connection
from jetstow.fs.files import BLOCK, ReadFile, WriteFile
from jetstow.fs.paths import split
from jetstow.fs.reading import Reading
from jetstow.fs.writing import Writing

if TYPE_CHECKING:
    import datetime

# How long the end of a program waits for a connection to close, in seconds.
_CLOSING: Final = 2.0

_TEXT: Final = ("encoding", "errors", "newline")


class JetstowFileSystem(Writing, Reading, AsyncFileSystem):
    """Buckets are the top-level folders, the names of objects the paths in them.

    `servers` and whatever else `jetstow.connect` takes may be given, and a `key` of 32 bytes,
    with which objects are encrypted and read (`ObjectStore.encrypted`). Listings are kept in
    memory and kept true by a watch; `use_listings_cache=False` asks the server each time.
    """

    protocol = "jetstow"
    root_marker = ""
    cachable = True
    mirror_sync_methods = True
    async_impl = True
    default_block_size = BLOCK

    def __init__(
        self,
        servers: str | list[str] | None = None,
        *,
        key: bytes | None = None,
        use_listings_cache: bool = True,
        asynchronous: bool = False,
        loop: Any = None,
        batch_size: int | None = 16,
        **options: Any,
    ) -> None:
        super().__init__(asynchronous=asynchronous, loop=loop, batch_size=batch_size)
        self._connect_options = {"servers": servers, **options}
        self._key = key
        self._lists_once = use_listings_cache
        self._connections: weakref.WeakKeyDictionary[Any, Connection] = weakref.WeakKeyDictionary()

    # -- the connection --------------------------------------------------------------------

    def _connection(self) -> Connection:
        """This loop's connection, which ends with the file system or with the program."""
        loop = asyncio.get_running_loop()
        found = self._connections.get(loop)
        if found is None:
            found = self._connections[loop] = Connection(self._connect_options, self._key)
            weakref.finalize(self, _close, loop, found, os.getpid())
        return found

    async def _store(self, bucket: str) -> jetstow.ObjectStore:
        return await self._connection().store(bucket)

    def let_go(self, end: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """End something a little later, from whatever thread."""
        loop = self._loop
        if loop is not None and loop.is_running():
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(lambda: loop.create_task(end()))

    def close(self) -> None:
        """Close the connection; the next verb makes another one."""
        for loop, connection in list(self._connections.items()):
            _close(loop, connection, os.getpid())

    async def aclose(self) -> None:
        """The same for the connection of the running loop."""
        await self._connection().close()

    def invalidate_cache(self, path: str | None = None) -> None:
        """Read the names anew when they are needed next."""
        bucket = split(self._strip_protocol(path))[0] if path else None
        for connection in list(self._connections.values()):
            connection.make_stale(bucket or None)

    # -- files -----------------------------------------------------------------------------

    def open(self, path: str, mode: str = "rb", *args: Any, **options: Any) -> Any:
        """A file, as fsspec's users open it: also text ("r", "w"), and with `compression`.

        Raises `FileNotFoundError`, `IsADirectoryError`, and for "x" `FileExistsError`.
        """
        compression = get_compression(path, options.get("compression"))
        if "r" in mode or ("b" in mode and compression is None):
            return super().open(path, mode, *args, **options)
        text = {key: options.pop(key) for key in _TEXT if key in options}
        options.pop("compression", None)
        file = super().open(path, f"{mode.strip('bt')}b", *args, **options)
        if compression is not None:
            file = PackedFile(file, compression)
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
        block_size = block_size if isinstance(block_size, int) else BLOCK
        if mode == "rb":
            terms = {
                key: options.pop(key)
                for key in ("expected_revision", "if_changed_since")
                if key in options
            }
            reader = sync(self.loop, self._open_reader, path, **terms)
            return ReadFile(
                self, path, reader, block_size=block_size, cache_options=cache_options, **options
            )
        if mode in {"wb", "xb", "ab"}:
            return WriteFile(
                self, path, mode, options, block_size=block_size, autocommit=autocommit
            )
        raise ValueError(f"{path} can be opened as 'rb', 'wb', 'xb' or 'ab', not as {mode!r}")

    async def open_async(self, path: str, mode: str = "rb", **options: Any) -> Any:
        """An object as `ObjectStore.open` gives it, to be used in the loop."""
        if mode == "rb":
            return await self._open_reader(self._strip_protocol(path), **options)
        return await self.begin_write(self._strip_protocol(path), mode, **options)

    async def _open_reader(self, path: str, **terms: Any) -> jetstow.ObjectReader:
        bucket, name = self._file(path)
        return await (await self._store(bucket)).open(name, "rb", **terms)

    # -- what nobody can ask of an object store ----------------------------------------------

    def sign(self, path: str, expiration: int = 100, **_: Any) -> str:
        """There are no addresses that let somebody in: NATS knows users only."""
        raise NotImplementedError(
            f"{path} cannot be signed: whoever reads it needs a user on the NATS server"
        )

    def created(self, path: str) -> datetime.datetime:
        """When the object was written: every put makes another one."""
        return self.info(path)["created"]

    def modified(self, path: str) -> datetime.datetime:
        """When the object, or what is said of it, was written."""
        return self.info(path)["modified"]

    def ukey(self, path: str) -> str:
        """What is another one once the object is."""
        return str(self.info(path)["ETag"])

    def checksum(self, path: str) -> int:
        """The same as a number."""
        return int.from_bytes(self.ukey(path).encode(), "big")

    @property
    def fsid(self) -> str:
        """The buckets of one account of one server."""
        return f"jetstow_{self._connect_options['servers'] or 'default'}"

    def _file(self, path: str) -> tuple[str, str]:
        """Bucket and name of what should be an object. Raises `IsADirectoryError`."""
        bucket, name = split(path)
        if not name:
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
        return bucket, name


def _close(loop: Any, connection: Connection, pid: int) -> None:
    """At the program's end fsspec's loop still runs, in a thread of its own."""
    if os.getpid() != pid or not loop.is_running() or loop.is_closed():
        return  # a forked process has neither the thread nor the connection
    with suppress(Exception):
        if _is_here(loop):
            loop.create_task(connection.close())
        else:
            sync(loop, connection.close, timeout=_CLOSING)


def _is_here(loop: Any) -> bool:
    try:
        return asyncio.get_running_loop() is loop
    except RuntimeError:
        return False
