"""Get an object into a file so that a later process can continue if this one is killed.

The bytes received so far are in a hidden file beside the target, one for each revision of the
object. All of them count for the digest, whichever process wrote them.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import BinaryIO, Final

from jetstow._core.aio.atomic_file import check_target, mode_of, report_disk_errors
from jetstow._core.aio.locked_file import close_for_rename, locked_file, remove_unlocked
from jetstow._core.aio.sink import write_chunks
from jetstow._core.aio.worker import run_in_thread
from jetstow._core.bucket.stream import Stream
from jetstow._core.protocol.digest import Digest
from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.read import links
from jetstow._core.read.decryption import DecryptedRanges, RangeSource, decrypted_ranges
from jetstow._core.read.preconditions import Preconditions
from jetstow._core.read.ranges import RangeReader
from jetstow._core.read.verification import check_digest
from jetstow.errors import IntegrityError, InvalidOptionError, ObjectChangedError
from jetstow.models import ObjectInfo
from jetstow.types import Progress

_BLOCK_SIZE: Final = 1024 * 1024


async def get_file(
    stream: Stream,
    context: ErrorContext,
    path: Path,
    progress: Progress | None,
    preconditions: Preconditions,
) -> ObjectInfo:
    """Write an object to a file, which appears at `path` once it is verified.

    If it fails, the partial file stays for the next call, unless its bytes are wrong.

    Raises: `InvalidOptionError` (an encrypted object: its digest is not that of the plain bytes),
    and what `get` raises.
    """
    resolved = await links.follow(stream, context)
    preconditions.check(resolved.context, resolved.info)
    reader = RangeReader(*resolved)
    source = await decrypted_ranges(stream, resolved.context, reader)
    if isinstance(source, DecryptedRanges):
        raise resolved.context.error(
            InvalidOptionError, f"{resolved.context} is encrypted: it cannot be read with resume"
        )
    in_use = (
        f"another get_file with resume writes {resolved.context} to {str(path)!r}: "
        "wait until it has ended, or use another path"
    )
    partial = _partial_file(path, resolved.info, in_use)
    with locked_file(partial, in_use) as file:
        existed = os.fstat(file.fileno()).st_size > 0
        try:
            await _download_rest(resolved.context, source, file, partial, progress)
        except (ObjectChangedError, IntegrityError) as error:
            close_for_rename(file)
            partial.unlink(missing_ok=True)
            if not existed or isinstance(error, ObjectChangedError):
                raise
        except BaseException as error:
            if kept := os.fstat(file.fileno()).st_size:
                error.add_note(
                    f"{kept} of {resolved.info.size or 0} bytes are kept in "
                    f"{str(partial)!r}: get the object again with resume to continue"
                )
            raise
        else:
            close_for_rename(file)
            partial.chmod(mode_of(path))
            partial.replace(path)
            return resolved.info
    # Either the partial file is damaged or the object: reading all of it shows which.
    return await get_file(stream, context, path, progress, preconditions)


def _partial_file(path: Path, info: ObjectInfo, in_use: str) -> Path:
    """Return the path of this revision's partial file; remove those of other revisions."""
    check_target(path)
    prefix = f".jetstow-{_short_hash(path.name)}-"
    partial = path.with_name(f"{prefix}{_short_hash(f'{info.bucket}/{info.nuid}')}.part")
    for other in path.parent.glob(f"{prefix}*.part"):
        if other != partial:
            remove_unlocked(other, in_use)
    return partial


def _short_hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:20]


async def _download_rest(
    context: ErrorContext,
    source: RangeSource,
    file: BinaryIO,
    partial: Path,
    progress: Progress | None,
) -> None:
    info = source.info
    size, digest = info.size or 0, Digest()
    with report_disk_errors(partial):
        done = await run_in_thread(_digest_existing, file, digest, size)
        resumed = done > 0  # a whole object is verified by its reader

        async def rest() -> AsyncGenerator[bytes, None]:
            nonlocal done
            async with aclosing(source.read(done, size)) as pieces:
                async for piece in pieces:
                    if resumed:
                        digest.update(piece)
                    done += len(piece)
                    if progress is not None:
                        progress(done, size)
                    yield piece  # type: ignore[misc]  # files take a memoryview as well as bytes

        await write_chunks(rest(), file)
    if resumed:
        check_digest(context, info, digest)


def _digest_existing(file: BinaryIO, digest: Digest, size: int) -> int:
    """Update the digest with the file's bytes, up to `size`. Return the position behind them."""
    file.truncate(min(size, os.fstat(file.fileno()).st_size))
    while block := file.read(_BLOCK_SIZE):
        digest.update(block)
    return file.tell()
