"""Verify the digest of an object that is read sequentially, in parts."""

from __future__ import annotations

from jetstow._core.protocol.digest import Digest
from jetstow._core.protocol.error_context import ErrorContext
from jetstow.errors import DigestMismatchError
from jetstow.models import ObjectInfo


class SequentialChecksum:
    """The digest of an object's bytes from the first one on, as far as they were all added."""

    def __init__(self, info: ObjectInfo) -> None:
        self._info = info
        self._size = info.size or 0
        self._end = 0
        # The digest of an encrypted object is that of the stored bytes. Its chunks are
        # authenticated instead.
        self._digest = Digest() if info.digest and not info.encrypted else None

    def add(self, start: int, data: bytes) -> None:
        """Add the bytes from an offset on. Bytes that leave a gap are ignored.

        Raises: `DigestMismatchError` (with the last bytes of the object).
        """
        stop = start + len(data)
        # An object that is read with one request was verified by the asynchronous reader.
        if self._digest is None or not start <= self._end < stop or stop - start == self._size:
            return
        rest = memoryview(data)[self._end - start :]
        if stop < self._size:
            self._digest.update(rest)
            self._end = stop
            return
        digest = self._digest.copy()  # reading the end again has to raise again
        digest.update(rest)
        if not digest.matches(self._info.digest or ""):
            context = ErrorContext(self._info.bucket, self._info.name)
            raise context.error(
                DigestMismatchError,
                f"{context} is damaged: its digest is {digest}, but its metadata has "
                f"{(self._info.digest or '')[:100]!r}",
            )
