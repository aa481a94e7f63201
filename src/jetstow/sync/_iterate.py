"""Iterate over an asynchronous stream in a thread."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Generator
from typing import Final

from jetstow.errors import ConnectionLostError
from jetstow.sync._call import run
from jetstow.sync._portal import get_portal, keep_inherited

# How many bytes a thread fetches per call. A call costs more than a small chunk.
_BATCH_SIZE: Final = 1024 * 1024


def iterate(owner: object, stream: AsyncGenerator[bytes, None]) -> Generator[bytes, None, None]:
    """Return the chunks of a stream. An error is raised after the chunks that precede it.

    `owner` is the store that the stream reads. The generator keeps it, and so its connection.
    """
    portal = get_portal()
    pid = os.getpid()
    batches = _Batches(stream)
    try:
        while chunks := run(batches.next):
            yield from chunks
            check_process(pid, f"a stream of {owner!r}")
    finally:
        if os.getpid() == pid:
            portal.close_soon(stream.aclose)
        else:
            keep_inherited(stream)


def check_process(pid: int, resource: str) -> None:
    """Raise `ConnectionLostError` if a resource was opened by another process, before a fork."""
    if os.getpid() != pid:
        raise ConnectionLostError(
            f"{resource} was opened by process {pid}: open it again in this process"
        )


class _Batches:
    def __init__(self, stream: AsyncGenerator[bytes, None]) -> None:
        self._stream = stream
        self._error: Exception | None = None

    async def next(self) -> list[bytes]:
        """Return the next chunks; an empty list at the end."""
        chunks: list[bytes] = []
        size = 0
        if self._error is not None:
            raise self._error
        try:
            async for chunk in self._stream:
                chunks.append(chunk)
                size += len(chunk)
                if size >= _BATCH_SIZE:
                    break
        except Exception as error:
            if not chunks:
                raise
            self._error = error
        return chunks
