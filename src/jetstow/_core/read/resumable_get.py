"""Objects read into a file by one process after another, each going on where the last one was.

What has come so far lies beside the file under a hidden name, which belongs to one revision
of the object. All of it counts for the digest, whoever has written it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import BinaryIO, Final

from anyio import to_thread

from jetstow._core.aio.atomic_file import check_target, mode_of
from jetstow._core.aio.sink import write_chunks
from jetstow._core.bucket.encryption import make_opener
from jetstow._core.bucket.stream import Stream
from jetstow._core.protocol.digest import Digest
from jetstow._core.read import links
from jetstow._core.read.download import check_digest
from jetstow._core.read.preconditions import Preconditions
from jetstow._core.read.ranges import RangeReader
from jetstow.errors import IntegrityError, InvalidOptionError, ObjectChangedError
from jetstow.models import ObjectInfo
from jetstow.types import Progress

_BLOCK: Final = 1024 * 1024

# A link that somebody has put in the part's place is not followed.
_OPEN: Final = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


async def get_file(
    stream: Stream, name: str, path: Path, progress: Progress | None, terms: Preconditions
) -> ObjectInfo:
    """Read an object into a file, which appears under its name once it is verified.

    Whatever ends it, the part stays for the next try, unless it is wrong itself. Raises
    `InvalidOptionError` for an encrypted object: of its plain bytes there is no digest.
    """
    found, info = await links.follow(stream, name)
    context = found.error_context(info.name)
    terms.check(context, info)
    if make_opener(stream, context, info) is not None:
        raise context.error(
            InvalidOptionError, f"{context} is encrypted: it cannot be read with resume"
        )
    part = _partial_file(path, info)
    had = part.exists()
    try:
        await _download_rest(found, info, part, progress)
    except (ObjectChangedError, IntegrityError) as error:
        part.unlink(missing_ok=True)
        if not had or isinstance(error, ObjectChangedError):
            raise
        # Either what was there is wrong, or the object: all of it anew tells which.
        return await get_file(stream, name, path, progress, terms)
    part.chmod(mode_of(path))
    part.replace(path)
    return info


def _partial_file(path: Path, info: ObjectInfo) -> Path:
    """Where this revision's bytes lie until they are all there; those of others are dropped."""
    check_target(path)
    mine = f".jetstow-{_short_hash(path.name)}-"
    part = path.with_name(f"{mine}{_short_hash(f'{info.bucket}/{info.nuid}')}.part")
    for other in path.parent.glob(f"{mine}*.part"):
        if other != part:
            other.unlink(missing_ok=True)
    return part


def _short_hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:20]


async def _download_rest(
    stream: Stream, info: ObjectInfo, part: Path, progress: Progress | None
) -> None:
    size, digest = info.size or 0, Digest()
    with open(os.open(part, _OPEN, 0o600), "r+b", buffering=0) as file:  # noqa: PTH123, ASYNC230
        done = await to_thread.run_sync(_digest_existing, file, digest, size)
        goes_on = done > 0  # what is read from its first byte on, its reader verifies

        async def rest() -> AsyncGenerator[bytes, None]:
            nonlocal done
            async with aclosing(RangeReader(stream, info).read(done, size)) as pieces:
                async for piece in pieces:
                    if goes_on:
                        digest.update(piece)
                    done += len(piece)
                    if progress is not None:
                        progress(done, size)
                    yield piece  # type: ignore[misc]  # a view is as good as bytes to a file

        await write_chunks(rest(), file)
    if goes_on:
        check_digest(stream.error_context(info.name), info, digest)


def _digest_existing(file: BinaryIO, digest: Digest, size: int) -> int:
    """Go behind what is there, and no further than the object goes; return the position."""
    file.truncate(min(size, os.fstat(file.fileno()).st_size))
    while block := file.read(_BLOCK):
        digest.update(block)
    return file.tell()
