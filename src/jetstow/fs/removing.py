"""Remove files, folders and buckets."""

from __future__ import annotations

import errno
from contextlib import suppress
from typing import Any

from fsspec.asyn import _run_coros_in_chunks, sync

from jetstow.errors import BucketNotFoundError
from jetstow.fs.getting import GetOperations
from jetstow.fs.paths import path_error, split_path
from jetstow.fs.transaction import Change, Kind
from jetstow.fs.writing import WriteOperations


class RemoveOperations(WriteOperations, GetOperations):
    """fsspec's methods that remove several files, folders and buckets."""

    async def _rm(
        self,
        path: str | list[str],
        recursive: bool = False,
        batch_size: int | None = None,
        maxdepth: int | None = None,
        **_: Any,
    ) -> None:
        """Remove files and empty folders; with `recursive`, also folders with their contents."""
        targets = await self._targets(path, recursive, maxdepth)
        whole = recursive and maxdepth is None
        buckets = [target for target in targets if not split_path(target)[1]]
        if whole:
            targets = [path for path in targets if split_path(path)[0] not in buckets]
            targets += await self._markers(targets)
        await _run_coros_in_chunks(
            [self._rm_path(target, recursive) for target in targets if split_path(target)[1]],
            batch_size=batch_size or self.batch_size,
            nofiles=True,
        )
        # Folders that are not removed as a whole have to be empty by now, the innermost first.
        for target in sorted(targets, key=len, reverse=True) if not whole else ():
            if recursive and split_path(target)[1] and await self._isdir(target):
                await self._rmdir(target)
        for bucket in buckets:
            await (self._delete_bucket(bucket) if whole else self._rmdir(bucket))

    async def _targets(
        self, path: str | list[str], recursive: bool, maxdepth: int | None
    ) -> list[str]:
        """Return the paths to remove, those that the transaction has written included."""
        roots = [self._strip_protocol(item) for item in ([path] if isinstance(path, str) else path)]
        transaction = self._open_transaction
        staged = [
            inner
            for root in roots
            if transaction is not None and recursive
            for inner in transaction.paths_in(root)
        ]
        try:
            found = await self._expand_path(path, recursive=recursive, maxdepth=maxdepth)
        except FileNotFoundError:
            if not staged:
                raise
            found = []
        if transaction is not None and recursive:
            found = [target for target in found if transaction.exists(target) is not False]
        return list(dict.fromkeys([*found, *staged]))

    async def _rm_path(self, path: str, recursive: bool) -> None:
        """Remove an object; if there is none and not `recursive`, an empty folder."""
        try:
            await self._delete(*self._bucket_and_name(path))
        except FileNotFoundError:
            if recursive:
                return
            if not await self._isdir(path):
                raise
            if await self._entries(*split_path(path), 1):
                # The type that `os.remove` raises, and the number that `os.rmdir` raises.
                raise path_error(IsADirectoryError, path, errno.ENOTEMPTY) from None
            await self._rmdir(path)

    async def _markers(self, targets: list[str]) -> list[str]:
        """Return the markers of those paths that are folders."""
        wanted = {f"{target}/" for target in targets}
        found: list[str] = []
        for bucket in {split_path(target)[0] for target in targets}:
            infos = await self._infos(bucket, "")
            found += [path for info in infos if (path := f"{bucket}/{info.name}") in wanted]
        return found

    async def _remove_marker(self, path: str) -> None:
        bucket, name = split_path(path)
        if name:
            with suppress(FileNotFoundError):
                await self._delete(bucket, f"{name}/")

    def rmdir(self, path: str) -> None:
        """Remove an empty folder or an empty bucket.

        Raises: `OSError` (ENOTEMPTY), `FileNotFoundError`.
        """
        sync(self.loop, self._rmdir, path)

    async def _rmdir(self, path: str) -> None:
        path = self._strip_protocol(path)
        bucket, name = split_path(path)
        if not bucket:
            return
        if await self._entries(bucket, name, 1):
            raise path_error(OSError, path, errno.ENOTEMPTY)
        if name:
            try:
                await self._delete(bucket, f"{name}/")
            except FileNotFoundError:
                raise path_error(FileNotFoundError, path) from None
            return
        # A listing is a moment old; a bucket is removed with all that is in it now.
        if not await (await self._store(bucket))._is_empty():  # noqa: SLF001
            raise path_error(OSError, path, errno.ENOTEMPTY)
        await self._delete_bucket(bucket)

    async def _delete_bucket(self, bucket: str) -> None:
        if (transaction := self._open_transaction) is not None:
            transaction.add(
                Change(Kind.BUCKET_REMOVAL, bucket, lambda: self._delete_bucket(bucket))
            )
            return
        await self._connection().drop_caches(bucket)
        try:
            await (await self._connection().jetstream()).delete_object_store(bucket)
        except BucketNotFoundError as error:
            raise FileNotFoundError(str(error)) from error
