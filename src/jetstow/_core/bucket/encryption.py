"""Encrypted objects in a bucket: what a view of it with a key, or without one, makes of them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import replace
from typing import Protocol

from jetstow._core.bucket.stream import Stream
from jetstow._core.protocol import cipher
from jetstow._core.protocol.context import ErrorContext
from jetstow._core.protocol.headers import store_headers
from jetstow.errors import InvalidOptionError, ObjectEncryptedError, TamperedError
from jetstow.models import ENCRYPTION, Headers, ObjectInfo


class RangeSource(Protocol):
    """Reads one revision of an object from any byte on."""

    info: ObjectInfo

    def read(self, start: int, stop: int) -> AsyncGenerator[memoryview, None]: ...


def encryption_header(chunk_size: int) -> Headers:
    """What says of an object that it is encrypted, and in chunks of how many bytes."""
    return {ENCRYPTION: [f"{cipher.MARK}; chunk={chunk_size}"]}


def plain_info(stream: Stream, info: ObjectInfo) -> ObjectInfo:
    """An object as this view of the bucket has it: with a key, of as many bytes as are in it."""
    if stream.key is None or not info.encrypted or info.deleted:
        return info
    size = cipher.plain_size(info.size or 0, _chunk_size(info))
    return replace(info, size=size)


def _chunk_size(info: ObjectInfo) -> int:
    said = next(iter(store_headers(info.headers).get(ENCRYPTION, [])), "")
    number = said.rpartition("chunk=")[2]
    fits = number.isascii() and number.isdigit() and len(number) < 12
    return max(cipher.SMALLEST, int(number)) if fits else cipher.SMALLEST


def make_sealer(stream: Stream, context: ErrorContext, chunk_size: int) -> cipher.Sealer | None:
    """What encrypts a new object, if this view does. Raises `InvalidOptionError`."""
    if stream.key is None:
        return None
    if chunk_size < cipher.SMALLEST:
        raise context.error(
            InvalidOptionError,
            f"chunks of {context} must have {cipher.SMALLEST} bytes at least: it is encrypted",
        )
    return cipher.Sealer(stream.key, chunk_size)


def make_opener(stream: Stream, context: ErrorContext, info: ObjectInfo) -> cipher.Opener | None:
    """What decrypts an object; None where nothing is to be decrypted.

    Raises `ObjectEncryptedError` where the view has no key, unless it shows what is stored.
    """
    if not info.encrypted or stream.shows_stored:
        return None
    if stream.key is None:
        raise context.error(
            ObjectEncryptedError,
            f"{context} is encrypted: read it through store.encrypted(key), or as it is stored "
            "through store.as_stored()",
        )
    return cipher.Opener(stream.key, info.size or 0)


async def decrypt(
    context: ErrorContext, lock: cipher.Opener, pieces: AsyncIterator[bytes]
) -> AsyncGenerator[bytes, None]:
    """All plain bytes of an object, out of all that is stored of it.

    Raises `ObjectEncryptedError` and `TamperedError`.
    """
    number, held = 0, bytearray()
    async for piece in pieces:
        held += piece
        with _translate_errors(context):
            if not lock.chunk and len(held) >= cipher.PRELUDE_SIZE:
                lock.begin(bytes(held[: cipher.PRELUDE_SIZE]))
            # A chunk is opened once another follows, or all is there.
            while lock.chunk and len(held) > lock.chunk:
                plain = lock.open(number, held[: lock.chunk])
                del held[: lock.chunk]
                number += 1
                yield plain
    with _translate_errors(context):
        if not lock.chunk:
            raise cipher.BrokenSealError
        plain = lock.open(number, held)
    if plain:
        yield plain


class DecryptedRanges:
    """Ranges of an encrypted object, by plain offsets. Every byte given out is authenticated."""

    def __init__(
        self, context: ErrorContext, lock: cipher.Opener, reader: RangeSource, info: ObjectInfo
    ) -> None:
        self.info = info
        self._context = context
        self._lock = lock
        self._reader = reader
        self._stored = reader.info.size or 0

    async def read(self, start: int, stop: int) -> AsyncGenerator[memoryview, None]:
        """The bytes from `start` up to `stop` (not included). Raises as `opened` does."""
        lock = self._lock
        if not lock.chunk:
            stop_at = min(cipher.PRELUDE_SIZE, self._stored)
            head = b"".join([bytes(each) async for each in self._reader.read(0, stop_at)])
            with _translate_errors(self._context):
                lock.begin(head)
        number, position = cipher.chunk_of(start, lock.chunk)
        end = min(
            self._stored, (cipher.chunk_of(max(start, stop - 1), lock.chunk)[0] + 1) * lock.chunk
        )
        first, held = number * lock.chunk, bytearray()
        async with aclosing(self._reader.read(first, end)) as pieces:
            async for piece in pieces:
                held += piece
                first += len(piece)
                while len(held) >= lock.chunk or (held and first == end):
                    with _translate_errors(self._context):
                        plain = lock.open(number, held[: lock.chunk])
                    del held[: lock.chunk]
                    view = memoryview(plain)[max(0, start - position) : max(0, stop - position)]
                    number, position = number + 1, position + len(plain)
                    if view.nbytes:
                        yield view


@contextmanager
def _translate_errors(context: ErrorContext) -> Iterator[None]:
    """Say of which object a seal is broken."""
    try:
        yield
    except cipher.WrongKeyError:
        raise context.error(
            ObjectEncryptedError, f"{context} was encrypted with another key"
        ) from None
    except cipher.BrokenSealError:
        raise context.error(
            TamperedError,
            f"{context} is not as it was encrypted: somebody without its key has changed its bytes",
        ) from None
