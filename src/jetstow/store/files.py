"""The verb that opens objects as files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, overload

import msgspec
from nats.js import api

from jetstow._core.aio.awaitables import AwaitableContext
from jetstow._core.read.object_read import open_ranges
from jetstow._core.read.preconditions import Preconditions
from jetstow._core.read.reader import ObjectReader
from jetstow._core.write.prepare_put import prepare_put
from jetstow._core.write.put_options import PutOptions
from jetstow._core.write.writer import ObjectWriter
from jetstow.store.base import BucketBase
from jetstow.types import Duration, Since


class Files(BucketBase):
    """The verb of an object store that opens objects as files."""

    @overload
    def open(
        self,
        name: str,
        mode: Literal["rb"] = "rb",
        *,
        expected_revision: int | None = None,
        if_changed_since: Since | None = None,
        version: str | None = None,
        prefetch: bool = False,
    ) -> AwaitableContext[ObjectReader]: ...

    @overload
    def open(
        self,
        name: str,
        mode: Literal["wb"],
        meta: api.ObjectMeta | None = None,
        *,
        description: str | None = None,
        content_type: str | None = None,
        tags: Iterable[str] | None = None,
        headers: Mapping[str, str | Sequence[str]] | None = None,
        metadata: Mapping[str, str] | None = None,
        expected_revision: int | None = None,
        ttl: Duration | None = None,
        expected_digest: str | None = None,
        keep_replaced: bool = False,
        dated: bool = True,
    ) -> AwaitableContext[ObjectWriter]: ...

    def open(
        self,
        name: str,
        mode: Literal["rb", "wb"] = "rb",
        meta: api.ObjectMeta | None = None,
        *,
        description: str | None = None,
        content_type: str | None = None,
        tags: Iterable[str] | None = None,
        headers: Mapping[str, str | Sequence[str]] | None = None,
        metadata: Mapping[str, str] | None = None,
        expected_revision: int | None = None,
        if_changed_since: Since | None = None,
        version: str | None = None,
        ttl: Duration | None = None,
        expected_digest: str | None = None,
        keep_replaced: bool = False,
        dated: bool = True,
        prefetch: bool = False,
    ) -> AwaitableContext[ObjectReader] | AwaitableContext[ObjectWriter]:
        """Open an object as an asynchronous file: `async with store.open(name) as file`.

        Mode "rb" reads the current revision, from any position (`seek`), with the options of
        `get`. With `prefetch`, the bytes of an object of up to 128 KiB are requested with its
        metadata, and reads need no further request. Mode "wb" writes an object, which exists once
        the file is closed, with the options of `put`.

        Raises: what `get` raises ("rb") or what `put` raises ("wb"), `ValueError` (another mode).
        """
        if mode == "rb":
            preconditions = Preconditions(expected_revision, if_changed_since)
            return AwaitableContext(
                lambda: self._open_reader(name, version, preconditions, prefetch=prefetch)
            )
        if mode == "wb":
            options = PutOptions.parse(
                self._bucket.error_context(name),
                meta,
                description=description,
                content_type=content_type,
                tags=tags,
                headers=headers,
                metadata=metadata,
                expected_revision=expected_revision,
                ttl=ttl,
                expected_digest=expected_digest,
                keep_replaced=keep_replaced,
                dated=dated,
            )
            return AwaitableContext(lambda: self._open_writer(name, options))
        raise ValueError(f"mode must be 'rb' or 'wb', not {mode!r}")

    async def _open_reader(
        self, name: str, version: str | None, preconditions: Preconditions, *, prefetch: bool
    ) -> ObjectReader:
        context = self._context_of(name, version)
        return ObjectReader(
            await open_ranges(self._bucket, context, preconditions, prefetch=prefetch)
        )

    async def _open_writer(self, name: str, options: PutOptions) -> ObjectWriter:
        put = await prepare_put(
            self._bucket, name, msgspec.structs.replace(options, computes_digest=True)
        )
        return ObjectWriter(put)
