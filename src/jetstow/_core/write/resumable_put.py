"""Put a file so that a later process can continue if this one is killed.

The chunks that an earlier put stored are read and compared with the file before they are used.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import aclosing
from pathlib import Path
from typing import BinaryIO

from jetstow._core.aio.source import Source, file_version, open_source
from jetstow._core.aio.worker import run_in_thread
from jetstow._core.bucket.stream import Stream
from jetstow._core.protocol.digest import Digest
from jetstow._core.protocol.subjects import chunk_subject
from jetstow._core.read.unnamed_chunks import UnnamedDownload
from jetstow._core.transport.retry import RETRIED_ERRORS
from jetstow._core.write.checkpoint import Checkpoint
from jetstow._core.write.prepare_put import prepare_put
from jetstow._core.write.purge import purge_chunks
from jetstow._core.write.put import Put
from jetstow._core.write.put_options import PutOptions
from jetstow.errors import IntegrityError, InvalidOptionError, JetstowError, ObjectChangedError
from jetstow.models import ObjectInfo
from jetstow.types import Progress


async def put_file(
    stream: Stream,
    path: Path,
    name: str | None,
    options: PutOptions,
    progress: Progress | None,
) -> ObjectInfo:
    """Store a file, continuing after the chunks that an earlier put of it stored.

    If the connection fails or the task is cancelled, the chunks stay for the next put.

    Raises: `InvalidOptionError` (an encrypted object, whose chunks have a different key each time,
    or one with a `ttl`, whose chunks expire), and what `put` raises.
    """
    put = await prepare_put(stream, name, options)
    if stream.key is not None or options.ttl is not None:
        reason = "encrypted" if stream.key is not None else "given a ttl"
        raise put.context.error(
            InvalidOptionError, f"{put.context} is {reason}: it cannot be put with resume"
        )
    with put.context, path.open("rb", buffering=0) as file:
        # The comparison with the stored chunks reads the file, too.
        version = file_version(file)
        status = os.fstat(file.fileno())
        checkpoint = await Checkpoint.open(stream, put.name, path, status, put.chunk_size)
        with checkpoint.locked(
            f"another put_file with resume stores {str(path)!r} as {put.context}: "
            "wait until it has ended"
        ):
            if (nuid := checkpoint.read()) is not None:
                await _resume(stream, put, nuid, file, status.st_size)
            checkpoint.write(put.nuid)
            try:
                source = open_source(file, version)
                return await _store(put, source, checkpoint, status.st_size, progress)
            except JetstowError as error:
                if not isinstance(error, RETRIED_ERRORS):
                    checkpoint.remove()
                raise


async def _store(
    put: Put, source: Source, checkpoint: Checkpoint, size: int, progress: Progress | None
) -> ObjectInfo:
    async with put, aclosing(source.chunks(put.chunk_size)) as chunks:
        try:
            async for chunk in chunks:
                await put.write(chunk)
                if progress is not None:
                    progress(put.plain_size, size)
            await put.wait_stored()
            # Remove it before the commit: a second put that resumed with the chunks of a published
            # object would purge them as those that it replaces.
            checkpoint.remove()
            return await put.finish()
        except (*RETRIED_ERRORS, asyncio.CancelledError) as error:
            if put.may_be_named:
                error.add_note(
                    f"the metadata of {put.context} was sent: if the object has the NUID "
                    f"{put.nuid}, it is stored; if not, collect_garbage removes the chunks"
                )
                raise
            checkpoint.write(put.nuid)
            put.keeps_chunks = True
            error.add_note(
                f"up to {put.plain_size} of {size} bytes are kept as chunks in bucket "
                f"{put.context.bucket!r}, the checkpoint is {str(checkpoint.path)!r}: put the "
                "file again with resume to continue"
            )
            raise


async def _resume(stream: Stream, put: Put, nuid: str, file: BinaryIO, size: int) -> None:
    """Let a put continue after the chunks of a NUID if all of them are equal to the file's start.

    Purge the chunks if not. The file's position is behind the chunks, or at its start.
    """
    count, digest = await _matching_chunks(stream, put, nuid, file)
    if count and file.tell() <= size:
        put.resume(nuid, count, file.tell(), digest)
    else:
        file.seek(0)
        await purge_chunks(stream, put.context, nuid, count, put.chunk_size)


async def _matching_chunks(
    stream: Stream, put: Put, nuid: str, file: BinaryIO
) -> tuple[int, Digest]:
    """Return how many chunks are stored, and their digest; 0 if one differs from the file."""
    digest = Digest()
    count = await stream.count_messages(put.context, chunk_subject(stream.subject_bucket, nuid))
    download = UnnamedDownload(stream, put.context, nuid, count, put.chunk_size)
    try:
        async with aclosing(download.chunks()) as chunks:
            async for chunk in chunks:
                if await run_in_thread(file.read, put.chunk_size) != chunk:
                    return 0, digest
                digest.update(chunk)
    except (IntegrityError, ObjectChangedError):
        return 0, digest
    return count, digest
