"""fsspec's verbs that read: listings, infos, bytes."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable
from typing import Any

from fsspec.asyn import _run_coros_in_chunks
from fsspec.callbacks import DEFAULT_CALLBACK, Callback

from jetstow import ObjectInfo
from jetstow.errors import (
    InvalidBucketNameError,
    InvalidObjectNameError,
    JetstowError,
    ObjectNotFoundError,
)
from jetstow.fs import paths
from jetstow.fs.base import Base
from jetstow.fs.paths import Entry, split
from jetstow.types import Progress


class Reading(Base):
    """The part of the file system that changes nothing."""

    async def _ls(
        self, path: str, detail: bool = True, refresh: bool = False, **_: Any
    ) -> list[Any]:
        path = self._strip_protocol(path)
        bucket, folder = split(path)
        if not bucket:
            states = await (await self._connection().js()).object_stores()
            found = [paths.bucket_entry(state) for state in states]
        else:
            if refresh:
                await self._connection().forget(bucket)
            found = await self._entries(bucket, folder, 1)
            if not found and folder:
                found = [await self._info(path)]
                if found[0]["type"] == "directory":
                    found = []
        found.sort(key=lambda entry: str(entry["name"]))
        return found if detail else sorted({entry["name"] for entry in found})

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
        bucket, folder = split(path)
        if not bucket:
            return await super()._find(
                path, maxdepth=maxdepth, withdirs=withdirs, detail=detail, **options
            )
        begin = f"{path}/{prefix}" if prefix else ""
        entries = [
            entry
            for entry in await self._entries(bucket, folder, maxdepth, withdirs=withdirs)
            if entry["name"].startswith(begin)
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
        found = {entry["name"]: entry for entry in sorted(entries, key=lambda each: each["name"])}
        return found if detail else list(found)

    async def _entries(
        self, bucket: str, folder: str, depth: int | None, *, withdirs: bool = True
    ) -> list[Entry]:
        """What lies in a folder, so many levels deep. Raises `FileNotFoundError`."""
        infos = await self._infos(bucket, folder)
        found: list[Entry] = []
        linked: list[tuple[str, ObjectInfo]] = []
        for path, info in paths.below(bucket, folder, infos, depth):
            if info is None:
                found += [paths.folder_entry(path)] if withdirs else []
            elif info.link is None:
                found.append(paths.file_entry(info, path))
            else:
                linked.append((path, info))
        found += await asyncio.gather(*(self._link_entry(path, info) for path, info in linked))
        return found

    async def _infos(self, bucket: str, folder: str) -> Iterable[ObjectInfo]:
        """The objects in a folder, however deep, and the one that marks it."""
        prefix = paths.inside(folder)
        if self._lists_once:
            return (await self._connection().names(bucket)).below(prefix)
        found = await (await self._store(bucket)).list()
        return (info for info in found if info.name.startswith(prefix))

    async def _is_folder(self, bucket: str, name: str) -> bool:
        return any(True for _ in await self._infos(bucket, name))

    async def _link_entry(self, path: str, info: ObjectInfo) -> Entry:
        """A link is as large as what it leads to; one that leads to no object has no size."""
        try:
            store = await self._store(info.bucket)
            async with store.open(info.name) as reader:
                info = reader.info
        except (JetstowError, IsADirectoryError):
            return paths.file_entry(info, path) | {"islink": True}
        return paths.file_entry(info, path) | {"islink": True}

    async def _info(self, path: str, **_: Any) -> Entry:
        path = self._strip_protocol(path)
        bucket, name = split(path)
        if not bucket:
            return paths.folder_entry("")
        try:
            store = await self._store(bucket)
            if not name:
                return paths.bucket_entry(await store.status())
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
        self, path: str, start: int | None = None, end: int | None = None, **terms: Any
    ) -> bytes:
        bucket, name = self._file(self._strip_protocol(path))
        store = await self._store(bucket)
        if start is None and end is None:
            return (await store.get(name, **terms)).data
        async with store.open(name, **terms) as reader:
            return await reader.read_at(*_bounds(start, end, reader.info.size or 0))

    async def _cat_ranges(
        self,
        paths: list[str],
        starts: Any,
        ends: Any,
        max_gap: int | None = None,  # noqa: ARG002 - ranges are read one by one
        batch_size: int | None = None,
        on_error: str = "return",
        **terms: Any,
    ) -> list[Any]:
        """Ranges of several files; each file is opened once, so its ranges fit together."""
        if not isinstance(paths, list):
            raise TypeError("paths must be a list")
        starts = starts if isinstance(starts, Iterable) else [starts] * len(paths)
        ends = ends if isinstance(ends, Iterable) else [ends] * len(paths)
        asked = list(zip(map(self._strip_protocol, paths), starts, ends, strict=True))
        opened = {
            path: asyncio.ensure_future(self._open_reader(path, **terms)) for path, *_ in asked
        }

        async def read(path: str, start: int | None, end: int | None) -> bytes:
            reader = await asyncio.shield(opened[path])
            return await reader.read_at(*_bounds(start, end, reader.info.size or 0))

        try:
            found: list[Any] = await _run_coros_in_chunks(
                [read(*each) for each in asked],
                batch_size=batch_size or self.batch_size,
                nofiles=True,
                return_exceptions=True,
            )
        finally:
            await asyncio.gather(*opened.values(), return_exceptions=True)
        if on_error != "return":
            for each in found:
                if isinstance(each, BaseException):
                    raise each
        return found

    async def _get_file(
        self, rpath: str, lpath: str, callback: Callback = DEFAULT_CALLBACK, **terms: Any
    ) -> None:
        rpath = self._strip_protocol(rpath)
        bucket, name = split(rpath)
        try:
            store = await self._store(bucket)
            await store.get_file(name, lpath, progress=progress(callback), **terms)
        except (FileNotFoundError, IsADirectoryError, InvalidObjectNameError):
            if not await self._isdir(rpath):
                raise
            os.makedirs(lpath, exist_ok=True)  # noqa: PTH103 - as fsspec has it

    async def _isdir(self, path: str) -> bool:
        bucket, name = split(self._strip_protocol(path))
        try:
            if not name:
                return not bucket or (await self._info(bucket))["type"] == "directory"
            return await self._is_folder(bucket, name)
        except (FileNotFoundError, NotADirectoryError):
            return False


def _bounds(start: int | None, end: int | None, size: int) -> tuple[int, int]:
    """Where a range begins and how long it is; counted from the end where it is negative."""
    first, stop, _ = slice(start, end).indices(size)
    return first, max(0, stop - first)


def progress(callback: Callback) -> Progress:
    """What tells one of fsspec's callbacks how far a transfer is."""

    def told(done: int, size: int | None) -> None:
        if size is not None:
            callback.set_size(size)
        callback.absolute_update(done)

    return told
