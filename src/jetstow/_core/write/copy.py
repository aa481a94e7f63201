"""An object copied, through this process: within its bucket, to another one, or elsewhere."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing

from jetstow._core.aio.source import Chunker
from jetstow._core.bucket.stream import Stream
from jetstow._core.protocol.headers import store_headers
from jetstow._core.read.object_read import ObjectRead, retry_if_changed
from jetstow._core.write.put import Asked, Writing
from jetstow.errors import InvalidOptionError
from jetstow.models import ObjectInfo, ObjectMetaOptions
from jetstow.types import Progress


async def copy(
    source: Stream,
    name: str,
    target: Stream,
    new_name: str,
    expected_revision: int | None,
    progress: Progress | None,
) -> ObjectInfo:
    """Let `new_name` be the same bytes with the same metadata, verified on their way.

    Where neither view has a key, an encrypted object is copied as it is stored.
    """
    there, here = (
        (stream.api.nc, stream.bucket, its_name, stream.key)
        for stream, its_name in ((target, new_name), (source, name))
    )
    if there == here:
        place = target.error_context(new_name)
        raise place.error(InvalidOptionError, f"{place} cannot be copied onto itself")
    if source.key is None and target.key is None:
        source, target = source.view(as_stored=True), target.view(as_stored=True)

    async def attempt() -> ObjectInfo:
        reading = ObjectRead(source, name, progress=progress)
        async with aclosing(reading.chunks()) as pieces:
            first = await anext(pieces, b"")
            asked = _asked(source, reading.info, target, expected_revision)
            async with await Writing.begin(target, new_name, asked) as writing:
                await _pass_on(first, pieces, writing)
                return await writing.finish()

    return await retry_if_changed(attempt)


async def _pass_on(first: bytes, pieces: AsyncIterator[bytes], writing: Writing) -> None:
    cutter = Chunker(writing.chunk_size)
    for chunk in cutter.split(first):
        await writing.write(chunk)
    async for piece in pieces:
        for chunk in cutter.split(piece):
            await writing.write(chunk)
    if cutter.rest:
        await writing.write(cutter.rest)


def _asked(
    source: Stream, info: ObjectInfo, target: Stream, expected_revision: int | None
) -> Asked:
    """The same as the original, as far as that concerns the copy; it expires when that does."""
    meta = info.meta
    if source.shows_stored:
        meta.headers = (meta.headers or {}) | store_headers(info.headers)
    size = info.options.max_chunk_size if info.options else None
    if size:
        # What the original's server takes, this one may not.
        size = min(size, target.api.nc.max_payload)
    meta.options = ObjectMetaOptions(max_chunk_size=size)
    return Asked(meta, expected_revision, until=info.expires)
