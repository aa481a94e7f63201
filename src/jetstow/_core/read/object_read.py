"""One whole read of a name: wherever it leads, whichever revision it has by then."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import TypeVar

from jetstow._core.bucket.encryption import (
    DecryptedRanges,
    RangeSource,
    decrypt,
    make_opener,
    plain_info,
)
from jetstow._core.bucket.stream import Stream
from jetstow._core.read import links
from jetstow._core.read.download import verified_chunks
from jetstow._core.read.preconditions import NO_PRECONDITIONS, Preconditions
from jetstow._core.read.ranges import RangeReader
from jetstow._core.read.speculative import SpeculativeRead
from jetstow.errors import ObjectChangedError
from jetstow.models import ObjectInfo
from jetstow.types import Progress

T = TypeVar("T")


class ObjectRead:
    """An object's bytes, and in `info` what was found, once the first of them is there.

    Where the object is replaced before the first byte was handed out, the new one is read.
    """

    info: ObjectInfo

    def __init__(
        self,
        stream: Stream,
        name: str,
        show_deleted: bool = False,
        progress: Progress | None = None,
        terms: Preconditions = NO_PRECONDITIONS,
    ) -> None:
        self.context = stream.error_context(name)
        self._stream = stream
        self._name = name
        self._show_deleted = show_deleted
        self._progress = progress
        self._terms = terms

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """The bytes. Raises what `links.follow`, `Terms.check`, `opener`, `opened` and
        `verified` raise.
        """
        while True:
            done = 0
            with await self._speculate() as guess:
                stream, stored = await links.follow(
                    self._stream, self._name, show_deleted=self._show_deleted
                )
                context = stream.error_context(stored.name)
                self._terms.check(context, stored)
                lock = make_opener(self._stream, context, stored)
                begun = guess.take_window(stored)
            stream.locations.remember(stored)
            self.info = plain_info(self._stream, stored)
            whole = verified_chunks(stream, stored, begun)
            plain = whole if lock is None else decrypt(context, lock, whole)
            try:
                async with aclosing(whole), aclosing(plain) as chunks:
                    async for data in chunks:
                        done += len(data)
                        if self._progress is not None:
                            self._progress(done, self.info.size)
                        yield data
                return
            except ObjectChangedError:
                if done:
                    raise

    async def _speculate(self) -> SpeculativeRead:
        return await self._stream.api.retry(
            self.context, lambda: SpeculativeRead.start(self._stream, self._name)
        )


async def open_ranges(
    stream: Stream, name: str, terms: Preconditions = NO_PRECONDITIONS
) -> RangeSource:
    """The object that a name leads to now, to be read from any byte on. Raises as `Reading`."""
    found, stored = await links.follow(stream, name)
    context = found.error_context(stored.name)
    terms.check(context, stored)
    lock, reader = make_opener(stream, context, stored), RangeReader(found, stored)
    return (
        reader
        if lock is None
        else DecryptedRanges(context, lock, reader, plain_info(stream, stored))
    )


async def retry_if_changed(read: Callable[[], Awaitable[T]]) -> T:
    """Read again as long as the object is replaced under the read.

    For a read that shows nobody anything before it is complete.
    """
    while True:
        try:
            return await read()
        except ObjectChangedError:
            continue
