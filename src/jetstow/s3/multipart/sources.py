"""Where the bytes of a part come from: the body of a request, or another object."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from typing import Protocol

from jetstow._core.aio.worker import Worker
from jetstow.s3.body.checksums import Algorithm, Sum, encode_base64
from jetstow.s3.body.payload import Payload
from jetstow.s3.multipart.model import Part, now


class PartSource(Protocol):
    """The bytes of a part. Iterate once; then `part` describes what was read."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...

    def part(self, number: int) -> Part:
        """Return the part, without the place where it is stored."""


class BodySource:
    """The body of UploadPart. `algorithm` is that of the object's checksum."""

    def __init__(self, payload: Payload, algorithm: Algorithm) -> None:
        self._payload = payload
        self._algorithm = algorithm
        payload.add_sum(algorithm)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return aiter(self._payload)

    def part(self, number: int) -> Part:
        """Return the part."""
        payload = self._payload
        sums = {self._algorithm.name: payload.sum_of(self._algorithm)}
        if payload.checksum is not None:
            sums[payload.checksum.algorithm] = payload.checksum.value
        return Part(number, payload.received, payload.etag, now(), sums)


class SpoolSource:
    """A part that is in the spool."""

    def __init__(self, part: Part, pieces: AsyncIterator[bytes]) -> None:
        self._part = part
        self._pieces = pieces

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._pieces

    def part(self, number: int) -> Part:  # noqa: ARG002 - it has its number
        """Return the part."""
        return self._part.in_spool("")


class CopySource:
    """The bytes of another object, summed in a thread."""

    def __init__(self, pieces: AsyncIterator[bytes], algorithm: Algorithm) -> None:
        self._pieces = pieces
        self._algorithm = algorithm
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._sum: Sum = algorithm.new()
        self._size = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async with Worker[None]() as worker:
            async for piece in self._pieces:
                await worker.start(self._update, piece)
                self._size += len(piece)
                yield piece
            await worker.result()

    def part(self, number: int) -> Part:
        """Return the part."""
        sums = {self._algorithm.name: encode_base64(self._sum.digest())}
        return Part(number, self._size, self._md5.hexdigest(), now(), sums)

    def _update(self, piece: bytes) -> None:
        self._md5.update(piece)
        self._sum.update(piece)
