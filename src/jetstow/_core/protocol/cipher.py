"""Encryption of objects under a user's key: the format of the stored bytes.

    chunk 0      preamble (64 bytes), then the first plaintext, encrypted
    chunk 1...   the next plaintext, encrypted

Each chunk is encrypted with AES-256-GCM under a key of its object. HKDF-SHA-256 derives that key
from the user's key and a random salt, which the preamble contains. The nonce is the number of the
chunk and a flag for the last one. The preamble is the associated data of every chunk. So a chunk
that was changed, moved, repeated or cut off fails authentication. HKDF also derives a check value,
which detects a wrong key before any chunk is decrypted.

For a client without the key, the object is the encrypted bytes: its metadata has their size and
digest.
"""

from __future__ import annotations

import hmac
import secrets
import struct
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from jetstow.errors import InvalidOptionError

if TYPE_CHECKING:
    from typing_extensions import Buffer

ALGORITHM: Final = "AES-256-GCM"

KEY_SIZE: Final = 32

# In smaller chunks, the authentication tags take too large a part.
MIN_CHUNK_SIZE: Final = 1024

# The server's largest `max_payload`. The preamble is not authenticated before the first chunk is
# complete: without this limit, a forged one could make readers buffer any number of bytes.
_MAX_CHUNK_SIZE: Final = 64 * 1024 * 1024

_MAGIC: Final = b"jetstow-sealed-1"
_PREAMBLE: Final = struct.Struct(f">{len(_MAGIC)}sQ24s16s")  # magic, chunk size, salt, check value
PREAMBLE_SIZE: Final = _PREAMBLE.size
_TAG_SIZE: Final = 16


class WrongKeyError(Exception):
    """The object was encrypted with a different key."""


class DecryptionError(Exception):
    """The bytes are not those that were encrypted."""


class Key:
    """A user's key. It cannot be pickled, and its `repr` hides it."""

    def __init__(self, secret: Buffer) -> None:
        if isinstance(secret, str) or memoryview(secret).nbytes != KEY_SIZE:
            raise InvalidOptionError(
                f"an encryption key must have {KEY_SIZE} bytes, such as "
                f"secrets.token_bytes({KEY_SIZE}) returns; store it like a password"
            )
        _aead()
        self._secret = bytes(secret)

    def __repr__(self) -> str:
        return "<key>"

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("an encryption key cannot be pickled: pass its bytes in another way")

    def derive(self, salt: bytes) -> tuple[bytes, bytes]:
        """Return the key of an object, and the check value that identifies the user's key."""
        from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415 - an extra
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF  # noqa: PLC0415

        derived = HKDF(SHA256(), KEY_SIZE + 16, salt, b"jetstow object key").derive(self._secret)
        return derived[:KEY_SIZE], derived[KEY_SIZE:]


def _aead() -> Any:
    try:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415
    except ImportError:
        raise InvalidOptionError(
            "encryption needs the package cryptography: pip install 'jetstow[encryption]'"
        ) from None
    return AESGCM


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + (b"\1" if last else b"\0")


def plaintext_size(size: int, chunk_size: int) -> int:
    """Return the size of the plaintext of an object with `size` stored bytes."""
    return max(0, size - _PREAMBLE.size - _TAG_SIZE * max(1, -(-size // chunk_size)))


def chunk_at(offset: int, chunk_size: int) -> tuple[int, int]:
    """Return the number of the chunk that contains an offset of the plaintext, and its offset."""
    first = chunk_size - _PREAMBLE.size - _TAG_SIZE
    if offset < first:
        return 0, 0
    number = 1 + (offset - first) // (chunk_size - _TAG_SIZE)
    return number, first + (number - 1) * (chunk_size - _TAG_SIZE)


class Encryptor:
    """Encrypts one object to chunks of `chunk_size` bytes; the last one may be shorter."""

    def __init__(self, key: Key, chunk_size: int) -> None:
        salt = secrets.token_bytes(24)
        object_key, check = key.derive(salt)
        self._preamble = _PREAMBLE.pack(_MAGIC, chunk_size, salt, check)
        self._cipher = _aead()(object_key)
        self._chunk_size = chunk_size
        self._number = 0
        self._buffer = bytearray()

    def update(self, data: Buffer) -> Iterator[bytes]:
        """Add plaintext, and yield the chunks that are full. `finalize` returns the last one."""
        self._buffer += data
        while len(self._buffer) > (size := self._capacity()):
            plaintext, self._buffer = bytes(self._buffer[:size]), self._buffer[size:]
            yield self._encrypt(plaintext, last=False)

    def finalize(self) -> bytes:
        """Return the last chunk."""
        return self._encrypt(bytes(self._buffer), last=True)

    def _capacity(self) -> int:
        """Return the size of the plaintext in the next chunk."""
        return self._chunk_size - _TAG_SIZE - (0 if self._number else _PREAMBLE.size)

    def _encrypt(self, plaintext: bytes, *, last: bool) -> bytes:
        nonce = _nonce(self._number, last=last)
        chunk: bytes = self._cipher.encrypt(nonce, plaintext, self._preamble)
        self._number += 1
        return chunk if self._number > 1 else self._preamble + chunk


class Decryptor:
    """Decrypts the chunks of an object with `size` stored bytes, in any order.

    `chunk_size` is 0 until `read_preamble` was called, which must come first.
    """

    def __init__(self, key: Key, size: int) -> None:
        self._key = key
        self._size = size
        self.chunk_size = 0

    def read_preamble(self, data: bytes) -> None:
        """Parse the first 64 bytes of the object.

        Raises: `WrongKeyError`, `DecryptionError` (they are not a preamble).
        """
        if len(data) < _PREAMBLE.size:
            raise DecryptionError
        self._preamble = data[: _PREAMBLE.size]
        magic, self.chunk_size, salt, check = _PREAMBLE.unpack(self._preamble)
        if magic != _MAGIC or not MIN_CHUNK_SIZE <= self.chunk_size <= _MAX_CHUNK_SIZE:
            raise DecryptionError
        object_key, expected = self._key.derive(salt)
        if not hmac.compare_digest(check, expected):
            raise WrongKeyError
        self._cipher = _aead()(object_key)

    def decrypt(self, number: int, chunk: Buffer) -> bytes:
        """Return the plaintext of a chunk.

        Raises: `DecryptionError` (the chunk fails authentication).
        """
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - an extra

        view = memoryview(chunk)
        last = number * self.chunk_size + view.nbytes == self._size
        ciphertext = view if number else view[_PREAMBLE.size :]
        nonce = _nonce(number, last=last)
        try:
            plaintext: bytes = self._cipher.decrypt(nonce, ciphertext, self._preamble)
        except (InvalidTag, ValueError):
            raise DecryptionError from None
        return plaintext
