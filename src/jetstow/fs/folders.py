"""Folders and buckets: make, copy and move them.

A folder exists while there is an object below it, or its marker: an empty object with the name
of the folder and a slash, as other tools create it.
"""

from __future__ import annotations

import asyncio
import errno
from contextlib import suppress
from glob import has_magic
from typing import Any, Final

from fsspec.asyn import sync

from jetstow import ObjectMeta
from jetstow.errors import ObjectNotFoundError
from jetstow.fs.paths import path_error, split_path
from jetstow.fs.removing import RemoveOperations

# The type that S3 tools give to the markers of folders.
_FOLDER_TYPE: Final = "application/x-directory"


class FolderOperations(RemoveOperations):
    """fsspec's methods that make folders and buckets, and that change several files."""

    # -- making ----------------------------------------------------------------------------

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

    async def _mkdir(self, path: str, create_parents: bool = True, **options: Any) -> None:
        """Create a bucket, with the options of `create_object_store`, or a folder in a bucket.

        Raises: `FileExistsError`, `NotADirectoryError` (a part of the path is a file),
        `FileNotFoundError` (the bucket of a folder is missing, and not `create_parents`).
        """
        bucket, name = split_path(self._strip_protocol(path))
        if not bucket:
            raise path_error(FileExistsError, path)
        bucket_exists = await self._isdir(bucket)
        if not name:
            if bucket_exists:
                raise path_error(FileExistsError, path)
            await self._create_bucket(bucket, options)
            return
        if not bucket_exists:
            if not create_parents:
                raise path_error(FileNotFoundError, bucket)
            await self._create_bucket(bucket, options)
        await self._make_folder(bucket, name, create_parents)

    async def _makedirs(self, path: str, exist_ok: bool = False) -> None:
        try:
            await self._mkdir(path)
        except FileExistsError:
            if not exist_ok or not await self._isdir(path):
                raise

    async def _create_bucket(self, bucket: str, options: dict[str, Any]) -> None:
        js = await self._connection().jetstream()
        await js.create_object_store(bucket, **options)
        if (transaction := self._open_transaction) is not None:
            transaction.undo_with(lambda: self._rmdir(bucket))

    async def _make_folder(self, bucket: str, name: str, create_parents: bool) -> None:
        """Store the markers of a folder, and of the folders that it is in."""
        levels = name.split("/")
        if "" in levels:
            raise path_error(OSError, f"{bucket}/{name}", errno.EINVAL)
        parents = ["/".join(levels[:count]) for count in range(1, len(levels))]
        checked = parents if create_parents else parents[-1:]
        is_file, *files = await asyncio.gather(
            self._has_object(bucket, name),
            *(self._is_file_only(bucket, parent) for parent in checked),
        )
        if is_file:
            raise path_error(FileExistsError, f"{bucket}/{name}")
        for parent, is_file_only in zip(checked, files, strict=True):
            if is_file_only:
                raise path_error(NotADirectoryError, f"{bucket}/{parent}")
        try:
            await self._put_marker(bucket, name)
        except FileExistsError:
            raise path_error(FileExistsError, f"{bucket}/{name}") from None
        with suppress(FileExistsError):
            for parent in reversed(parents) if create_parents else ():
                await self._put_marker(bucket, parent)

    async def _put_marker(self, bucket: str, folder: str) -> None:
        meta = ObjectMeta(content_type=_FOLDER_TYPE)
        await self._put_object(bucket, f"{folder}/", b"", "create", meta=meta)

    async def _has_object(self, bucket: str, name: str) -> bool:
        if (transaction := self._open_transaction) is not None:
            exists = transaction.exists(f"{bucket}/{name}")
            if exists is not None:
                return exists
        try:
            await (await self._store(bucket)).get_info(name)
        except ObjectNotFoundError:
            return False
        return True

    async def _is_file_only(self, bucket: str, name: str) -> bool:
        return await self._has_object(bucket, name) and not await self._is_folder(bucket, name)

    # -- copying and moving ----------------------------------------------------------------

    async def _cp_file(self, path1: str, path2: str, moving: bool = False, **options: Any) -> None:
        path1, path2 = self._strip_protocol(path1), self._strip_protocol(path2)
        if path1 == path2:
            await self._info(path1)  # it has to exist
            return
        step = self._mv_file if moving else self._copy_object
        try:
            await step(path1, path2)
        except (FileNotFoundError, IsADirectoryError):
            # A moved folder may have vanished with its last file.
            if path1 not in options.get("folders", ()) and not await self._isdir(path1):
                raise
            await self._copy_folder(path2)
            if moving:
                await self._remove_marker(path1)

    async def _copy_folder(self, path: str) -> None:
        bucket, name = split_path(path)
        if not name:
            await self._makedirs(bucket, exist_ok=True)
            return
        try:
            await self._make_folder(bucket, name, create_parents=False)
        except FileExistsError:
            if not await self._isdir(path):
                raise

    async def _copy(self, path1: Any, path2: Any, recursive: bool = False, **options: Any) -> None:
        if recursive and isinstance(path1, str) and isinstance(path2, str):
            bucket = split_path(self._strip_protocol(path2))[0]
            # The first file would be copied before its bucket exists.
            if await self._exists(path1) and bucket and not await self._isdir(bucket):
                await self._create_bucket(bucket, {})
        await super()._copy(path1, path2, recursive=recursive, **options)

    def mv(
        self,
        path1: str,
        path2: str,
        recursive: bool = False,
        maxdepth: int | None = None,
        **options: Any,
    ) -> None:
        """Rename a file; with `recursive`, each file in a folder.

        Raises: `FileNotFoundError`, `OSError` (ENOTEMPTY: a folder with files, and not
        `recursive`).
        """
        sync(self.loop, self._mv, path1, path2, recursive, maxdepth, **options)

    async def _mv(
        self, path1: Any, path2: Any, recursive: bool = False, maxdepth: int | None = None,
        **options: Any,
    ) -> None:  # fmt: skip
        if isinstance(path1, str) and isinstance(path2, str):
            plain1, plain2 = self._strip_protocol(path1), self._strip_protocol(path2)
            if plain1 == plain2:
                return
            if recursive and plain2.startswith(f"{plain1}/"):
                raise path_error(OSError, path2, errno.EINVAL)  # as `os.rename`
        sources = await self._expand_path(path1, recursive=recursive, maxdepth=maxdepth)
        folders = {source for source in sources if await self._is_folder(*split_path(source))}
        if isinstance(path1, str) and not recursive and not has_magic(path1):
            recursive = await self._is_empty_folder(path1)
        is_whole = recursive and maxdepth is None
        buckets = [folder for folder in folders if is_whole and "/" not in folder]
        for bucket in buckets:
            if (await (await self._store(bucket)).status()).versioning is not None:
                # The versions stay, so that the bucket could not be removed after the move.
                raise path_error(OSError, bucket, errno.ENOTEMPTY)
        options |= {"on_error": "raise", "moving": True, "folders": folders}
        await self._copy(path1, path2, recursive=recursive, maxdepth=maxdepth, **options)
        for bucket in buckets:
            await self._rmdir(bucket)

    async def _is_empty_folder(self, path: str) -> bool:
        """Return whether a path is a folder that one step moves.

        Raises: `OSError` (ENOTEMPTY: it is a folder with files, and not also a file).
        """
        path = self._strip_protocol(path)
        bucket, name = split_path(path)
        if (name and await self._has_object(bucket, name)) or not await self._isdir(path):
            return False
        if await self._entries(bucket, name, 1):
            raise path_error(OSError, path, errno.ENOTEMPTY)
        return True
