"""The checksums of S3: algorithms, header names, base64 values, and sums of parts."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from awscrt import checksums as crt

from jetstow.s3.xml.writing import text

if TYPE_CHECKING:
    from typing_extensions import Buffer

HEADER_PREFIX: Final = "x-amz-checksum-"
DEFAULT_ALGORITHM: Final = "CRC64NVME"


class Sum(Protocol):
    """A running sum."""

    def update(self, data: Any, /) -> object:
        """Add bytes."""

    def digest(self) -> bytes:
        """Return the sum so far."""


class _Crc:
    """A CRC with the interface of hashlib."""

    def __init__(self, function: Callable[[Any, int], int], size: int) -> None:
        self._function, self._size, self._value = function, size, 0

    def update(self, data: Buffer) -> None:
        self._value = self._function(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(self._size, "big")


class _XXHash:
    """A hash of the XXHash family with the interface of hashlib."""

    def __init__(self, state: Any) -> None:
        self._state = state

    def update(self, data: Buffer) -> None:
        self._state.update(data)

    def digest(self) -> bytes:
        return bytes(self._state.finalize())


@dataclass(frozen=True, slots=True)
class Algorithm:
    """A checksum algorithm. `combine` joins the sums of two parts: (first, second, second's size).

    Only CRCs have it: their sum of a multipart object can be that of all its bytes (FULL_OBJECT).
    """

    name: str
    size: int
    new: Callable[[], Sum]
    combine: Callable[[int, int, int], int] | None = None

    @property
    def header(self) -> str:
        """The name of the header, and of the trailer."""
        return HEADER_PREFIX + self.name.lower()

    @property
    def element(self) -> str:
        """The name of the element in XML."""
        return f"Checksum{self.name}"

    def decode(self, value: str) -> bytes | None:
        """Return the sum in base64 as bytes; None if it is not one of this algorithm."""
        return decode_base64(value, self.size)


ALGORITHMS: Final = {
    algorithm.name: algorithm
    for algorithm in (
        Algorithm("CRC32", 4, lambda: _Crc(crt.crc32, 4), crt.combine_crc32),
        Algorithm("CRC32C", 4, lambda: _Crc(crt.crc32c, 4), crt.combine_crc32c),
        Algorithm("CRC64NVME", 8, lambda: _Crc(crt.crc64nvme, 8), crt.combine_crc64nvme),
        Algorithm("SHA1", 20, lambda: hashlib.sha1(usedforsecurity=False)),
        Algorithm("SHA256", 32, hashlib.sha256),
        Algorithm("SHA512", 64, hashlib.sha512),
        Algorithm("MD5", 16, lambda: hashlib.md5(usedforsecurity=False)),
        Algorithm("XXHASH64", 8, lambda: _XXHash(crt.XXHash.new_xxhash64())),
        Algorithm("XXHASH3", 8, lambda: _XXHash(crt.XXHash.new_xxhash3_64())),
        Algorithm("XXHASH128", 16, lambda: _XXHash(crt.XXHash.new_xxhash3_128())),
    )
}
BY_HEADER: Final = {algorithm.header: algorithm for algorithm in ALGORITHMS.values()}


@dataclass(frozen=True, slots=True)
class Checksum:
    """A sum of an object or a part. `kind` is FULL_OBJECT or COMPOSITE (a sum of parts' sums)."""

    algorithm: str
    value: str
    kind: str = "FULL_OBJECT"

    @property
    def headers(self) -> dict[str, str]:
        """The headers that return it."""
        algorithm = ALGORITHMS[self.algorithm]
        return {algorithm.header: self.value, "x-amz-checksum-type": self.kind}

    @property
    def element(self) -> str:
        """The element that returns its value in XML."""
        return text(ALGORITHMS[self.algorithm].element, self.value)

    @property
    def elements(self) -> str:
        """The elements that return it in XML, with its type."""
        return self.element + text("ChecksumType", self.kind)

    def __str__(self) -> str:
        return f"{self.algorithm}:{self.kind}:{self.value}"

    @classmethod
    def parse(cls, text: str) -> Checksum | None:
        """Return the checksum of its text form, or None."""
        name, _, rest = text.partition(":")
        kind, _, value = rest.partition(":")
        if name not in ALGORITHMS or kind not in ("FULL_OBJECT", "COMPOSITE") or not value:
            return None
        return cls(name, value, kind)


def encode_base64(digest: bytes) -> str:
    """Return a sum as headers have it."""
    return base64.b64encode(digest).decode()


def decode_base64(value: str, size: int) -> bytes | None:
    """Return the bytes of a sum in base64; None if it is not valid or has another size."""
    try:
        digest = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return None
    return digest if len(digest) == size else None
