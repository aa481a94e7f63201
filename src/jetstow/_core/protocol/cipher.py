"""Encryption of objects under a user's key: the format of the stored bytes.

    chunk 0      preamble (80 bytes), then the first plaintext, encrypted
    chunk 1...   the next plaintext, encrypted

Each chunk is encrypted with AES-256-GCM under a key of its object. HKDF-SHA-256 derives that key
from the user's key and a random salt, which the preamble contains. The nonce is the number of the
chunk and a flag for the last one. The start of the preamble is the associated data of every chunk.
So a chunk that was changed, moved, repeated or cut off fails authentication, and the last chunk
authenticates the size. HKDF also derives a check value, which detects a wrong key before any chunk
is decrypted. The preamble ends with a tag of the bucket and the name.

For a client without the key, the object is the encrypted bytes: its metadata has their size and
digest.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from jetstow.errors import InvalidOptionError

if TYPE_CHECKING:
    from typing_extensions import Buffer

ALGORITHM: Final = "AES-256-GCM"

KEY_SIZE: Final = 32

# In smaller chunks, the authentication tags take too large a part.
MIN_CHUNK_SIZE: Final = 1024

# The server's largest `max_payload`. The preamble is not authenticated before the first chunk is
# complete: without this limit, a forged one could make readers buffer any number of bytes.
MAX_CHUNK_SIZE: Final = 64 * 1024 * 1024

MAGIC: Final = b"jetstow-sealed-1"
_HEAD: Final = struct.Struct(f">{len(MAGIC)}sQ24s16s")  # magic, chunk size, salt, check value
_NAME_TAG_SIZE: Final = 16
PREAMBLE_SIZE: Final = _HEAD.size + _NAME_TAG_SIZE
_TAG_SIZE: Final = 16
SALT_SIZE: Final = 24
SIGNATURE_SIZE: Final = 24


class WrongKeyError(Exception):
    """The object was encrypted with a different key."""


class WrongNameError(Exception):
    """The object was encrypted under another name, or in another bucket."""


class DecryptionError(Exception):
    """The bytes are not those that were encrypted."""


class Identity(NamedTuple):
    """The bucket and the name that an object belongs to."""

    bucket: str
    name: str

    def encode(self) -> tuple[bytes, bytes]:
        return self.bucket.encode(), self.name.encode("utf-8", "surrogatepass")


@dataclass(frozen=True, slots=True)
class Layout:
    """How an object is encrypted. `size` is that of the plaintext."""

    chunk_size: int
    size: int
    salt: bytes

    @property
    def stored_size(self) -> int:
        """The number of encrypted bytes."""
        number, _ = chunk_at(max(0, self.size - 1), self.chunk_size)
        return self.size + PREAMBLE_SIZE + _TAG_SIZE * (number + 1)


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
        self._signing_key = self._hkdf(32, b"", b"jetstow metadata key")

    def __repr__(self) -> str:
        return "<key>"

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("an encryption key cannot be pickled: pass its bytes in another way")

    def derive(self, salt: bytes) -> tuple[bytes, bytes]:
        """Return the key of an object, and the check value that identifies the user's key."""
        derived = self._hkdf(KEY_SIZE + 16, salt, b"jetstow object key")
        return derived[:KEY_SIZE], derived[KEY_SIZE:]

    def sign(self, purpose: bytes, *parts: bytes) -> bytes:
        """Return a signature of some bytes for a purpose, which only the key can make."""
        message = b"".join([len(part).to_bytes(4, "big") + part for part in (purpose, *parts)])
        return hmac.digest(self._signing_key, message, hashlib.sha256)[:SIGNATURE_SIZE]

    def is_signed(self, signature: bytes, purpose: bytes, *parts: bytes) -> bool:
        """Return whether `sign` returned the signature for the same arguments."""
        return hmac.compare_digest(signature, self.sign(purpose, *parts))

    def _hkdf(self, size: int, salt: bytes, info: bytes) -> bytes:
        from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415 - an extra
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF  # noqa: PLC0415

        return HKDF(SHA256(), size, salt, info).derive(self._secret)


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


