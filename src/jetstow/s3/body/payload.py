"""The decoded body of a request, verified against what the request declares when it ends."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

from jetstow.s3.auth.authenticate import STREAMING, Identity
from jetstow.s3.body.aws_chunked import AwsChunkedDecoder
from jetstow.s3.body.checksums import Algorithm, Checksum, Sum, encode_base64
from jetstow.s3.body.declared import Declared, parse_declared
from jetstow.s3.body.raw import RawBody
from jetstow.s3.body.summing import summing
from jetstow.s3.errors import S3Error
from jetstow.s3.request import Request

# Bodies from this size on are summed in a thread: MD5 takes 0.4 ms for it, and the event loop
# serves other requests while it runs.
_THREAD_SIZE: Final = 256 * 1024

# The body of a request that is not an object. Complete of 10,000 parts with checksums has 2 MiB.
MAX_DOCUMENT: Final = 4 * 1024 * 1024


class Payload:
    """The bytes that a request carries. Read `pieces` once; their end verifies them.

    `size` is the declared size; None if it is not known. After the end, `etag` (the MD5 in
    hexadecimal), `checksum` and `received` describe what was read. An operation that stores the
    bytes commits them only after the end.
    """

    def __init__(self, request: Request, identity: Identity, raw: RawBody) -> None:
        self.raw = raw
        self.received = 0
        self.etag = ""
        self.checksum: Checksum | None = None
        self._request = request
        self._declared = declared = parse_declared(request, identity, raw)
        self._decoder: AwsChunkedDecoder | None = None
        if declared.is_aws_chunked:
            self._decoder = AwsChunkedDecoder(
                identity.chunk_signer, has_trailer=_may_have_trailer(identity)
            )
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._sum = declared.algorithm.new()
        self._sha256 = None if declared.sha256 is None else hashlib.sha256()
        self._sums: list[Sum] = [self._md5, self._sum]
        self._added: dict[str, Sum] = {}
        if self._sha256 is not None:
            self._sums.append(self._sha256)

    def add_sum(self, algorithm: Algorithm) -> None:
        """Compute a sum besides the declared one. Call this before the iteration."""
        if algorithm is not self._declared.algorithm:
            self._added[algorithm.name] = algorithm.new()
            self._sums.append(self._added[algorithm.name])

    def sum_of(self, algorithm: Algorithm) -> str:
        """Return the declared or an added sum in base64, after the end of the iteration."""
        return encode_base64(self._added.get(algorithm.name, self._sum).digest())

    @property
    def declared_algorithm(self) -> Algorithm | None:
        """The algorithm of the checksum that the request has or asks for, or None."""
        return self._declared.algorithm if self._declared.is_chosen else None

    @property
    def size(self) -> int | None:
        """The declared size of the decoded body; None if the client did not declare it."""
        return self._declared.size

    @property
    def is_protected(self) -> bool:
        """Whether the client declared a sum of the body, so that a damaged one is refused."""
        declared = self._declared
        has_checksum = declared.checksum is not None or declared.in_trailer
        return has_checksum or declared.md5 is not None or declared.sha256 is not None

    def require_length(self) -> None:
        """Raise MissingContentLength if the request has neither a length nor chunks."""
        if not (self.raw.has_length or self.raw.chunked):
            raise S3Error("MissingContentLength")

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """Yield the bytes. Close the generator if it is not read to its end."""
        if self.size is not None and self.size < _THREAD_SIZE:
            async for piece in self._decoded():
                self._update(piece)
                yield piece
        else:
            async with aclosing(summing(self._decoded(), self._update)) as blocks:
                async for block in blocks:
                    yield block
        self._verify()

    async def read_document(self, limit: int = MAX_DOCUMENT) -> bytes:
        """Return all of the body. Raises: `S3Error` (MaxMessageLengthExceeded)."""
        if (self.size or 0) > limit:
            raise S3Error("MaxMessageLengthExceeded", MaxMessageLengthBytes=limit)
        data = bytearray()
        async with aclosing(self.pieces()) as pieces:
            async for piece in pieces:
                data += piece
                if len(data) > limit:
                    raise S3Error("MaxMessageLengthExceeded", MaxMessageLengthBytes=limit)
        return bytes(data)

    async def _decoded(self) -> AsyncGenerator[bytes, None]:
        size, decoder = self.size, self._decoder
        async for raw in self.raw:
            for piece in (raw,) if decoder is None else decoder.feed(raw):
                self.received += len(piece)
                if size is not None and self.received > size:
                    raise S3Error("IncompleteBody")
                yield piece
        if decoder is not None:
            decoder.finish()
        if size is not None and self.received != size:
            raise S3Error("IncompleteBody")

    def _update(self, piece: bytes) -> None:
        for each in self._sums:
            each.update(piece)

    def _verify(self) -> None:
        declared, algorithm = self._declared, self._declared.algorithm
        if self._sha256 is not None and self._sha256.digest() != declared.sha256:
            raise S3Error(
                "XAmzContentSHA256Mismatch",
                ClientComputedContentSHA256=(declared.sha256 or b"").hex(),
                S3ComputedContentSHA256=self._sha256.hexdigest(),
            )
        md5, digest = self._md5.digest(), self._sum.digest()
        if declared.md5 is not None and md5 != declared.md5:
            raise S3Error(
                "BadDigest", "The Content-MD5 you specified did not match what we received.",
                ExpectedDigest=declared.md5.hex(), CalculatedDigest=md5.hex(),
            )  # fmt: skip
        expected = declared.checksum
        if declared.in_trailer:
            expected = self._trailer_checksum(declared)
        if expected is not None and digest != expected:
            message = f"The {algorithm.name} you specified did not match the calculated checksum."
            raise S3Error("BadDigest", message)
        self.etag = md5.hex()
        self.checksum = Checksum(algorithm.name, encode_base64(digest))

    def _trailer_checksum(self, declared: Declared) -> bytes:
        header = declared.algorithm.header
        value = None if self._decoder is None else self._decoder.trailers.get(header)
        if value is None:
            raise S3Error("MalformedTrailerError", f"The trailer {header} is missing.")
        checksum = declared.algorithm.decode(value)
        if checksum is None:
            raise S3Error("InvalidRequest", f"Value for {header} trailing header is invalid.")
        return checksum


def _may_have_trailer(identity: Identity) -> bool:
    return identity.payload_hash in STREAMING and identity.payload_hash.endswith("-TRAILER")
