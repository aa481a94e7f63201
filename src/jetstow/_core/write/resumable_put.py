"""Files stored by one process after another: each goes on where the last one was killed.

What is in the stream already is not believed to be the file's beginning, but read and compared.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import aclosing
from pathlib import Path
from typing import BinaryIO

from anyio import to_thread

from jetstow._core.aio.source import open_source
from jetstow._core.bucket.stream import Stream
from jetstow._core.protocol import subjects
from jetstow._core.protocol.digest import Digest
from jetstow._core.read.download import Download
from jetstow._core.transport.retry import RETRIED_ERRORS
from jetstow._core.write.checkpoint import Checkpoint
from jetstow._core.write.put import Asked, Writing
from jetstow._core.write.upload import drop_chunks
from jetstow.errors import IntegrityError, InvalidOptionError, JetstowError, ObjectChangedError
from jetstow.models import ObjectInfo, ObjectMetaOptions
from jetstow.types import Progress


async def put_file(
    stream: Stream,
    path: Path,
    name: str | None,
    asked: Asked,
    progress: Progress | None,
) -> ObjectInfo:
    """Store a file; go on after the chunks that an earlier try has stored, if they are its own.

    Where the connection fails or the task is cancelled, the chunks stay for the next try.
    Raises `InvalidOptionError` where they could not be recognised then: encrypted ones have
    another key each time, and those of an object that expires have begun to.
    """
    writing = await Writing.begin(stream, name, asked)
    if stream.key is not None or asked.ttl is not None:
        kind = "encrypted" if stream.key is not None else "to expire"
        raise writing.context.error(
            InvalidOptionError, f"{writing.context} is {kind}: it cannot be put with resume"
        )
    upload = writing.upload
    with writing.context.attach(), path.open("rb", buffering=0) as file:
        status = os.fstat(file.fileno())
        note = await Checkpoint.of(stream, writing.name, path, status, writing.chunk_size)
        if (nuid := note.read()) is not None:
            found, digest = await _recognised(stream, writing, nuid, file, status.st_size)
            if found:
                upload.take_over(nuid, found, file.tell(), digest)
            else:
                await drop_chunks(stream, writing.name, nuid)
        note.write(upload.nuid)
        source = open_source(file)
        try:
            async with writing, aclosing(source.chunks(writing.chunk_size)) as cut:
                try:
                    async for chunk in cut:
                        await writing.write(chunk)
                        if progress is not None:
                            progress(upload.size, status.st_size)
                    await upload.finish()
                    # What has a name is nobody's to go on with: a second put that took these
                    # chunks over would drop them as those it replaces.
                    note.remove()
                    return await writing.finish()
                except (*RETRIED_ERRORS, asyncio.CancelledError):
                    upload.keep()
                    raise
        except JetstowError as error:
            if not isinstance(error, RETRIED_ERRORS):
                note.remove()
            raise


async def _recognised(
    stream: Stream, writing: Writing, nuid: str, file: BinaryIO, size: int
) -> tuple[int, Digest]:
    """How many chunks lie there, each of them read and found to be the file's; their digest.

    The file is left standing behind them. None count if one of them is another one.
    """
    digest, nothing = Digest(), (0, Digest())
    count = await stream.count(writing.context, subjects.chunk_subject(stream.bucket, nuid))
    stored = ObjectInfo(
        name=writing.name,
        bucket=stream.bucket,
        nuid=nuid,
        chunks=count,
        options=ObjectMetaOptions(max_chunk_size=writing.chunk_size),
    )
    try:
        async with aclosing(Download(stream, stored).chunks()) as chunks:
            async for chunk in chunks:
                mine = await to_thread.run_sync(file.read, writing.chunk_size)
                if mine != chunk:
                    count = 0
                    break
                digest.update(chunk)
    except (IntegrityError, ObjectChangedError):
        count = 0
    if not count or file.tell() > size:
        file.seek(0)
        return nothing
    return count, digest
