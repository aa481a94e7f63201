"""Copy an object through this process: within its bucket, to another bucket, or another server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Literal

import msgspec

from jetstow._core.aio.source import Chunker
from jetstow._core.bucket.encryption import check_moved_with_key
from jetstow._core.bucket.stream import Stream
from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.protocol.headers import joined_headers, reserved_headers
from jetstow._core.read.object_read import ObjectRead, retry_if_changed
from jetstow._core.write.prepare_put import prepare_put
from jetstow._core.write.put import Put
from jetstow._core.write.put_options import PutOptions
from jetstow._headers import EXPIRES_HEADER, VERSION_HEADER
from jetstow._object_lock import LOCK_HEADERS
from jetstow.errors import InvalidOptionError
from jetstow.models import ObjectInfo, ObjectMetaOptions
from jetstow.types import Duration, Progress


async def copy(
    source: Stream,
    original: ErrorContext,
    target: Stream,
    new_name: str,
    options: PutOptions,
    ttl: Duration | Literal["keep"] | None,
    progress: Progress | None,
) -> ObjectInfo:
    """Store the bytes and metadata of `original` under `new_name`, verified on the way.

    `options` are those of the put, without the metadata and the expiry.
    With the `ttl` "keep", the copy expires when the original does. If neither view of a bucket has
    a key, an encrypted object is copied as it is stored.

    Raises: `InvalidOptionError` (a copy onto itself), `ObjectEncryptedError` (an encrypted object
    would get another name or bucket without its key), and what a get and a put raise.
    """
    source_id = (source.api.nc, source.bucket, original.name, source.key, original.version)
    if source_id == (target.api.nc, target.bucket, new_name, target.key, None):
        context = target.error_context(new_name)
        raise context.error(InvalidOptionError, f"{context} cannot be copied onto itself")
    view = target if target.is_as_stored else source
    if source.key is None and target.key is None:
        source, target = source.view(as_stored=True), target.view(as_stored=True)

    async def attempt() -> ObjectInfo:
        read = ObjectRead(source, original, progress=progress)
        async with aclosing(read.chunks()) as pieces:
            first = await anext(pieces, b"")  # then `read.info` is set
            if (read.info.bucket, read.info.name) != (target.bucket, new_name):
                check_moved_with_key(view, original, read.info)
            complete = _put_options(source, read.info, target, options, ttl)
            async with await prepare_put(target, new_name, complete) as put:
                await _write_all(first, pieces, put)
                return await put.finish()

    return await retry_if_changed(attempt)


async def _write_all(first: bytes, pieces: AsyncIterator[bytes], put: Put) -> None:
    chunker = Chunker(put.chunk_size)
    for chunk in chunker.split(first):
        await put.write(chunk)
    async for piece in pieces:
        for chunk in chunker.split(piece):
            await put.write(chunk)
    if chunker.remainder:
        await put.write(chunker.remainder)


def _put_options(
    source: Stream,
    info: ObjectInfo,
    target: Stream,
    options: PutOptions,
    ttl: Duration | Literal["keep"] | None,
) -> PutOptions:
    """Return the options for a copy with the original's metadata and chunk size."""
    meta = info.meta
    if source.is_as_stored:
        reserved = reserved_headers(info.headers)
        reserved.pop(EXPIRES_HEADER, None)  # `PutOptions` has the expiry
        reserved.pop(VERSION_HEADER, None)  # the copy is a version of its own
        for name in [name for name in reserved if name.lower() in LOCK_HEADERS]:
            del reserved[name]
        meta.headers = joined_headers(meta.headers, reserved)
    chunk_size = info.options.max_chunk_size if info.options else None
    if chunk_size:
        # The servers and streams may have different limits.
        chunk_size = min(chunk_size, target.max_message_size)
    meta.options = ObjectMetaOptions(max_chunk_size=chunk_size)
    if ttl == "keep":
        return msgspec.structs.replace(options, meta=meta, expires_at=info.expires)
    return msgspec.structs.replace(options, meta=meta, ttl=ttl)
