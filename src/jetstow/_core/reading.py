"""One whole read of a name: wherever it leads, whichever revision it has by then."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import TypeVar

from jetstow._core import links
from jetstow._core.download import verified
from jetstow._core.guess import Guess
from jetstow._core.stream import Stream
from jetstow.errors import ObjectChangedError
from jetstow.models import ObjectInfo, Progress

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
    ) -> None:
        self._stream = stream
        self._name = name
        self._show_deleted = show_deleted
        self._progress = progress

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """The bytes. Raises what `links.follow` and `verified` raise."""
        while True:
            done = 0
            with await self._guess() as guess:
                stream, self.info = await links.follow(
                    self._stream, self._name, show_deleted=self._show_deleted
                )
                begun = guess.take(self.info)
            stream.known.see(self.info)
            try:
                async with aclosing(verified(stream, self.info, begun)) as chunks:
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
        return await self._stream.js.insist(
            self._stream.target(self._name), lambda: Guess.at(self._stream, self._name)
        )


async def until_settled(read: Callable[[], Awaitable[T]]) -> T:
    """Read again as long as the object is replaced under the read.

    For a read that shows nobody anything before it is complete.
    """
    while True:
        try:
            return await read()
        except ObjectChangedError:
            continue
