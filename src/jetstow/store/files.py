"""Objects as files."""

from __future__ import annotations

from typing import Literal, overload

from nats.js import api

from jetstow._core.aio.awaitables import AwaitableContext
from jetstow._core.protocol import subjects
from jetstow._core.read.object_read import open_ranges
from jetstow._core.read.preconditions import Preconditions
from jetstow._core.read.reader import ObjectReader
from jetstow._core.write.put import Asked, Writing
from jetstow._core.write.writer import ObjectWriter
from jetstow.store.base import BucketBase
from jetstow.types import Since


class Files(BucketBase):
    """An object store's verb that opens files."""

    @overload
    def open(
        self,
        name: str,
        mode: Literal["rb"] = "rb",
        *,
        expected_revision: int | None = None,
        if_changed_since: Since | None = None,
    ) -> AwaitableContext[ObjectReader]: ...

    @overload
    def open(
        self,
        name: str,
        mode: Literal["wb"],
        meta: api.ObjectMeta | None = None,
        *,
        expected_revision: int | None = None,
        ttl: float | None = None,
    ) -> AwaitableContext[ObjectWriter]: ...

    def open(
        self,
        name: str,
        mode: Literal["rb", "wb"] = "rb",
        meta: api.ObjectMeta | None = None,
        *,
        expected_revision: int | None = None,
        if_changed_since: Since | None = None,
        ttl: float | None = None,
    ) -> AwaitableContext[ObjectReader] | AwaitableContext[ObjectWriter]:
        """An object as an asynchronous file: `async with store.open(name) as file`.

        "rb" reads anywhere (`seek`) in the revision that is there now, and takes and raises what
        `get` does; "wb" writes an object that exists once it is closed, and takes and raises
        what `put` does. Any other mode is a `ValueError`.
        """
        if mode == "rb":
            terms = Preconditions(expected_revision, if_changed_since)
            return AwaitableContext(self._open_reader(name, terms))
        if mode == "wb":
            return AwaitableContext(self._open_writer(name, Asked(meta, expected_revision, ttl)))
        raise ValueError(f"an object is opened as 'rb' or 'wb', not {mode!r}")

    async def _open_reader(self, name: str, terms: Preconditions) -> ObjectReader:
        subjects.check_object_name(self.bucket, name)
        return ObjectReader(await open_ranges(self._bucket, name, terms))

    async def _open_writer(self, name: str, asked: Asked) -> ObjectWriter:
        writing = await Writing.begin(self._bucket, name, asked)
        await writing.upload.start()
        return ObjectWriter(writing)
