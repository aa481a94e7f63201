"""The fsspec file system: connections, opening files, and file facts."""

from __future__ import annotations

import asyncio
import os
import weakref
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from fsspec.asyn import get_loop, sync
from fsspec.core import get_compression
from fsspec.utils import tokenize

from jetstow.fs.compression import CompressedFile, TextFile
from jetstow.fs.connection import Connection
from jetstow.fs.files import DEFAULT_BLOCK_SIZE, ReadFile, WriteFile
from jetstow.fs.folders import FolderOperations
from jetstow.fs.options import Options
from jetstow.fs.paths import path_error, split_path

if TYPE_CHECKING:
    import datetime

# How long the interpreter's exit waits for a connection to close, in seconds.
CLOSE_TIMEOUT: Final = 2.0

TEXT_OPTIONS: Final = ("encoding", "errors", "newline")


class JetstowFileSystem(FolderOperations):
    """A file system whose top-level folders are buckets and whose paths are object names.

    `servers` and other options are those of `jetstow.connect` and `Client.jetstream` (`domain`,
    `prefix`, `timeout`). `context` names a context of the `nats` tool, `tls_ca`, `tls_cert` and
    `tls_key` are paths of PEM files. `key` is a key of 32 bytes to encrypt and decrypt objects;
    `allow_plain` also reads objects that are not encrypted (see `ObjectStore.encrypted`). Listings
    are cached, and a watch keeps them current; `use_listings_cache=False` lists the bucket on the
    server each time.
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
        self._options = Options(servers, options)
        self._key = key
        self._allow_plain = allow_plain
        self._use_listings_cache = use_listings_cache
        self._connections: weakref.WeakKeyDictionary[Any, Connection] = weakref.WeakKeyDictionary()
        _instances[id(self)] = self

    # -- the connection --------------------------------------------------------------------

    def _connection(self) -> Connection:
        """Return the running loop's connection.

        It is closed when the file system is garbage-collected or the interpreter exits.
        """
        loop = asyncio.get_running_loop()
        connection = self._connections.get(loop)
        if connection is None:
            connection = Connection(self._options, self._key, allow_plain=self._allow_plain)
            self._connections[loop] = connection
            weakref.finalize(self, _close_connection, loop, connection, os.getpid())
        return connection

    @property
    def loop(self) -> Any:
        """The event loop of blocking calls. A forked process starts its own."""
        if self._loop is None and not self.asynchronous:
            self._loop = get_loop()
        return self._loop

    def reset_after_fork(self, inherited: list[object]) -> None:
        """Leave connections, loop and transaction to the parent. Add to `inherited` what to keep.

        A finalizer of the parent's connections would write to its sockets.
        """
        inherited += [self._connections, self._transaction, self._loop]
        self._connections = weakref.WeakKeyDictionary()
        self._loop = None
        self.leave_transaction()
        self._pid = os.getpid()

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
        stored: WriteFile = super().open(path, f"{mode.strip('bt')}b", *args, **options)
        try:
            file = stored if compression is None else CompressedFile(stored, compression)
            wrapped = file if "b" in mode else TextFile(file, **text)
        except BaseException:
            stored.discard()  # an option is not valid: a transaction must not store the file
            raise
        stored.wrap(wrapped)
        return wrapped

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
            reader = sync(self.loop, self._open_file, path, **preconditions)
            return ReadFile(
                self, path, reader, block_size=block_size, cache_options=cache_options, **options
            )
        if mode in {"wb", "xb", "ab"}:
            return WriteFile(
                self, path, mode, options, block_size=block_size, autocommit=autocommit
            )
        raise ValueError(f"cannot open {path} with mode {mode!r}: use 'rb', 'wb', 'xb' or 'ab'")

    # -- file facts --------------------------------------------------------------------------

    def sign(self, path: str, expiration: int = 100, **_: Any) -> str:
        """Raise `NotImplementedError`: NATS has no signed URLs."""
        raise NotImplementedError(
            f"cannot sign {path}: NATS has no signed URLs; give the reader a user on the server"
        )

    def created(self, path: str) -> datetime.datetime:
        """Return the time of the object's current revision."""
        return self._time(path, "created")

    def modified(self, path: str) -> datetime.datetime:
        """Return the time of the object's current revision."""
        return self._time(path, "modified")

    def _time(self, path: str, key: str) -> datetime.datetime:
        time: datetime.datetime | None = self.info(path).get(key)
        if time is None:
            raise path_error(FileNotFoundError, path)  # a folder, as in `memory://`
        return time

    def ukey(self, path: str) -> str:
        """Return a key that changes with every revision of the object."""
        entry = self.info(path)
        return str(entry.get("ETag") or tokenize(entry))

    def checksum(self, path: str) -> int:
        """Return `ukey` as an integer."""
        return int.from_bytes(self.ukey(path).encode(), "big")

    @property
    def fsid(self) -> str:
        """An identifier of the servers that this file system connects to."""
        return f"jetstow_{self._options.servers or self._options.context or 'default'}"


# All file systems by `id` (fsspec's are equal if their options are), and what a forked process has
# inherited but must not use.
_instances: weakref.WeakValueDictionary[int, JetstowFileSystem] = weakref.WeakValueDictionary()
_inherited: list[object] = []


def _reset_instances() -> None:
    for instance in list(_instances.values()):
        instance.reset_after_fork(_inherited)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_instances)


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
