"""Read objects through a view with or without a key: what is encrypted is authenticated or refused.

With a key, the metadata is not trusted. The layout of an object comes from its header if the tag of
the header is valid, or else from the preamble and the last chunk in the object's bytes. The bytes
decide whether an object is encrypted: a client without the key can drop its header.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from typing import Protocol

from jetstow._core.bucket.encryption import (
    encrypted_error,
    identities,
    info_with_layout,
    layout_of,
    not_encrypted_error,
    tampered_error,
    translate_errors,
)
from jetstow._core.bucket.stream import Stream
from jetstow._core.protocol import cipher
from jetstow._core.protocol.cipher import Decryptor, Key, Layout
from jetstow._core.protocol.error_context import ErrorContext
from jetstow.models import ObjectInfo


class RangeSource(Protocol):
    """Reads ranges of one revision of an object."""

    info: ObjectInfo

    def read(self, start: int, stop: int) -> AsyncGenerator[memoryview, None]: ...


class WholeObject:
    """An object that is read from its first byte to its last.

    `info` describes the plaintext from the first yielded bytes on; its size is checked at the end.

    Raises: `ObjectEncryptedError` (the view has no key).
    """

    def __init__(self, view: Stream, context: ErrorContext, stored: ObjectInfo) -> None:
        self._view = view
        self._context = context
        self._stored = stored
        self._layout = None if stored.deleted else layout_of(view, stored)
        self.info = stored if self._layout is None else replace(stored, size=self._layout.size)
        # Whether `info` is exact before the first byte is read.
        self.has_size = self._layout is not None or view.key is None or stored.deleted
        self._is_plain_view = view.key is None and not view.is_as_stored
        if self._is_plain_view and stored.headers and stored.encrypted:
            raise encrypted_error(context)

    def decrypt(self, pieces: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
        """Return the plaintext; `pieces` are all stored bytes.

        Raises: `ObjectEncryptedError` (another key), `TamperedError` (the bytes are not those that
        were encrypted under the object's name).
        """
        key = self._view.key
        return pieces if key is None or self._stored.deleted else self._decrypt(key, pieces)

    @property
    def needs_decryption(self) -> bool:
        """Whether the stored bytes have to be passed through `decrypt`."""
        return self._view.key is not None and not self._stored.deleted

    def check_start(self, data: bytes) -> None:
        """Check the first bytes if the view has no key: the header may be lost.

        Raises: `ObjectEncryptedError`.
        """
        if self._is_plain_view and data[: len(cipher.MAGIC)] == cipher.MAGIC:
            raise encrypted_error(self._context)

    async def _decrypt(
        self, key: Key, pieces: AsyncGenerator[bytes, None]
    ) -> AsyncGenerator[bytes, None]:
        head = await _read_head(pieces)
        if not head.startswith(cipher.MAGIC):
            check_plain_allowed(self._view, self._context, self._stored)
            if head:
                yield bytes(head)
            async for piece in pieces:
                yield piece
            return
        decryptor = self._decryptor(key, bytes(head[: cipher.PREAMBLE_SIZE]))
        size, number, chunk_size = 0, 0, decryptor.chunk_size
        buffer: bytearray | bytes = head
        while True:
            # The nonce of the last chunk differs, so decrypt a chunk when more bytes follow.
            if len(buffer) > chunk_size:
                buffer = buffer if isinstance(buffer, bytearray) else bytearray(buffer)
                data: bytearray | bytes = buffer[:chunk_size]
                del buffer[:chunk_size]
            elif (following := await anext(pieces, None)) is None:
                break
            elif len(buffer) == chunk_size and following:  # the usual case, without a copy
                data, buffer = buffer, following
            else:
                buffer = buffer if isinstance(buffer, bytearray) else bytearray(buffer)
                buffer += following
                continue
            plaintext = self._decrypt_chunk(decryptor, number, data)
            number, size = number + 1, self._checked_size(size + len(plaintext))
            yield plaintext
        plaintext = self._decrypt_chunk(decryptor, number, buffer, last=True)
        self._finish(key, Layout(chunk_size, size + len(plaintext), decryptor.salt))
        if plaintext:
            yield plaintext

    def _decryptor(self, key: Key, preamble: bytes) -> Decryptor:
        """Return the decryptor of an object with this preamble, which must match the header."""
        layout = self._layout
        with translate_errors(self._context):
            decryptor = Decryptor.from_preamble(key, preamble)
            if layout is None:
                names = identities(self._view, self._stored.bucket, self._stored.name)
                decryptor.check_name(preamble, names)
            elif (layout.chunk_size, layout.salt) != (decryptor.chunk_size, decryptor.salt):
                raise cipher.DecryptionError
        if layout is None:
            size = cipher.plaintext_size(self._stored.size or 0, decryptor.chunk_size)
            stated = Layout(decryptor.chunk_size, size, decryptor.salt)
            self.info = info_with_layout(key, self._stored, stated)
        return decryptor

    def _decrypt_chunk(
        self, decryptor: Decryptor, number: int, data: bytes | bytearray, *, last: bool = False
    ) -> bytes:
        with translate_errors(self._context):
            return decryptor.decrypt(number, data, last=last)

    def _checked_size(self, size: int) -> int:
        """Return the bytes so far. Raise `TamperedError` if they exceed the header's size."""
        if self._layout is not None and size > self._layout.size:
            raise tampered_error(self._context)
        return size

    def _finish(self, key: Key, layout: Layout) -> None:
        """Compare the authenticated size with the header's, or set it."""
        if self._layout is None:
            self.info = info_with_layout(key, self._stored, layout)
        elif layout != self._layout:
            raise tampered_error(self._context)


async def _read_head(pieces: AsyncGenerator[bytes, None]) -> bytearray:
    """Return the first bytes: those of a preamble, or enough to see that there is none."""
    head = bytearray()
    async for piece in pieces:
        head += piece
        start = head[: len(cipher.MAGIC)]
        if len(head) >= cipher.PREAMBLE_SIZE or not cipher.MAGIC.startswith(start):
            break
    return head


def check_plain_allowed(view: Stream, context: ErrorContext, stored: ObjectInfo) -> None:
    """Check that a view with a key may return the bytes of an object without a preamble.

    Raises: `TamperedError` (a header marks it as encrypted, or the view does not allow it).
    """
    if stored.encrypted:
        raise tampered_error(context)
    if not view.allow_plain:
        raise not_encrypted_error(context)


async def decrypted_ranges(view: Stream, context: ErrorContext, reader: RangeSource) -> RangeSource:
    """Return a reader of the plaintext of an object; `reader` returns its stored bytes.

    `view` may be that of another bucket, whose link leads to the object.

    Raises: `ObjectEncryptedError`, `TamperedError`, and what the reader raises.
    """
    stored = reader.info
    if view.is_as_stored:
        return reader
    if view.key is None:
        if stored.encrypted:
            raise encrypted_error(context)
        return _PlainRanges(context, reader)
    layout = await read_layout(view, view.key, context, reader)
    if layout is None:
        check_plain_allowed(view, context, stored)
        return reader
    return DecryptedRanges(view.key, context, layout, reader)


async def read_layout(
    view: Stream, key: Key, context: ErrorContext, reader: RangeSource
) -> Layout | None:
    """Return the layout of an object; None if it is not encrypted.

    It is in the header, or else in the bytes: the last chunk authenticates the size.

    Raises: `ObjectEncryptedError` (another key), `TamperedError` (it does not belong to its name).
    """
    if (layout := layout_of(view, reader.info)) is not None:
        if layout.stored_size != (reader.info.size or 0):
            raise tampered_error(context)
        return layout
    stored_size = reader.info.size or 0
    preamble = await _read_all(reader, 0, min(cipher.PREAMBLE_SIZE, stored_size))
    if not preamble.startswith(cipher.MAGIC):
        return None
    with translate_errors(context):
        decryptor = Decryptor.from_preamble(key, preamble)
        decryptor.check_name(preamble, identities(view, reader.info.bucket, reader.info.name))
    number = (stored_size - 1) // decryptor.chunk_size
    last_chunk = await _read_all(reader, number * decryptor.chunk_size, stored_size)
    with translate_errors(context):
        decryptor.decrypt(number, last_chunk, last=True)
    size = cipher.plaintext_size(stored_size, decryptor.chunk_size)
    return Layout(decryptor.chunk_size, size, decryptor.salt)


async def _read_all(reader: RangeSource, start: int, stop: int) -> bytes:
    async with aclosing(reader.read(start, stop)) as pieces:
        return b"".join([bytes(piece) async for piece in pieces])


class _PlainRanges:
    """Ranges of an object without a header, for a view without a key."""

    def __init__(self, context: ErrorContext, reader: RangeSource) -> None:
        self.info = reader.info
        self._context = context
        self._reader = reader

    def read(self, start: int, stop: int) -> AsyncGenerator[memoryview, None]:
        pieces = self._reader.read(start, stop)
        return pieces if start else self._check_start(pieces)

    async def _check_start(
        self, pieces: AsyncGenerator[memoryview, None]
    ) -> AsyncGenerator[memoryview, None]:
        """Raise `ObjectEncryptedError` if the first bytes are a preamble: the header is lost."""
        is_first = True
        async with aclosing(pieces):
            async for piece in pieces:
                if is_first and bytes(piece[: len(cipher.MAGIC)]) == cipher.MAGIC:
                    raise encrypted_error(self._context)
                is_first = False
                yield piece


class DecryptedRanges:
    """Reads ranges of the plaintext of an encrypted object; every chunk is authenticated."""

    def __init__(
        self, key: Key, context: ErrorContext, layout: Layout, reader: RangeSource
    ) -> None:
        self.info = info_with_layout(key, reader.info, layout)
        self._context = context
        self._layout = layout
        self._decryptor = Decryptor(key, layout.chunk_size, layout.salt)
        self._reader = reader

    async def read(self, start: int, stop: int) -> AsyncGenerator[memoryview, None]:
        """Yield the bytes from `start` to `stop` (not included).

        A range of no bytes reads a chunk, too: an empty object is authenticated.

        Raises: `TamperedError`, and what the reader raises.
        """
        chunk_size, stored_end = self._layout.chunk_size, self._layout.stored_size
        number, position = cipher.chunk_at(start, chunk_size)
        last_number, _ = cipher.chunk_at(max(start, stop - 1), chunk_size)
        # The plaintext may end with a full chunk, and `start` be behind it.
        number = min(number, (stored_end - 1) // chunk_size)
        read_end = min(stored_end, (last_number + 1) * chunk_size)
        stored_position, buffer = number * chunk_size, bytearray()
        async with aclosing(self._reader.read(stored_position, read_end)) as pieces:
            async for piece in pieces:
                stored_position += piece.nbytes
                rest = piece
                if buffer:
                    buffer += piece
                    if len(buffer) < chunk_size and stored_position < read_end:
                        continue
                    rest, buffer = memoryview(buffer), bytearray()
                while rest.nbytes >= chunk_size or (rest.nbytes and stored_position == read_end):
                    data, rest = rest[:chunk_size], rest[chunk_size:]
                    is_last = stored_position - rest.nbytes == stored_end
                    with translate_errors(self._context):
                        plaintext = self._decryptor.decrypt(number, data, last=is_last)
                    view = memoryview(plaintext)[max(0, start - position) : max(0, stop - position)]
                    number, position = number + 1, position + len(plaintext)
                    if view.nbytes:
                        yield view
                buffer += rest
        if stored_position != read_end:
            raise tampered_error(self._context)
