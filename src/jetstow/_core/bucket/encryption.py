"""Encrypted objects in a bucket, as a view of the bucket with or without a key handles them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import replace
from typing import Protocol

from jetstow._core.bucket.stream import Stream
from jetstow._core.protocol import cipher
from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.protocol.headers import reserved_headers
from jetstow._headers import ENCRYPTION_HEADER, Headers
from jetstow.errors import InvalidOptionError, ObjectEncryptedError, TamperedError
from jetstow.models import ObjectInfo


class RangeSource(Protocol):
    """Reads ranges of one revision of an object."""

    info: ObjectInfo

    def read(self, start: int, stop: int) -> AsyncGenerator[memoryview, None]: ...


def encryption_header(chunk_size: int) -> Headers:
    """Return the header that marks an object as encrypted in chunks of `chunk_size` bytes."""
    return {ENCRYPTION_HEADER: [f"{cipher.ALGORITHM}; chunk={chunk_size}"]}


def plain_info(stream: Stream, info: ObjectInfo) -> ObjectInfo:
    """Return an object's metadata with the size of the plaintext, if the view has a key."""
    if stream.key is None or not info.encrypted or info.deleted:
        return info
    size = cipher.plaintext_size(info.size or 0, _chunk_size(info))
    return replace(info, size=size)


def _chunk_size(info: ObjectInfo) -> int:
    header = next(iter(reserved_headers(info.headers).get(ENCRYPTION_HEADER, [])), "")
    text = header.rpartition("chunk=")[2]
    is_valid = text.isascii() and text.isdigit() and len(text) < 12
    return max(cipher.MIN_CHUNK_SIZE, int(text)) if is_valid else cipher.MIN_CHUNK_SIZE


def make_encryptor(
    stream: Stream, context: ErrorContext, chunk_size: int
) -> cipher.Encryptor | None:
    """Return the encryptor of a new object; None if the view has no key.

    Raises: `InvalidOptionError` (the chunk size is too small).
    """
    if stream.key is None:
        return None
    if chunk_size < cipher.MIN_CHUNK_SIZE:
        raise context.error(
            InvalidOptionError,
            f"chunks of {context} must have at least {cipher.MIN_CHUNK_SIZE} bytes, as it is "
            "encrypted",
        )
    return cipher.Encryptor(stream.key, chunk_size)


def make_decryptor(
    stream: Stream, context: ErrorContext, info: ObjectInfo
) -> cipher.Decryptor | None:
    """Return the decryptor of an object; None if its bytes are returned as stored.

    Raises: `ObjectEncryptedError` (the view has no key, and is not `as_stored`).
    """
    if not info.encrypted or stream.is_as_stored:
        return None
    if stream.key is None:
        raise context.error(
            ObjectEncryptedError,
            f"{context} is encrypted: read it through store.encrypted(key), or as it is stored "
            "through store.as_stored()",
        )
    return cipher.Decryptor(stream.key, info.size or 0)


async def decrypt(
    context: ErrorContext, decryptor: cipher.Decryptor, pieces: AsyncIterator[bytes]
) -> AsyncGenerator[bytes, None]:
    """Yield the plaintext of an object; `pieces` are all its stored bytes.

    Raises: `ObjectEncryptedError` (another key), `TamperedError` (the bytes were changed).
    """
    number, buffer = 0, bytearray()
    async for piece in pieces:
        buffer += piece
        with _translate_errors(context):
            if not decryptor.chunk_size and len(buffer) >= cipher.PREAMBLE_SIZE:
                decryptor.read_preamble(bytes(buffer[: cipher.PREAMBLE_SIZE]))
            # The nonce of the last chunk differs, so decrypt a chunk when more bytes follow.
            while decryptor.chunk_size and len(buffer) > decryptor.chunk_size:
                plaintext = decryptor.decrypt(number, buffer[: decryptor.chunk_size])
                del buffer[: decryptor.chunk_size]
                number += 1
                yield plaintext
    with _translate_errors(context):
        if not decryptor.chunk_size:
            raise cipher.DecryptionError
        plaintext = decryptor.decrypt(number, buffer)
    if plaintext:
        yield plaintext


class DecryptedRanges:
    """Reads ranges of the plaintext of an encrypted object; every chunk is authenticated."""

    def __init__(
        self,
        context: ErrorContext,
        decryptor: cipher.Decryptor,
        reader: RangeSource,
        info: ObjectInfo,
    ) -> None:
        self.info = info
        self._context = context
        self._decryptor = decryptor
        self._reader = reader
        self._stored_size = reader.info.size or 0

    async def read(self, start: int, stop: int) -> AsyncGenerator[memoryview, None]:
        """Yield the bytes from `start` to `stop` (not included).

        Raises: what `decrypt` raises, and what the reader raises.
        """
        decryptor = self._decryptor
        if not decryptor.chunk_size:
            await self._read_preamble()
        chunk_size = decryptor.chunk_size
        number, position = cipher.chunk_at(start, chunk_size)
        last_number, _ = cipher.chunk_at(max(start, stop - 1), chunk_size)
        stored_position = number * chunk_size
        stored_end = min(self._stored_size, (last_number + 1) * chunk_size)
        buffer = bytearray()
        async with aclosing(self._reader.read(stored_position, stored_end)) as pieces:
            async for piece in pieces:
                buffer += piece
                stored_position += len(piece)
                while len(buffer) >= chunk_size or (buffer and stored_position == stored_end):
                    with _translate_errors(self._context):
                        plaintext = decryptor.decrypt(number, buffer[:chunk_size])
                    del buffer[:chunk_size]
                    view = memoryview(plaintext)[max(0, start - position) : max(0, stop - position)]
                    number, position = number + 1, position + len(plaintext)
                    if view.nbytes:
                        yield view

    async def _read_preamble(self) -> None:
        stop = min(cipher.PREAMBLE_SIZE, self._stored_size)
        data = b"".join([bytes(piece) async for piece in self._reader.read(0, stop)])
        with _translate_errors(self._context):
            self._decryptor.read_preamble(data)


@contextmanager
def _translate_errors(context: ErrorContext) -> Iterator[None]:
    """Convert errors of the cipher to errors about an object."""
    try:
        yield
    except cipher.WrongKeyError:
        raise context.error(
            ObjectEncryptedError, f"{context} was encrypted with another key"
        ) from None
    except cipher.DecryptionError:
        raise context.error(
            TamperedError,
            f"{context} cannot be decrypted: its bytes were changed without its key",
        ) from None
