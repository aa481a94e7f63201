"""One whole read of a name: wherever it leads, whichever revision it has by then."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import TypeVar

from jetstow._core.bucket.encryption import OpenedRanges, Ranges, opened, opener, shown
from jetstow._core.bucket.stream import Stream
from jetstow._core.read import links
from jetstow._core.read.download import verified
from jetstow._core.read.preconditions import ANY, Terms
from jetstow._core.read.ranges import RangeReader
from jetstow._core.read.speculative import Guess
from jetstow.errors import ObjectChangedError
from jetstow.models import ObjectInfo
from jetstow.types import Progress

T = TypeVar("T")


class Reading:
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
        terms: Terms = ANY,
    ) -> None:
        self.target = stream.target(name)
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
            with await self._guess() as guess:
                stream, stored = await links.follow(
                    self._stream, self._name, show_deleted=self._show_deleted
                )
                target = stream.target(stored.name)
                self._terms.check(target, stored)
                lock = opener(self._stream, target, stored)
                begun = guess.take(stored)
            stream.known.see(stored)
            self.info = shown(self._stream, stored)
            whole = verified(stream, stored, begun)
            plain = whole if lock is None else opened(target, lock, whole)
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

    async def _guess(self) -> Guess:
        return await self._stream.js.insist(self.target, lambda: Guess.at(self._stream, self._name))


async def ranges(stream: Stream, name: str, terms: Terms = ANY) -> Ranges:
    """The object that a name leads to now, to be read from any byte on. Raises as `Reading`."""
    found, stored = await links.follow(stream, name)
    target = found.target(stored.name)
    terms.check(target, stored)
    lock, reader = opener(stream, target, stored), RangeReader(found, stored)
    return reader if lock is None else OpenedRanges(target, lock, reader, shown(stream, stored))


async def until_settled(read: Callable[[], Awaitable[T]]) -> T:
    """Read again as long as the object is replaced under the read.

    For a read that shows nobody anything before it is complete.
    """
    while True:
        try:
            return await read()
        except ObjectChangedError:
            continue
