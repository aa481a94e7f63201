"""Objects under a key of their user's: how their bytes look, and how they are made and read.

    chunk 0      prelude (64 bytes), then the first plain bytes, sealed
    chunk 1...   the next plain bytes, sealed

Each chunk is sealed by AES-256-GCM under a key that belongs to this object alone: HKDF-SHA-256
makes it of the user's key and a random salt, which the prelude carries. The nonce is the
chunk's number, and whether it is the last one; the prelude is authenticated with every chunk.
So a chunk that is changed, exchanged, repeated or missing at the end is found. The same HKDF
gives a check value, which tells another key before any chunk is opened.

To everybody else the object is those bytes, of which the metadata has size and digest.
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

MARK: Final = "AES-256-GCM"

KEY_SIZE: Final = 32

# Smaller chunks would be seals for the most part; larger ones no server takes, and whoever can
# write a prelude but no seal could have readers wait for one.
SMALLEST: Final = 1024
_LARGEST: Final = 64 * 1024 * 1024

_MAGIC: Final = b"jetstow-sealed-1"
_PRELUDE: Final = struct.Struct(f">{len(_MAGIC)}sQ24s16s")
_SEAL: Final = 16


class WrongKeyError(Exception):
    """The object was sealed with another key."""


class BrokenSealError(Exception):
    """These are not the bytes that were sealed."""


class Key:
    """A user's key. It never leaves this process, nor shows in a `repr`."""

    def __init__(self, secret: Buffer) -> None:
        if isinstance(secret, str) or memoryview(secret).nbytes != KEY_SIZE:
            raise InvalidOptionError(
                f"an encryption key has {KEY_SIZE} bytes, such as secrets.token_bytes({KEY_SIZE}) "
                "gives; keep it where you keep passwords"
            )
        _aead()
        self._secret = bytes(secret)

    def __repr__(self) -> str:
        return "<key>"

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("an encryption key is not to be pickled: hand it over by other means")

    def derive(self, salt: bytes) -> tuple[bytes, bytes]:
        """One object's key, and the value by which the right user's key is known."""
        from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415 - an extra
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF  # noqa: PLC0415

        made = HKDF(SHA256(), KEY_SIZE + 16, salt, b"jetstow object key").derive(self._secret)
        return made[:KEY_SIZE], made[KEY_SIZE:]


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


def plain_size(size: int, chunk: int) -> int:
    """How many bytes were sealed, where that makes `size` bytes in chunks of `chunk`."""
    return max(0, size - _PRELUDE.size - _SEAL * max(1, -(-size // chunk)))


def chunk_of(offset: int, chunk: int) -> tuple[int, int]:
    """The chunk that holds a plain byte, and the offset of that chunk's first plain byte."""
    first = chunk - _PRELUDE.size - _SEAL
    if offset < first:
        return 0, 0
    number = 1 + (offset - first) // (chunk - _SEAL)
    return number, first + (number - 1) * (chunk - _SEAL)


class Sealer:
    """Seals one object: plain bytes in, chunks of `chunk` bytes out, the last one shorter."""

    def __init__(self, key: Key, chunk: int) -> None:
        salt = secrets.token_bytes(24)
        secret, check = key.derive(salt)
        self._prelude = _PRELUDE.pack(_MAGIC, chunk, salt, check)
        self._cipher = _aead()(secret)
        self._chunk = chunk
        self._number = 0
        self._rest = bytearray()

    def add(self, data: Buffer) -> Iterator[bytes]:
        """Take the next plain bytes. The last chunk waits for `finish`, which knows it is."""
        self._rest += data
        while len(self._rest) > (room := self._room()):
            plain, self._rest = bytes(self._rest[:room]), self._rest[room:]
            yield self._seal(plain, last=False)

    def finish(self) -> bytes:
        """The last chunk."""
        return self._seal(bytes(self._rest), last=True)

    def _room(self) -> int:
        return self._chunk - _SEAL - (0 if self._number else _PRELUDE.size)

    def _seal(self, plain: bytes, *, last: bool) -> bytes:
        sealed: bytes = self._cipher.encrypt(_nonce(self._number, last=last), plain, self._prelude)
        self._number += 1
        return sealed if self._number > 1 else self._prelude + sealed


class Opener:
    """Opens one object's chunks, from any one on, once `begin` has seen the prelude."""

    def __init__(self, key: Key, size: int) -> None:
        self._key = key
        self._size = size
        self.chunk = 0

    def begin(self, head: bytes) -> None:
        """Read the prelude: the first 64 bytes. Raises `WrongKeyError`, `BrokenSealError`."""
        if len(head) < _PRELUDE.size:
            raise BrokenSealError
        self._prelude = head[: _PRELUDE.size]
        magic, self.chunk, salt, check = _PRELUDE.unpack(self._prelude)
        if magic != _MAGIC or not SMALLEST <= self.chunk <= _LARGEST:
            raise BrokenSealError
        secret, expected = self._key.derive(salt)
        if not hmac.compare_digest(check, expected):
            raise WrongKeyError
        self._cipher = _aead()(secret)

    def open(self, number: int, sealed: Buffer) -> bytes:
        """The plain bytes of a chunk. Raises `BrokenSealError`."""
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - an extra

        view = memoryview(sealed)
        last = number * self.chunk + view.nbytes == self._size
        body = view if number else view[_PRELUDE.size :]
        try:
            opened: bytes = self._cipher.decrypt(_nonce(number, last=last), body, self._prelude)
        except (InvalidTag, ValueError):
            raise BrokenSealError from None
        return opened


PRELUDE_SIZE: Final = _PRELUDE.size
