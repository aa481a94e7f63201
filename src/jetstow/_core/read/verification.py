"""Read a whole object, and verify its size and its digest."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from jetstow._core.aio.batches import flattened
from jetstow._core.bucket.stream import Stream
from jetstow._core.protocol.digest import Digest
from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.read.arrivals import TakeData
from jetstow._core.read.download import Download
from jetstow.errors import DigestMismatchError, SizeMismatchError
from jetstow.models import ObjectInfo


async def verified_batches(
    stream: Stream,
    context: ErrorContext,
    info: ObjectInfo,
    take: TakeData | None = None,
) -> AsyncGenerator[list[bytes], None]:
    """Yield all chunks of an object, in lists. The generator ends only if all bytes are correct.

    Chunks that `take` takes when they arrive are not yielded.

    Raises: `SizeMismatchError`, `DigestMismatchError`, and what `Download.batches` raises.
    """
    check = _Verification(context, info)

    def take_if_it_fits(data: bytes) -> bool:
        if take is None or not check.fits(data) or not take(data):
            return False
        check.add(data)
        return True

    download = Download(stream, context, info)
    async with aclosing(download.batches(None if take is None else take_if_it_fits)) as batches:
        async for batch in batches:
            for data in batch:
                check.add(data)
            yield batch
    check.finish()


def verified_chunks(
    stream: Stream, context: ErrorContext, info: ObjectInfo
) -> AsyncGenerator[bytes, None]:
    """Return all chunks of an object. The generator ends only if size and digest are correct.

    Raises: what `verified_batches` raises.
    """
    return flattened(verified_batches(stream, context, info))


class _Verification:
    """The size and the digest of the bytes of an object so far."""

    def __init__(self, context: ErrorContext, info: ObjectInfo) -> None:
        self._context = context
        self._info = info
        self._size, self._expected = 0, info.size or 0
        self._digest = Digest()

    def fits(self, data: bytes) -> bool:
        """Return whether the object's size allows these bytes."""
        return self._size + len(data) <= self._expected

    def add(self, data: bytes) -> None:
        """Add the next bytes.

        Raises: `SizeMismatchError` (they are too many).
        """
        if not self.fits(data):
            raise self._size_error("more")
        self._size += len(data)
        self._digest.update(data)

    def finish(self) -> None:
        """Check the complete object.

        Raises: `SizeMismatchError`, `DigestMismatchError`.
        """
        if self._size != self._expected:
            raise self._size_error("fewer")
        check_digest(self._context, self._info, self._digest)

    def _size_error(self, how: str) -> SizeMismatchError:
        return self._context.error(
            SizeMismatchError,
            f"{self._context} has {how} bytes in the stream than the {self._expected} in its "
            "metadata",
        )


def check_digest(context: ErrorContext, info: ObjectInfo, digest: Digest) -> None:
    """Raise `DigestMismatchError` unless the digest of all bytes is that of the metadata."""
    # Some clients write no digest.
    if info.digest and not digest.matches(info.digest):
        raise context.error(
            DigestMismatchError,
            f"{context} is damaged: its digest is {digest}, but its metadata states "
            f"{info.digest[:100]!r}",
        )
