"""A bucket of objects: every verb of the object store (ADR-20)."""

from __future__ import annotations

import io
import os
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Literal, overload

from nats.js import api
from nats.js.object_store import ObjectStore as _NatsObjectStore

from jetstow._core import buckets, garbage, links, names, objects, partial, resuming, verifying
from jetstow._core.awaitables import Listing, Opening
from jetstow._core.catalog import arriving, everything, find
from jetstow._core.feed import Policy
from jetstow._core.files import ObjectReader, ObjectWriter
from jetstow._core.landing import landing
from jetstow._core.ranges import RangeReader, checked_stop
from jetstow._core.reading import Reading, until_settled
from jetstow._core.shield import to_the_end
from jetstow._core.sink import Writable, pour
from jetstow._core.source import Data, open_source
from jetstow._core.stream import Stream
from jetstow._core.watch import ObjectWatcher
from jetstow._core.writing import Writing
from jetstow.models import (
    BucketStatus,
    ObjectInfo,
    ObjectLink,
    ObjectResult,
    Progress,
)
from jetstow.reports import Collected, Verified

if TYPE_CHECKING:
    from jetstow.client import JetStreamContext


class ObjectStore(_NatsObjectStore):
    """One bucket. `JetStreamContext.object_store` and its neighbours make it.

    Every method can raise `ConnectionLostError`, `TimeoutError` (the server was silent for
    longer than the context's timeout), `PermissionDeniedError`, `JetStreamUnavailableError`
    and `BucketNotFoundError`; every change `BucketSealedError` and `BucketFullError`; and
    every name `InvalidObjectNameError`. Below stands what else each one raises.
    """

    def __init__(self, js: JetStreamContext, stream: Stream) -> None:
        super().__init__(stream.bucket, stream.name, js)
        self._bucket = stream

    def __repr__(self) -> str:
        return f"<jetstow.ObjectStore {self.bucket!r}>"

    @property
    def bucket(self) -> str:
        """The bucket's name."""
        return self._bucket.bucket

    # -- writing -------------------------------------------------------------------------

    async def put(
        self,
        name: str | None,
        data: Data,
        meta: api.ObjectMeta | None = None,
        *,
        expected_revision: int | None = None,
        progress: Progress | None = None,
    ) -> ObjectInfo:
        """Store bytes under a name; replace what was there.

        `data` is bytes-like, a str, a file (binary, text, or asynchronous) or an iterable of
        bytes (of either kind). `meta` may carry a description, headers, metadata, the chunk
        size in bytes as `options.max_chunk_size`, and the name where `name` is None.
        `expected_revision` lets the put through only if the object is at that revision; 0,
        only if there is none. The old object stays until the new one is whole; a put that
        fails or is cancelled leaves nothing behind.

        Raises `InvalidDataError`, `InvalidOptionError`, `LinkError`, `ObjectAlreadyExists`,
        `RevisionMismatchError`, and whatever the source raises.
        """
        writing = await Writing.begin(self._bucket, name, meta, expected_revision)
        with writing.target.named():
            source = open_source(data)
            async with writing.upload as upload, aclosing(source.chunks(writing.chunk_size)) as cut:
                async for chunk in cut:
                    await upload.write(chunk)
                    if progress is not None:
                        progress(upload.size, source.size)
                return await writing.finish()

    async def put_file(
        self,
        path: str | os.PathLike[str],
        name: str | None = None,
        meta: api.ObjectMeta | None = None,
        *,
        expected_revision: int | None = None,
        resume: bool = False,
        progress: Progress | None = None,
    ) -> ObjectInfo:
        """Store a file, under its own name or another. Raises what `put` and `open` raise.

        With `resume`, a put that is killed, cancelled or loses its connection leaves its chunks
        for the next one with `resume`, which compares them with the file and goes on.
        """
        if name is None and (meta is None or meta.name is None):
            name = Path(path).name
        if resume:
            return await resuming.put_file(
                self._bucket, Path(path), name, meta, expected_revision, progress
            )
        with Path(path).open("rb", buffering=0) as file:  # noqa: ASYNC230 - only opened here
            return await self.put(
                name, file, meta, expected_revision=expected_revision, progress=progress
            )

    async def update_meta(self, name: str, meta: api.ObjectMeta) -> ObjectInfo:
        """Change an object's description, headers and metadata, and its name, if `meta` has
        another one. Its bytes stay where they are.

        Raises `ObjectDeletedError` (there is no live object), `ObjectAlreadyExists` (another
        one has the new name), `InvalidOptionError`.
        """
        names.check_object(self.bucket, name)
        return await to_the_end(objects.describe(self._bucket, name, meta))

    async def delete(self, name: str) -> None:  # type: ignore[override]
        """Delete an object: its bytes go, a marker stays. Raises `ObjectNotFoundError`."""
        names.check_object(self.bucket, name)
        await to_the_end(objects.delete(self._bucket, name))

    async def add_link(self, name: str, target: api.ObjectInfo | str) -> ObjectInfo:
        """Let a name stand for an object: one of this bucket by name, any other by its info.

        Raises `LinkError` (to a link, to a deleted object, to itself), `ObjectAlreadyExists`
        (the name has bytes of its own), `ObjectNotFoundError`.
        """
        names.check_object(self.bucket, name)
        if isinstance(target, str):
            target = await find(self._bucket, names.check_object(self.bucket, target))
        link = links.to_object(self._bucket, name, target)
        return await to_the_end(links.add(self._bucket, name, link))

    async def add_bucket_link(self, name: str, bucket: _NatsObjectStore | str) -> ObjectInfo:
        """Let a name stand for a whole bucket. Raises `ObjectAlreadyExists`."""
        names.check_object(self.bucket, name)
        linked = bucket if isinstance(bucket, str) else bucket._name
        link = ObjectLink(bucket=names.check_bucket(linked))
        return await to_the_end(links.add(self._bucket, name, link))

    async def collect_garbage(self, *, grace: float = 3600.0, dry_run: bool = False) -> Collected:
        """Remove what processes that died have left: chunks that no name refers to, and the
        old name of a rename. `dry_run` only tells.

        Nothing is removed that was written within the last `grace` seconds, by the server's
        clock. Uploads may run meanwhile, as long as none of them pauses for longer than
        `grace` between two chunks, or between the last one and its name. A `put_file` with
        `resume` that broke off before that begins anew.

        Raises `BucketSealedError` and `InvalidOptionError`.
        """
        return await garbage.collect(self._bucket, grace, dry_run=dry_run)

    async def seal(self) -> None:
        """Let nothing in the bucket change any more. It cannot be undone."""
        await buckets.seal(self._bucket)

    # -- reading -------------------------------------------------------------------------

    async def get_info(self, name: str, show_deleted: bool | None = False) -> ObjectInfo:
        """What the store knows of an object; of a link, what it knows of the link.

        Raises `ObjectNotFoundError`, `ObjectDeletedError` unless `show_deleted`, and
        `BadObjectMetaError`.
        """
        names.check_object(self.bucket, name)
        return await find(self._bucket, name, show_deleted=bool(show_deleted))

    async def get(
        self,
        name: str,
        writeinto: Writable | None = None,
        show_deleted: bool | None = False,
        *,
        progress: Progress | None = None,
    ) -> ObjectResult:
        """Read an object, into memory or into a file (binary, text, or asynchronous).

        Links are followed; the result's info is the target's. In memory an object is whole
        and verified or it is not returned; a file has got bytes of it where an error ends
        the get, so see `get_file`.

        Raises what `get_info` raises, `LinkIsABucketError`, `LinkError`, and for bytes that
        are not as they should be `DigestMismatchError`, `SizeMismatchError`,
        `ChunksLostError`, `ObjectChangedError`; `InvalidDataError` for a file without bytes.
        """
        names.check_object(self.bucket, name)
        if writeinto is not None:
            return ObjectResult(await self._read(name, writeinto, bool(show_deleted), progress))

        async def read() -> ObjectResult:
            found = io.BytesIO()
            info = await self._read(name, found, bool(show_deleted), progress)
            return ObjectResult(info, found.getvalue())

        return await until_settled(read)

    async def _read(
        self, name: str, into: object, show_deleted: bool, progress: Progress | None
    ) -> ObjectInfo:
        reading = Reading(self._bucket, name, show_deleted, progress)
        with self._bucket.target(name).named():
            async with aclosing(reading.chunks()) as chunks:
                await pour(chunks, into)
        return reading.info

    async def get_file(
        self,
        name: str,
        path: str | os.PathLike[str],
        *,
        resume: bool = False,
        progress: Progress | None = None,
    ) -> ObjectInfo:
        """Read an object into a file, which appears under its name once it is verified.

        A file that was there stays as it is until then. With `resume`, what has come stays
        beside it when the get is killed or fails, and the next one with `resume` goes on
        behind it. Raises what `get` and `open` raise.
        """
        names.check_object(self.bucket, name)
        if resume:
            return await until_settled(
                lambda: partial.get_file(self._bucket, name, Path(path), progress)
            )

        async def read() -> ObjectInfo:
            with landing(Path(path)) as file:
                return await self._read(name, file, False, progress)

        return await until_settled(read)

    async def stream(self, name: str) -> AsyncGenerator[bytes, None]:
        """An object's bytes as they come, chunk by chunk, verified at their end.

        Raises what `get` raises, also after bytes have been handed out.
        """
        names.check_object(self.bucket, name)
        async with aclosing(Reading(self._bucket, name).chunks()) as chunks:
            async for chunk in chunks:
                yield chunk

    async def get_range(self, name: str, start: int, length: int | None = None) -> bytes:
        """`length` bytes from offset `start` on, or all that follow; fewer at the end.

        Only the chunks concerned travel. Their number and sizes are checked; the digest
        covers a whole object only. Raises `InvalidRangeError` and what `get` raises.
        """
        names.check_object(self.bucket, name)

        async def read() -> bytes:
            stream, info = await links.follow(self._bucket, name)
            stop = checked_stop(self._bucket.target(name), info.size or 0, start, length)
            found = io.BytesIO()
            async with aclosing(RangeReader(stream, info).read(start, stop)) as pieces:
                async for piece in pieces:
                    found.write(piece)
            return found.getvalue()

        return await until_settled(read)

    async def verify(
        self, name: str | None = None, *, quick: bool = False, progress: Progress | None = None
    ) -> Verified:
        """Check one object, or all: that every byte is there and has its digest, that links
        lead somewhere, and that metadata can be read. What is wrong is told, not raised.

        `quick` counts the chunks and their bytes and reads none of them. What is replaced or
        deleted meanwhile is no finding. Raises `ObjectNotFoundError` for a `name` that is
        not there.
        """
        if name is not None:
            names.check_object(self.bucket, name)
        return await verifying.verify(self._bucket, name, quick=quick, progress=progress)

    # -- files ---------------------------------------------------------------------------

    @overload
    def open(self, name: str, mode: Literal["rb"] = "rb") -> Opening[ObjectReader]: ...

    @overload
    def open(
        self,
        name: str,
        mode: Literal["wb"],
        meta: api.ObjectMeta | None = None,
        *,
        expected_revision: int | None = None,
    ) -> Opening[ObjectWriter]: ...

    def open(
        self,
        name: str,
        mode: Literal["rb", "wb"] = "rb",
        meta: api.ObjectMeta | None = None,
        *,
        expected_revision: int | None = None,
    ) -> Opening[ObjectReader] | Opening[ObjectWriter]:
        """An object as an asynchronous file: `async with store.open(name) as file`.

        "rb" reads anywhere (`seek`) in the revision that is there now, and raises what `get`
        raises; "wb" writes an object that exists once it is closed, and raises what `put`
        raises. Any other mode is a `ValueError`.
        """
        if mode == "rb":
            return Opening(self._open_reader(name))
        if mode == "wb":
            return Opening(self._open_writer(name, meta, expected_revision))
        raise ValueError(f"an object is opened as 'rb' or 'wb', not {mode!r}")

    async def _open_reader(self, name: str) -> ObjectReader:
        names.check_object(self.bucket, name)
        return ObjectReader(RangeReader(*await links.follow(self._bucket, name)))

    async def _open_writer(
        self, name: str, meta: api.ObjectMeta | None, expected_revision: int | None
    ) -> ObjectWriter:
        writing = await Writing.begin(self._bucket, name, meta, expected_revision)
        await writing.upload.start()
        return ObjectWriter(writing)

    # -- the bucket ----------------------------------------------------------------------

    def list(  # type: ignore[override]
        self, ignore_deletes: bool = True
    ) -> Listing[ObjectInfo]:
        """Every object's info, the one longest unchanged first; delete markers too, if asked.

        `await` it for a list, in which a name is once, or iterate it with `async for`: then
        entries are told as they arrive, and one that is changed meanwhile may be told again,
        later and newer. What was there all the time is always told.
        """

        def shown(info: ObjectInfo) -> bool:
            return not (ignore_deletes and info.deleted)

        async def infos() -> AsyncGenerator[ObjectInfo, None]:
            async for info in arriving(self._bucket):
                if shown(info):
                    yield info

        async def whole() -> list[ObjectInfo]:
            return [info for info in await everything(self._bucket) if shown(info)]

        return Listing(infos, whole)

    async def watch(
        self,
        ignore_deletes: bool = False,
        include_history: bool = False,
        meta_only: bool = False,  # noqa: ARG002
        updates_only: bool = False,
    ) -> ObjectWatcher:
        """Watch the bucket: what is there now, then None, then every change as it happens.

        `updates_only` leaves out what is there, and the None. `include_history` asks for
        every metadata message kept; a bucket keeps one a name. `meta_only` changes nothing,
        as a watcher hears of metadata alone.
        """
        policy: Policy = "new" if updates_only else "all" if include_history else "last_per_subject"
        return await ObjectWatcher(self._bucket, policy, ignore_deletes=ignore_deletes).start()

    async def status(self) -> BucketStatus:
        """The bucket's configuration and state."""
        info = api.StreamInfo.from_response(await self._bucket.info())
        return BucketStatus(stream_info=info, bucket=self.bucket)


# nats-py nests these classes in the store, and its users' annotations name them there.
ObjectStore.ObjectResult = ObjectResult  # type: ignore[misc,assignment]
ObjectStore.ObjectStoreStatus = BucketStatus  # type: ignore[misc]
ObjectStore.ObjectWatcher = ObjectWatcher  # type: ignore[misc,assignment]

__all__ = ["ObjectReader", "ObjectStore", "ObjectWatcher", "ObjectWriter", "Progress"]
