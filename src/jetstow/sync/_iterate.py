"""Asynchronous iterators, gone through by a thread."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Generator
from typing import Final

from jetstow.errors import ConnectionLostError
from jetstow.sync.call import run
from jetstow.sync.portal import background, inherit

# What a thread fetches at a time, in bytes: a call costs more than a small piece.
_BLOCK: Final = 1024 * 1024


def pieces(owner: object, stream: AsyncGenerator[bytes, None]) -> Generator[bytes, None, None]:
    """The pieces of a stream of bytes. What fails after some of them fails after them.

    `owner` is what the stream comes from: it stays as long as somebody reads.
    """
    home = background()
    pid = os.getpid()
    source = _Source(stream)
    try:
        while found := run(source.block):
            yield from found
            check_process(pid, f"a stream of {owner!r}")
    finally:
        if os.getpid() == pid:
            home.spawn(stream.aclose)
        else:
            inherit(stream)


def check_process(pid: int, what: str) -> None:
    """Raise `ConnectionLostError` for what was opened before a fork."""
    if os.getpid() != pid:
        raise ConnectionLostError(
            f"{what} belongs to process {pid}, which opened it: open it here once more"
        )


class _Source:
    def __init__(self, stream: AsyncGenerator[bytes, None]) -> None:
        self._stream = stream
        self._error: Exception | None = None

    async def block(self) -> list[bytes]:
        """The next pieces; none at the end."""
        found: list[bytes] = []
        size = 0
        if self._error is not None:
            raise self._error
        try:
            async for piece in self._stream:
                found.append(piece)
                size += len(piece)
                if size >= _BLOCK:
                    break
        except Exception as error:
            if not found:
                raise
            self._error = error
        return found
