"""The write operations of the file system: files, folders and buckets."""

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
from jetstow.fs.base import FileSystemBase
from jetstow.fs.paths import split_path
from jetstow.fs.reading import report_to


class WriteOperations(FileSystemBase):
    """fsspec's methods that change objects and buckets."""

    # -- files -----------------------------------------------------------------------------

    async def begin_write(self, path: str, mode: str, **options: Any) -> jetstow.ObjectWriter:
        """Start an upload.

        "xb" requires that the object does not exist. "ab" starts with a copy of the existing
        object's bytes, since a stored object cannot grow; the upload fails if another client
        changes the object before it completes.

        Raises: the errors of `ObjectStore.open`, `ObjectAlreadyExists` ("xb"),
        `RevisionMismatchError` ("ab").
        """
        bucket, name = self._bucket_and_name(path)
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
            chunks = store.stream(name, expected_revision=revision)
            async with aclosing(chunks):
                async for chunk in chunks:
                    await writer.write(chunk)
        except BaseException:
            await writer.abort()
            raise
        return writer

    async def end_write(self, writer: jetstow.ObjectWriter) -> None:
        """Complete an upload and enter the object in the cached listing."""
        await writer.close()
        assert writer.info is not None, "close() sets the info"
        self._update_listing(writer.info)

    async def _pipe_file(
        self, path: str, value: Any, mode: str = "overwrite", **options: Any
    ) -> None:
        bucket, name = self._bucket_and_name(self._strip_protocol(path))
        if mode == "create":
            options["expected_revision"] = 0
        self._update_listing(await (await self._store(bucket)).put(name, value, **options))

    async def _put_file(
        self,
        lpath: str,
        rpath: str,
        mode: str = "overwrite",
        callback: Callback = DEFAULT_CALLBACK,
        **options: Any,
    ) -> None:
        rpath = self._strip_protocol(rpath)
        if os.path.isdir(lpath):  # noqa: PTH112, ASYNC240 - fsspec passes str paths
            return  # a folder exists with its first file
        bucket, name = self._bucket_and_name(rpath)
        if mode == "create":
            options["expected_revision"] = 0
        progress = report_to(callback)
        store = await self._store(bucket)
        self._update_listing(await store.put_file(lpath, name, progress=progress, **options))

    def touch(self, path: str, truncate: bool = True, **options: Any) -> None:
        """Write an empty object.

        Raises: `NotImplementedError` (the object exists and not `truncate`).
        """
        sync(self.loop, self._touch, path, truncate, **options)

    async def _touch(self, path: str, truncate: bool = True, **_: Any) -> None:
        if not truncate and await self._exists(path):
            raise NotImplementedError(
                f"cannot change only the time of {path}: write the object again"
            )
        await self._pipe_file(path, b"")

    async def _cp_file(self, path1: str, path2: str, moving: bool = False, **_: Any) -> None:
        path1, path2 = self._strip_protocol(path1), self._strip_protocol(path2)
        step = self._mv_file if moving else self._copy_object
        try:
            await step(path1, path2)
        except (ObjectNotFoundError, IsADirectoryError):
            if not await self._isdir(path1):
                raise
            # Copying a folder needs no step of its own: a folder exists with its first file.

    async def _copy_object(self, path1: str, path2: str) -> None:
        (bucket1, name1), (bucket2, name2) = (
            self._bucket_and_name(path1),
            self._bucket_and_name(path2),
        )
        store = await self._store(bucket1)
        self._update_listing(await store.copy(name1, name2, to=await self._store(bucket2)))

    async def _mv_file(self, path1: str, path2: str) -> None:
        """Rename an object. Within a bucket its chunks are not copied, unless the target exists."""
        path1, path2 = self._strip_protocol(path1), self._strip_protocol(path2)
        (bucket1, name1), (bucket2, name2) = (
            self._bucket_and_name(path1),
            self._bucket_and_name(path2),
        )
        if (bucket1, name1) == (bucket2, name2):
            return
        store = await self._store(bucket1)
        info = await store.get_info(name1)
        if bucket1 == bucket2:
            try:
                self._update_listing(await store.rename(name1, name2))
            except (ObjectAlreadyExists, LinkError):
                pass  # the target exists: fsspec's move replaces it
            else:
                self._remove_from_listing(bucket1, name1)
                return
        await self._copy_object(path1, path2)
        # Do not delete a revision that another client wrote after the copy.
        await store.delete(name1, expected_revision=info.revision)
        self._remove_from_listing(bucket1, name1)

    # -- moving and removing -----------------------------------------------------------------

    def mv(
        self,
        path1: str,
        path2: str,
        recursive: bool = False,
        maxdepth: int | None = None,
        **options: Any,
    ) -> None:
        """Rename a file; with `recursive`, each file in a folder."""
        options |= {"recursive": recursive, "maxdepth": maxdepth, "on_error": "raise"}
        sync(self.loop, self._copy, path1, path2, moving=True, **options)

    async def _rm_file(self, path: str, **_: Any) -> None:
        await self._delete(*self._bucket_and_name(self._strip_protocol(path)))

    async def _delete(self, bucket: str, name: str) -> None:
        await (await self._store(bucket)).delete(name)
        self._remove_from_listing(bucket, name)

    async def _rm(
        self,
        path: str | list[str],
        recursive: bool = False,
        batch_size: int | None = None,
        maxdepth: int | None = None,
        **_: Any,
    ) -> None:
        """Remove objects; with `recursive`, also folders and buckets with their contents."""
        targets = await self._expand_path(path, recursive=recursive, maxdepth=maxdepth)
        await _run_coros_in_chunks(
            [
                self._rm_path(target, recursive)
                for target in targets
                if split_path(target)[1] or not recursive
            ],
            batch_size=batch_size or self.batch_size,
            nofiles=True,
        )
        if maxdepth is None:
            for target in targets:
                if not split_path(target)[1]:
                    await self._delete_bucket(target)

    async def _rm_path(self, path: str, recursive: bool) -> None:
        """Remove an object; for a folder, remove its marker object if there is one."""
        bucket, name = self._bucket_and_name(path)
        try:
            await self._delete(bucket, name)
        except ObjectNotFoundError:
            if not recursive:
                if await self._isdir(path):
                    raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path) from None
                raise
            with suppress(ObjectNotFoundError):
                await self._delete(bucket, f"{name}/")

    # -- folders and buckets -----------------------------------------------------------------

    async def _mkdir(self, path: str, create_parents: bool = True, **options: Any) -> None:
        """Create a bucket. In an existing bucket, do nothing: a folder exists with its first file.

        Raises: `FileExistsError` (the bucket exists), `FileNotFoundError` (the path is a folder
        in a missing bucket, and not `create_parents`).
        """
        bucket, name = split_path(self._strip_protocol(path))
        if await self._isdir(bucket):
            if not name:
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path)
            return
        if name and not create_parents:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), bucket)
        await (await self._connection().jetstream()).create_object_store(bucket, **options)

    async def _makedirs(self, path: str, exist_ok: bool = False) -> None:
        bucket, name = split_path(self._strip_protocol(path))
        try:
            await self._mkdir(bucket)
        except FileExistsError:
            if not exist_ok and (not name or await self._exists(path)):
                raise

    def rmdir(self, path: str) -> None:
        """Delete an empty bucket. A folder disappears with its last file.

        Raises: `OSError` (ENOTEMPTY), `FileNotFoundError`.
        """
        sync(self.loop, self._rmdir, path)

    async def _rmdir(self, path: str) -> None:
        bucket, name = split_path(self._strip_protocol(path))
        if await self._entries(bucket, name, 1):
            raise OSError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY), path)
        if name:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        await self._delete_bucket(bucket)

    async def _delete_bucket(self, bucket: str) -> None:
        await self._connection().drop_caches(bucket)
        try:
            await (await self._connection().jetstream()).delete_object_store(bucket)
        except BucketNotFoundError as error:
            raise FileNotFoundError(str(error)) from error

    # -- the cached listing --------------------------------------------------------------------

    def _update_listing(self, info: jetstow.ObjectInfo) -> None:
        if (listing := self._connection().cached_listing(info.bucket)) is not None:
            listing.update(info)

    def _remove_from_listing(self, bucket: str, name: str) -> None:
        if (listing := self._connection().cached_listing(bucket)) is not None:
            listing.remove(name)
