"""The decoder of `aws-chunked` bodies: chunks with or without signatures, trailers. Without I/O.

SIZE[;chunk-signature=SIGNATURE]\\r\\n BYTES \\r\\n ... 0[;chunk-signature=...]\\r\\n
[NAME:VALUE\\r\\n ... [x-amz-trailer-signature:SIGNATURE\\r\\n]] \\r\\n
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Generator, Iterator
from typing import Final

from jetstow.s3.auth.signature import ChunkSigner
from jetstow.s3.errors import S3Error

# A line is a size with a signature, or a trailer.
MAX_LINE: Final = 4096
MAX_TRAILERS: Final = 16
# Signed chunks are decoded whole: no byte is passed on before its signature is verified.
MAX_SIGNED_CHUNK: Final = 16 * 1024 * 1024
_HEADER: Final = re.compile(rb"([0-9A-Fa-f]{1,12})(?:;chunk-signature=([0-9a-f]{64}))?")
_SIGNATURE_TRAILER: Final = "x-amz-trailer-signature"


class AwsChunkedDecoder:
    """Decodes the pieces of a body in any division: `feed` them, then `finish`."""

    def __init__(self, signer: ChunkSigner | None, *, has_trailer: bool) -> None:
        self.trailers: dict[str, str] = {}
        self._signer = signer
        self._has_trailer = has_trailer
        self._buffer = bytearray()
        self._decode = self._parse()
        self._ended = False
        next(self._decode)

    def feed(self, data: bytes) -> list[bytes]:
        """Add bytes as they were sent. Return the decoded bytes.

        Raises: `S3Error` (IncompleteBody, SignatureDoesNotMatch, MalformedTrailerError).
        """
        if self._ended:
            raise S3Error("IncompleteBody", "There are bytes after the last chunk.")
        self._buffer += data
        pieces = []
        while (piece := next(self._decode, None)) is not None:
            pieces.append(piece)
        if self._has_rest:
            raise S3Error("IncompleteBody", "There are bytes after the last chunk.")
        return pieces

    @property
    def _has_rest(self) -> bool:
        return self._ended and bool(self._buffer)

    def finish(self) -> None:
        """Check that the body is complete. Raises: `S3Error` (IncompleteBody)."""
        if not self._ended:
            raise S3Error("IncompleteBody")

    def _parse(self) -> Iterator[bytes | None]:
        """Yield decoded bytes, and None when more input is needed."""
        yield None
        size = -1
        while size:
            line = yield from self._next_line()
            size, signature = self._parse_header(line)
            if self._signer is None:
                yield from self._unsigned_chunk(size)
            else:
                yield from self._signed_chunk(size, signature)
            while size and len(self._buffer) < 2:
                yield None
            if size and self._take(2) != b"\r\n":
                raise S3Error("IncompleteBody", "A chunk is longer than its size.")
        while line := (yield from self._next_line()):
            self._add_trailer(line)
        self._verify_trailer()
        self._ended = True

    def _next_line(self) -> Generator[None, None, bytes]:
        """Return the next line, without its end. Yield None when more input is needed."""
        while (line := self._take_line()) is None:
            yield None
        return line

    def _unsigned_chunk(self, size: int) -> Iterator[bytes | None]:
        while size:
            if self._buffer:
                piece = self._take(min(size, len(self._buffer)))
                size -= len(piece)
                yield piece
            else:
                yield None

    def _signed_chunk(self, size: int, given: str) -> Iterator[bytes | None]:
        assert self._signer is not None
        while len(self._buffer) < size:
            yield None
        piece = self._take(size)
        if not self._signer.verify_chunk(hashlib.sha256(piece).hexdigest(), given):
            raise S3Error("SignatureDoesNotMatch", "The signature of a chunk does not match.")
        if piece:
            yield piece

    def _take(self, size: int) -> bytes:
        with memoryview(self._buffer) as view:
            taken = bytes(view[:size])
        del self._buffer[:size]
        return taken

    def _take_line(self) -> bytes | None:
        end = self._buffer.find(b"\r\n", 0, MAX_LINE)
        if end < 0:
            if len(self._buffer) >= MAX_LINE:
                raise S3Error("IncompleteBody", "A line between chunks is too long.")
            return None
        return self._take(end + 2)[:-2]

    def _parse_header(self, line: bytes) -> tuple[int, str]:
        match = _HEADER.fullmatch(line)
        if match is None:
            raise S3Error("IncompleteBody", "The header of a chunk is not valid.")
        size = int(match[1], 16)
        if self._signer is not None and size > MAX_SIGNED_CHUNK:
            raise S3Error("EntityTooLarge", f"A signed chunk exceeds {MAX_SIGNED_CHUNK} bytes.")
        return size, (match[2] or b"").decode()

    def _add_trailer(self, line: bytes) -> None:
        name, colon, value = line.decode("latin-1").partition(":")
        name = name.strip().lower()
        if not self._has_trailer or not colon or len(self.trailers) >= MAX_TRAILERS:
            raise S3Error("MalformedTrailerError")
        if name in self.trailers:
            raise S3Error("MalformedTrailerError", f"The trailer {name} is there twice.")
        self.trailers[name] = value.strip()

    def _verify_trailer(self) -> None:
        given = self.trailers.pop(_SIGNATURE_TRAILER, "")
        if self._signer is None or not self._has_trailer:
            return
        lines = "".join(f"{name}:{value}\n" for name, value in self.trailers.items())
        digest = hashlib.sha256(lines.encode("latin-1")).hexdigest()
        if not self._signer.verify_trailer(digest, given):
            raise S3Error("SignatureDoesNotMatch", "The signature of the trailer does not match.")
