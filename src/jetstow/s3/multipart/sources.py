"""Where the bytes of a part come from: the body of a request, or another object."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator
from typing import Protocol

from jetstow.s3.body.checksums import Algorithm, Sum, encode_base64
from jetstow.s3.body.payload import Payload
from jetstow.s3.body.summing import summing
from jetstow.s3.multipart.model import Part, now


class PartSource(Protocol):
    """The bytes of a part. Read `pieces` once; then `part` describes what was read."""

    def pieces(self) -> AsyncGenerator[bytes, None]:
        """Yield the bytes. Close the generator if it is not read to its end."""

    def part(self, number: int) -> Part:
        """Return the part, without the place where it is stored."""


class BodySource:
    """The body of UploadPart. `algorithm` is that of the object's checksum."""

    def __init__(self, payload: Payload, algorithm: Algorithm) -> None:
        self._payload = payload
        self._algorithm = algorithm
        payload.add_sum(algorithm)

    def pieces(self) -> AsyncGenerator[bytes, None]:
        """Return the bytes of the body."""
        return self._payload.pieces()

    def part(self, number: int) -> Part:
        """Return the part."""
        payload = self._payload
        sums = {self._algorithm.name: payload.sum_of(self._algorithm)}
        if payload.checksum is not None:
            sums[payload.checksum.algorithm] = payload.checksum.value
        return Part(number, payload.received, payload.etag, now(), sums)


class SpoolSource:
    """A part that is in the spool."""

    def __init__(self, part: Part, pieces: AsyncGenerator[bytes, None]) -> None:
        self._part = part
        self._pieces = pieces

    def pieces(self) -> AsyncGenerator[bytes, None]:
        """Return the bytes in the spool."""
        return self._pieces

    def part(self, number: int) -> Part:  # noqa: ARG002 - it has its number
        """Return the part."""
        return self._part.in_spool("")


class CopySource:
    """The bytes of another object, summed in a thread."""

    def __init__(self, pieces: AsyncGenerator[bytes, None], algorithm: Algorithm) -> None:
        self._pieces = pieces
        self._algorithm = algorithm
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._sum: Sum = algorithm.new()
        self._size = 0

    def pieces(self) -> AsyncGenerator[bytes, None]:
        """Return the bytes that are copied."""
        return summing(self._pieces, self._update)

    def part(self, number: int) -> Part:
        """Return the part."""
        sums = {self._algorithm.name: encode_base64(self._sum.digest())}
        return Part(number, self._size, self._md5.hexdigest(), now(), sums)

    def _update(self, piece: bytes) -> None:
        self._size += len(piece)
        self._md5.update(piece)
        self._sum.update(piece)
