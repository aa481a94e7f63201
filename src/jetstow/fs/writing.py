"""fsspec's verbs that change something."""

from __future__ import annotations

import errno
import os
from contextlib import aclosing, suppress
from typing import Any

from fsspec.asyn import _run_coros_in_chunks, sync
from fsspec.callbacks import DEFAULT_CALLBACK, Callback

import jetstow
from jetstow.errors import (
    BucketNotFoundError,
    LinkError,
    ObjectAlreadyExists,
    ObjectNotFoundError,
)
from jetstow.fs.base import Base
from jetstow.fs.paths import split
from jetstow.fs.reading import progress


class Writing(Base):
    """The part of the file system that changes it."""

    # -- files -----------------------------------------------------------------------------

    async def begin_write(self, path: str, mode: str, **options: Any) -> jetstow.ObjectWriter:
        """Begin an object; "xb" only where there is none, "ab" with what is there already.

        What is appended to is written anew: nobody else may have changed it meanwhile.
        """
        bucket, name = self._file(path)
        store = await self._store(bucket)
        if mode == "xb":
            options["expected_revision"] = 0
        if mode != "ab":
            return await store.open(name, "wb", **options)
        try:
            reader = await store.open(name)
        except ObjectNotFoundError:
            return await store.open(name, "wb", expected_revision=0, **options)
        revision = reader.info.revision
        meta = reader.info.meta
        meta.name = name
        writer = await store.open(name, "wb", meta, expected_revision=revision, **options)
        try:
            pieces = store.stream(name, expected_revision=revision)
            async with aclosing(pieces):
                async for piece in pieces:
                    await writer.write(piece)
        except BaseException:
            await writer.abort()
            raise
        return writer

    async def end_write(self, writer: jetstow.ObjectWriter) -> None:
        """Let an object exist that has been written."""
        await writer.close()
        assert writer.info is not None, "a writer that was closed tells of the object"
        self._note(writer.info)

    async def _pipe_file(
        self, path: str, value: Any, mode: str = "overwrite", **options: Any
    ) -> None:
        bucket, name = self._file(self._strip_protocol(path))
        if mode == "create":
            options["expected_revision"] = 0
        self._note(await (await self._store(bucket)).put(name, value, **options))

    async def _put_file(
        self,
        lpath: str,
        rpath: str,
        mode: str = "overwrite",
        callback: Callback = DEFAULT_CALLBACK,
        **options: Any,
    ) -> None:
        rpath = self._strip_protocol(rpath)
        if os.path.isdir(lpath):  # noqa: PTH112, ASYNC240 - as fsspec has it
            return  # a folder is there as soon as something is in it
        bucket, name = self._file(rpath)
        if mode == "create":
            options["expected_revision"] = 0
        told = progress(callback)
        store = await self._store(bucket)
        self._note(await store.put_file(lpath, name, progress=told, **options))

    def touch(self, path: str, truncate: bool = True, **options: Any) -> None:
        """Write an empty object. Raises `NotImplementedError` for one that is to stay."""
        sync(self.loop, self._touch, path, truncate, **options)

    async def _touch(self, path: str, truncate: bool = True, **_: Any) -> None:
        if not truncate and await self._exists(path):
            raise NotImplementedError(f"{path} gets another time by being written anew only")
        await self._pipe_file(path, b"")

    async def _cp_file(self, path1: str, path2: str, moving: bool = False, **_: Any) -> None:
        path1, path2 = self._strip_protocol(path1), self._strip_protocol(path2)
        step = self._mv_file if moving else self._copy_object
        try:
            await step(path1, path2)
        except (ObjectNotFoundError, IsADirectoryError):
            if not await self._isdir(path1):
                raise
            # A folder is there as soon as something is in it.

    async def _copy_object(self, path1: str, path2: str) -> None:
        (bucket1, name1), (bucket2, name2) = self._file(path1), self._file(path2)
        store = await self._store(bucket1)
        self._note(await store.copy(name1, name2, to=await self._store(bucket2)))

    async def _mv_file(self, path1: str, path2: str) -> None:
        """Rename an object; its bytes stay where they are, unless it goes to another bucket."""
        path1, path2 = self._strip_protocol(path1), self._strip_protocol(path2)
        (bucket1, name1), (bucket2, name2) = self._file(path1), self._file(path2)
        if (bucket1, name1) == (bucket2, name2):
            return
        store = await self._store(bucket1)
        info = await store.get_info(name1)
        if bucket1 == bucket2:
            meta = info.meta
            meta.name = name2
            try:
                self._note(await store.update_meta(name1, meta))
            except (ObjectAlreadyExists, LinkError):
                pass  # a file that is moved replaces what is there
            else:
                self._gone(bucket1, name1)
                return
        await self._copy_object(path1, path2)
        # What somebody has written there meanwhile is not to be lost.
        await store.delete(name1, expected_revision=info.revision)
        self._gone(bucket1, name1)

    # -- what is removed ---------------------------------------------------------------------

    def mv(
        self,
        path1: str,
        path2: str,
        recursive: bool = False,
        maxdepth: int | None = None,
        **options: Any,
    ) -> None:
        """Rename files, one by one; with `recursive`, all that is in a folder."""
        options |= {"recursive": recursive, "maxdepth": maxdepth, "on_error": "raise"}
        sync(self.loop, self._copy, path1, path2, moving=True, **options)

    async def _rm_file(self, path: str, **_: Any) -> None:
        await self._delete(*self._file(self._strip_protocol(path)))

    async def _delete(self, bucket: str, name: str) -> None:
        await (await self._store(bucket)).delete(name)
        self._gone(bucket, name)

    async def _rm(
        self,
        path: str | list[str],
        recursive: bool = False,
        batch_size: int | None = None,
        maxdepth: int | None = None,
        **_: Any,
    ) -> None:
        """Remove objects, and with `recursive` folders and buckets, and all that is in them."""
        found = await self._expand_path(path, recursive=recursive, maxdepth=maxdepth)
        await _run_coros_in_chunks(
            [self._rm_one(each, recursive) for each in found if split(each)[1] or not recursive],
            batch_size=batch_size or self.batch_size,
            nofiles=True,
        )
        if maxdepth is None:
            for each in found:
                if not split(each)[1]:
                    await self._drop_bucket(each)

    async def _rm_one(self, path: str, recursive: bool) -> None:
        """Remove an object; of a folder, the object that marks it, if there is one."""
        bucket, name = self._file(path)
        try:
            await self._delete(bucket, name)
        except ObjectNotFoundError:
            if not recursive:
                if await self._isdir(path):
                    raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path) from None
                raise
            with suppress(ObjectNotFoundError):
                await self._delete(bucket, f"{name}/")

    # -- folders, of which buckets alone are more than names ---------------------------------

    async def _mkdir(self, path: str, create_parents: bool = True, **options: Any) -> None:
        """Make a bucket. A folder in one is there as soon as something is in it.

        Raises `FileExistsError` for a bucket that is there, and `FileNotFoundError` for a
        folder in one that is not, unless it is to be made.
        """
        bucket, name = split(self._strip_protocol(path))
        if await self._isdir(bucket):
            if not name:
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path)
            return
        if name and not create_parents:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), bucket)
        await (await self._connection().js()).create_object_store(bucket, **options)

    async def _makedirs(self, path: str, exist_ok: bool = False) -> None:
        bucket, name = split(self._strip_protocol(path))
        try:
            await self._mkdir(bucket)
        except FileExistsError:
            if not exist_ok and (not name or await self._exists(path)):
                raise

    def rmdir(self, path: str) -> None:
        """Drop a bucket that has nothing in it. Other folders go with what is in them."""
        sync(self.loop, self._rmdir, path)

    async def _rmdir(self, path: str) -> None:
        bucket, name = split(self._strip_protocol(path))
        if await self._entries(bucket, name, 1):
            raise OSError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY), path)
        if name:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        await self._drop_bucket(bucket)

    async def _drop_bucket(self, bucket: str) -> None:
        await self._connection().forget(bucket)
        try:
            await (await self._connection().js()).delete_object_store(bucket)
        except BucketNotFoundError as error:
            raise FileNotFoundError(str(error)) from error

    # -- what is known of the names ------------------------------------------------------------

    def _note(self, info: jetstow.ObjectInfo) -> None:
        if (names := self._connection().known(info.bucket)) is not None:
            names.put(info)

    def _gone(self, bucket: str, name: str) -> None:
        if (names := self._connection().known(bucket)) is not None:
            names.remove(name)
