"""Compare a local file with an object."""

from __future__ import annotations

import hashlib
from pathlib import Path

from anyio import to_thread

from jetstow._core.bucket.stream import Stream
from jetstow._core.protocol.digest import parse_digest
from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.read import links
from jetstow._core.read.preconditions import Preconditions
from jetstow.models import ObjectInfo


async def find_unchanged(
    stream: Stream, context: ErrorContext, path: Path, preconditions: Preconditions
) -> ObjectInfo | None:
    """Return the object's info if the file has its size and digest; None if it has to be read.

    That applies to encrypted objects and to views with a key, too: the digest is not that of the
    plain bytes, and only reading shows whether an object is encrypted.

    Raises: what `links.follow` and `Preconditions.check` raise.
    """
    resolved = await links.follow(stream, context)
    info = resolved.info
    preconditions.check(resolved.context, info)
    expected = parse_digest(info.digest or "")
    is_encrypted = stream.key is not None or (info.encrypted and not stream.is_as_stored)
    if expected is None or is_encrypted:
        return None
    matches = await to_thread.run_sync(
        _has_bytes, path, info.size or 0, expected, abandon_on_cancel=True
    )
    return info if matches else None


def _has_bytes(path: Path, size: int, digest: bytes) -> bool:
    try:
        if not path.is_file() or path.stat().st_size != size:
            return False
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest() == digest
    except OSError:
        return False  # the get reports what is wrong with the path