def _name_tag(key: Key, head: bytes, identity: Identity) -> bytes:
    return key.sign(b"name", head, *identity.encode())[:_NAME_TAG_SIZE]


def plaintext_size(size: int, chunk_size: int) -> int:
    """Return the size of the plaintext of an object with `size` stored bytes."""
    return max(0, size - PREAMBLE_SIZE - _TAG_SIZE * max(1, -(-size // chunk_size)))


def chunk_at(offset: int, chunk_size: int) -> tuple[int, int]:
    """Return the number of the chunk that contains an offset of the plaintext, and its offset."""
    first = chunk_size - PREAMBLE_SIZE - _TAG_SIZE
    if offset < first:
        return 0, 0
    number = 1 + (offset - first) // (chunk_size - _TAG_SIZE)
    return number, first + (number - 1) * (chunk_size - _TAG_SIZE)


class Encryptor:
    """Encrypts one object to chunks of `chunk_size` bytes; the last one may be shorter."""

    def __init__(self, key: Key, chunk_size: int, identity: Identity) -> None:
        self._salt = secrets.token_bytes(SALT_SIZE)
        object_key, check = key.derive(self._salt)
        self._head = _HEAD.pack(MAGIC, chunk_size, self._salt, check)
        self._preamble = self._head + _name_tag(key, self._head, identity)
        self._cipher = _aead()(object_key)
        self._chunk_size = chunk_size
        self._number = 0
        self._size = 0
        self._buffer = bytearray()

    @property
    def layout(self) -> Layout:
        """The layout of what was encrypted so far."""
        return Layout(self._chunk_size, self._size, self._salt)

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
        return self._chunk_size - _TAG_SIZE - (0 if self._number else PREAMBLE_SIZE)

    def _encrypt(self, plaintext: bytes, *, last: bool) -> bytes:
        nonce = _nonce(self._number, last=last)
        chunk: bytes = self._cipher.encrypt(nonce, plaintext, self._head)
        self._number += 1
        self._size += len(plaintext)
        return chunk if self._number > 1 else self._preamble + chunk


class Decryptor:
    """Decrypts the chunks of an object, in any order."""

    def __init__(self, key: Key, chunk_size: int, salt: bytes) -> None:
        self.chunk_size = chunk_size
        self.salt = salt
        object_key, self._check = key.derive(salt)
        self._head = _HEAD.pack(MAGIC, chunk_size, salt, self._check)
        self._key = key
        self._cipher = _aead()(object_key)

    @classmethod
    def from_preamble(cls, key: Key, data: bytes) -> Decryptor:
        """Return a decryptor with the parameters in the first bytes of the object.

        Raises: `WrongKeyError`, `DecryptionError` (they are not a preamble).
        """
        if len(data) < PREAMBLE_SIZE:
            raise DecryptionError
        magic, chunk_size, salt, check = _HEAD.unpack(data[: _HEAD.size])
        if magic != MAGIC or not MIN_CHUNK_SIZE <= chunk_size <= MAX_CHUNK_SIZE:
            raise DecryptionError
        decryptor = cls(key, chunk_size, salt)
        if not hmac.compare_digest(check, decryptor._check):
            raise WrongKeyError
        return decryptor

    def check_name(self, preamble: bytes, identities: Iterable[Identity]) -> None:
        """Check that the object was encrypted as one of the identities.

        Raises: `WrongNameError`.
        """
        tag = preamble[_HEAD.size : PREAMBLE_SIZE]
        for identity in identities:
            if hmac.compare_digest(tag, _name_tag(self._key, self._head, identity)):
                return
        raise WrongNameError

    def decrypt(self, number: int, chunk: Buffer, *, last: bool) -> bytes:
        """Return the plaintext of a chunk. `last` is whether the object has to end with it.

        Raises: `DecryptionError` (the chunk fails authentication).
        """
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - an extra

        view = memoryview(chunk)
        ciphertext = view if number else view[PREAMBLE_SIZE:]
        try:
            plaintext: bytes = self._cipher.decrypt(
                _nonce(number, last=last), ciphertext, self._head
            )
        except (InvalidTag, ValueError):
            raise DecryptionError from None
        return plaintext
