"""The read operations of the file system: listings, entries and bytes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from typing import Any

from fsspec.asyn import _get_batch_size
from fsspec.callbacks import Callback

import jetstow
from jetstow import ObjectInfo
from jetstow._core.aio.background import stop
from jetstow.errors import (
    InvalidBucketNameError,
    InvalidObjectNameError,
    JetstowError,
    ObjectNotFoundError,
)
from jetstow.fs import paths
from jetstow.fs.base import FileSystemBase
from jetstow.fs.paths import Entry, path_error, split_path
from jetstow.types import Progress


class ReadOperations(FileSystemBase):
    """fsspec's methods that do not change anything."""

    async def _ls(
        self, path: str, detail: bool = True, refresh: bool = False, **_: Any
    ) -> list[Any]:
        path = self._strip_protocol(path)
        bucket, folder = split_path(path)
        if not bucket:
            buckets = await (await self._connection().jetstream()).object_stores()
            entries = [paths.bucket_entry(status) for status in buckets]
        else:
            if refresh:
                await self._connection().drop_caches(bucket)
            entries = await self._entries(bucket, folder, 1)
            if not entries and folder:
                entries = [await self._info(path)]
                if entries[0]["type"] == "directory":
                    entries = []
        entries.sort(key=lambda entry: str(entry["name"]))
        return entries if detail else sorted({entry["name"] for entry in entries})

    async def _find(
        self,
        path: str,
        maxdepth: int | None = None,
        withdirs: bool = False,
        detail: bool = False,
        prefix: str = "",
        **options: Any,
    ) -> Any:
        path = self._strip_protocol(path)
        bucket, folder = split_path(path)
        if not bucket:
            return await super()._find(
                path, maxdepth=maxdepth, withdirs=withdirs, detail=detail, **options
            )
        path_prefix = f"{path}/{prefix}" if prefix else ""
        entries = [
            entry
            for entry in await self._entries(bucket, folder, maxdepth, withdirs=withdirs)
            if entry["name"].startswith(path_prefix)
        ]
        if withdirs and not prefix and (entries or not folder):
            entries.append(paths.folder_entry(path))
        if not entries and folder and not prefix:
            try:
                entries = [await self._info(path)]
            except FileNotFoundError:
                entries = []
            if entries and entries[0]["type"] == "directory" and not withdirs:
                entries = []
        entries.sort(key=lambda entry: str(entry["name"]))
        by_path = {entry["name"]: entry for entry in entries}
        return by_path if detail else list(by_path)

    async def _walk(self, path: str, *args: Any, **options: Any) -> AsyncIterator[Any]:
        """Walk a folder. A missing one has no steps, as in `os.walk` and `memory://`."""
        if options.get("on_error", "omit") == "omit" and not await self._exists(path):
            return
        async for step in super()._walk(path, *args, **options):
            yield step

    async def _entries(
        self, bucket: str, folder: str, depth: int | None, *, withdirs: bool = True
    ) -> list[Entry]:
        """Return the entries of a folder, `depth` levels deep (None: all levels).

        Raises: `FileNotFoundError` (the bucket does not exist).
        """
        infos = await self._infos(bucket, folder)
        entries: list[Entry] = []
        links: list[tuple[str, ObjectInfo]] = []
        for path, info in paths.iter_entries(bucket, folder, infos, depth):
            if info is None:
                entries += [paths.folder_entry(path)] if withdirs else []
            elif info.link is None:
                entries.append(paths.file_entry(info, path))
            else:
                links.append((path, info))
        entries += await asyncio.gather(*(self._link_entry(path, info) for path, info in links))
        return entries

    async def _infos(self, bucket: str, folder: str) -> Iterable[ObjectInfo]:
        """Return the objects at any depth in a folder, the folder's own marker included."""
        prefix = paths.folder_prefix(folder)
        if self._use_listings_cache:
            return (await self._connection().listing(bucket)).infos(prefix)
        infos = await (await self._store(bucket)).list()
        return (info for info in infos if info.name.startswith(prefix))

    async def _is_folder(self, bucket: str, name: str) -> bool:
        return any(True for _ in await self._infos(bucket, name))

    async def _link_entry(self, path: str, info: ObjectInfo) -> Entry:
        """Return the entry of a link: its target's facts, or size 0 if the link is broken."""
        try:
            store = await self._store(info.bucket)
            async with store.open(info.name) as reader:
                info = reader.info
        except (JetstowError, IsADirectoryError):
            return paths.file_entry(info, path) | {"islink": True}
        return paths.file_entry(info, path) | {"islink": True}

    async def _info(self, path: str, **_: Any) -> Entry:
        path = self._strip_protocol(path)
        bucket, name = split_path(path)
        if not bucket:
            return paths.folder_entry("")
        try:
            store = await self._store(bucket)
            if not name:
                return paths.bucket_entry(await store.status())
            with self._forgetting_lost_names():
                info = await store.get_info(name)
        except (InvalidBucketNameError, InvalidObjectNameError):
            raise FileNotFoundError(path) from None
        except ObjectNotFoundError:
            if await self._is_folder(bucket, name):
                return paths.folder_entry(path)
            raise
        if info.link is not None:
            return await self._link_entry(path, info)
        return paths.file_entry(info, path)

    async def _cat_file(
        self, path: str, start: int | None = None, end: int | None = None, **preconditions: Any
    ) -> bytes:
        bucket, name = self._bucket_and_name(self._strip_protocol(path))
        store = await self._store(bucket)
        with self._forgetting_lost_names():
            if start is None and end is None:
                return (await store.get(name, **preconditions)).data
            async with store.open(name, **preconditions) as reader:
                return await reader.read_at(*_offset_and_length(start, end, reader.info.size or 0))

    async def _open_file(self, path: str, **preconditions: Any) -> jetstow.ObjectReader:
        """Open an object.

        Raises: `IsADirectoryError` (the path is a folder with a marker), and the errors of
        `ObjectStore.open`.
        """
        try:
            return await self._open_reader(path, **preconditions)
        except ObjectNotFoundError:
            bucket, name = split_path(path)
            with suppress(ObjectNotFoundError):
                await (await self._store(bucket)).get_info(f"{name}/")
                raise path_error(IsADirectoryError, path) from None
            raise

    async def _cat_ranges(
        self,
        paths: list[str],
        starts: Any,
        ends: Any,
        max_gap: int | None = None,  # noqa: ARG002 - ranges are not merged
        batch_size: int | None = None,
        on_error: str = "return",
        **preconditions: Any,
    ) -> list[Any]:
        """Return one range of each path.

        Each path is opened once, so that all its ranges are of the same revision. With `on_error`
        "return", errors are returned in place of the bytes; with any other value, the first is
        raised.
        """
        if not isinstance(paths, list):
            raise TypeError("paths must be a list")
        starts = starts if isinstance(starts, Iterable) else [starts] * len(paths)
        ends = ends if isinstance(ends, Iterable) else [ends] * len(paths)
        ranges = list(zip(map(self._strip_protocol, paths), starts, ends, strict=True))
        batch_size = batch_size or self.batch_size or _get_batch_size(nofiles=True)
        if batch_size < 0:  # no limit
            batch_size = len(ranges)
        readers: dict[str, asyncio.Task[jetstow.ObjectReader]] = {}
        remaining = iter(enumerate(ranges))
        results: list[Any] = [None] * len(ranges)

        async def read(path: str, start: int | None, end: int | None) -> bytes:
            if path not in readers:
                readers[path] = asyncio.create_task(self._open_reader(path, **preconditions))
            reader = await asyncio.shield(readers[path])
            offset, length = _offset_and_length(start, end, reader.info.size or 0)
            return await self.read_range(reader, offset, length)

        async def work() -> None:
            for number, item in remaining:
                try:
                    results[number] = await read(*item)
                except Exception as error:  # noqa: BLE001 - returned or raised below
                    results[number] = error

        # Not `_run_coros_in_chunks`: its tasks go on when it is cancelled.
        workers = [asyncio.create_task(work()) for _ in range(min(batch_size, len(ranges)))]
        try:
            await asyncio.gather(*workers)
        finally:
            await stop(*workers, *readers.values())
        if on_error != "return":
            for result in results:
                if isinstance(result, BaseException):
                    raise result
        return results

    async def _isdir(self, path: str) -> bool:
        bucket, name = split_path(self._strip_protocol(path))
        try:
            if not name:
                return not bucket or (await self._info(bucket))["type"] == "directory"
            return await self._is_folder(bucket, name)
        except (FileNotFoundError, NotADirectoryError):
            return False


def _offset_and_length(start: int | None, end: int | None, size: int) -> tuple[int, int]:
    """Return offset and length of the slice `start:end` of an object of `size` bytes."""
    first, stop, _ = slice(start, end).indices(size)
    return first, max(0, stop - first)


def report_to(callback: Callback) -> Progress:
    """Return a `Progress` callable that reports to an fsspec callback."""

    def report(done: int, size: int | None) -> None:
        if size is not None:
            callback.set_size(size)
        callback.absolute_update(done)

    return report
