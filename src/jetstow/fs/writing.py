"""The write operations of the file system: files. Within a transaction, they take effect later."""

from __future__ import annotations

import os
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Any, Final

from fsspec.callbacks import DEFAULT_CALLBACK, Callback

import jetstow
from jetstow._core.aio.source import open_source
from jetstow._core.aio.worker import run_in_thread
from jetstow.errors import (
    LinkError,
    ObjectAlreadyExists,
    ObjectEncryptedError,
    ObjectNotFoundError,
)
from jetstow.fs.base import FileSystemBase
from jetstow.fs.files import StagedWriter
from jetstow.fs.paths import path_error, split_path
from jetstow.fs.reading import report_to
from jetstow.fs.transaction import Change, Kind, Transaction

# How many bytes a write in a transaction passes on at a time.
_PIECE_SIZE: Final = 1024 * 1024


class WriteOperations(FileSystemBase):
    """fsspec's methods that change objects."""

    transaction_type = Transaction

    def start_transaction(self) -> Transaction:
        """Start a transaction without a `with` block. `end_transaction` completes it.

        Raises: `RuntimeError` (a transaction is open).
        """
        transaction: Transaction = self.transaction
        transaction.start()
        return transaction

    @property
    def _open_transaction(self) -> Transaction | None:
        return self.transaction if self._intrans else None

    # -- uploads ---------------------------------------------------------------------------

    async def begin_write(self, path: str, mode: str, **options: Any) -> jetstow.ObjectWriter:
        """Start an upload.

        "xb" requires that the object does not exist. "ab" starts with a copy of the existing
        object's bytes, since a stored object cannot grow; the upload fails if another client
        changes the object before it completes.

        Raises: the errors of `ObjectStore.open`, `ObjectAlreadyExists` ("xb"),
        `RevisionMismatchError` ("ab"), `NotImplementedError` ("ab", and the transaction has
        written the object).
        """
        bucket, name = self._bucket_and_name(path)
        store = await self._writable_store(bucket, name)
        transaction = self._open_transaction
        exists = None if transaction is None else transaction.exists(path)
        if transaction is not None and transaction.exists(bucket) is False:
            raise path_error(FileNotFoundError, bucket)
        if mode == "xb":
            if exists:
                raise path_error(FileExistsError, path)
            if exists is None:
                options["expected_revision"] = 0
        if mode != "ab" or exists is False:
            return await store.open(name, "wb", **options)
        if exists:
            raise NotImplementedError(
                f"cannot append to {path}, which this transaction has written: append after it"
            )
        return await _append(store, name, options)

    async def _stage(
        self, transaction: Transaction, path: str, mode: str, data: Any,
        callback: Callback = DEFAULT_CALLBACK, **options: Any,
    ) -> None:  # fmt: skip
        """Upload an object that the transaction commits at its end."""
        source = open_source(data)
        progress = report_to(callback)
        writer = await self.begin_write(path, mode, **options)
        try:
            async with aclosing(source.chunks(_PIECE_SIZE)) as pieces:
                async for piece in pieces:
                    await writer.write(piece)
                    progress(writer.tell(), source.size)
        except BaseException:
            await writer.abort()
            raise
        transaction.add_upload(path, writer, guarded=mode == "xb")

    async def open_async(self, path: str, mode: str = "rb", **options: Any) -> Any:
        """Open an object in the running loop.

        Return an `ObjectReader` for "rb", an `ObjectWriter` for "wb", "xb" and "ab".

        Raises: the errors of `ObjectStore.open`.
        """
        path = self._strip_protocol(path)
        if mode == "rb":
            return await self._open_reader(path, **options)
        writer = await self.begin_write(path, mode, **options)
        if (transaction := self._open_transaction) is None:
            return writer
        return StagedWriter(
            writer, lambda written: transaction.add_upload(path, written, guarded=mode != "wb")
        )

    async def _pipe_file(
        self, path: str, value: Any, mode: str = "overwrite", **options: Any
    ) -> None:
        path = self._strip_protocol(path)
        bucket, name = self._bucket_and_name(path)
        await self._put_object(bucket, name, value, mode, **options)

    async def _put_object(
        self, bucket: str, name: str, value: Any, mode: str = "overwrite", **options: Any
    ) -> None:
        if (transaction := self._open_transaction) is not None:
            file_mode = "xb" if mode == "create" else "wb"
            await self._stage(transaction, f"{bucket}/{name}", file_mode, value, **options)
            return
        if mode == "create":
            options["expected_revision"] = 0
        store = await self._writable_store(bucket, name)
        self._update_listing(await store.put(name, value, **options))

    async def _writable_store(self, bucket: str, name: str) -> jetstow.ObjectStore:
        """Return the store for a write. Markers of folders are not encrypted: they stay empty."""
        store = await self._store(bucket)
        return store.as_stored() if name.endswith("/") else store

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
            await self._makedirs(rpath, exist_ok=True)
            return
        bucket, name = self._bucket_and_name(rpath)
        if (transaction := self._open_transaction) is not None:
            file_mode = "xb" if mode == "create" else "wb"
            with await run_in_thread(Path(lpath).open, "rb") as file:
                await self._stage(transaction, rpath, file_mode, file, callback, **options)
            return
        if mode == "create":
            options["expected_revision"] = 0
        progress = report_to(callback)
        store = await self._store(bucket)
        self._update_listing(await store.put_file(lpath, name, progress=progress, **options))

    # -- copies and moves ------------------------------------------------------------------

    async def _copy_object(self, path1: str, path2: str) -> None:
        bucket1, name1 = self._bucket_and_name(path1)
        bucket2, name2 = self._bucket_and_name(path2)
        if (transaction := self._open_transaction) is not None:
            await self._stage_copy(transaction, path1, path2)
            return
        store = await self._store(bucket1)
        with self._forgetting_lost_names():
            info = await store.copy(name1, name2, to=await self._store(bucket2))
        self._update_listing(info)

    async def _stage_copy(self, transaction: Transaction, path1: str, path2: str) -> None:
        """Upload a copy. The source may exist only at the end: then copy it there."""
        bucket, name = self._bucket_and_name(path1)
        exists = transaction.exists(path1)
        if exists is False:
            raise path_error(FileNotFoundError, path1)
        if exists is None:
            with self._forgetting_lost_names():
                info = await (await self._store(bucket)).get_info(name)
            # The rest needs `ObjectStore.copy`, which follows links and keeps the expiry.
            if info.link is None and info.expires is None:
                data = (await self._store(bucket)).stream(name, expected_revision=info.revision)
                await self._stage(transaction, path2, "wb", data, meta=_without_name(info))
                return
        transaction.add(
            Change(Kind.COPY, path2, lambda: self._copy_object(path1, path2), source=path1)
        )

    async def _mv_file(self, path1: str, path2: str) -> None:
        """Rename an object. Within a bucket its chunks are not copied, unless the target exists."""
        path1, path2 = self._strip_protocol(path1), self._strip_protocol(path2)
        if path1 != path2:
            await self._move_object(path1, path2)

    async def _move_object(self, path1: str, path2: str) -> None:
        bucket1, name1 = self._bucket_and_name(path1)
        bucket2, name2 = self._bucket_and_name(path2)
        if (transaction := self._open_transaction) is not None:
            info = await self._check_exists(transaction, path1)
            if info is not None and info.encrypted and self._key is None:
                # The move would raise it at the end, after other changes.
                raise ObjectEncryptedError(
                    f"{path1} is encrypted: a file system without its key cannot move it",
                    bucket=bucket1,
                    name=name1,
                )
            transaction.add(
                Change(Kind.MOVE, path2, lambda: self._move_object(path1, path2), source=path1)
            )
            return
        store = await self._store(bucket1)
        with self._forgetting_lost_names():
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

    # -- removing --------------------------------------------------------------------------

    async def _rm_file(self, path: str, **_: Any) -> None:
        await self._delete(*self._bucket_and_name(self._strip_protocol(path)))

    async def _delete(self, bucket: str, name: str) -> None:
        if (transaction := self._open_transaction) is not None:
            path = f"{bucket}/{name}"
            await self._check_exists(transaction, path)
            transaction.add(Change(Kind.REMOVAL, path, lambda: self._delete_if_there(bucket, name)))
            return
        with self._forgetting_lost_names():
            await (await self._store(bucket)).delete(name)
        self._remove_from_listing(bucket, name)

    async def _delete_if_there(self, bucket: str, name: str) -> None:
        with suppress(ObjectNotFoundError):
            await self._delete(bucket, name)

    async def _check_exists(self, transaction: Transaction, path: str) -> jetstow.ObjectInfo | None:
        """Return an object's info, or None if the transaction has written it.

        Raises: `FileNotFoundError` (it does not exist after the changes so far).
        """
        exists = transaction.exists(path)
        if exists is False:
            raise path_error(FileNotFoundError, path)
        if exists:
            return None
        bucket, name = split_path(path)
        with self._forgetting_lost_names():
            return await (await self._store(bucket)).get_info(name)


async def _append(
    store: jetstow.ObjectStore, name: str, options: dict[str, Any]
) -> jetstow.ObjectWriter:
    """Start an upload with the bytes of an existing object, or an empty one."""
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


def _without_name(info: jetstow.ObjectInfo) -> jetstow.ObjectMeta:
    meta = info.meta
    meta.name = ""
    return meta
