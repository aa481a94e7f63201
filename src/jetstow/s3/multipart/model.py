"""Uploads and parts as the gateway records them."""

from __future__ import annotations

import datetime
from typing import Final

import msgspec

from jetstow import StoredChunks
from jetstow.s3.body.checksums import ALGORITHMS, DEFAULT_ALGORITHM, Algorithm, Checksum
from jetstow.s3.customer_key import CustomerKey
from jetstow.s3.objects import Attributes

MAX_PARTS: Final = 10_000
MIN_PART_SIZE: Final = 5 * 1024 * 1024
MAX_PART_SIZE: Final = 5 * 1024 * 1024 * 1024


class Upload(msgspec.Struct, frozen=True):
    """A multipart upload. `bucket` is the NATS bucket, and `created` its creation time.

    `nuid` is that of the chunks that parts in order are written to; empty before the first. With
    `is_completing`, a gateway may be about to give these chunks a name.
    """

    id: str
    bucket: str
    created: float
    key: str
    initiated: datetime.datetime
    owner: str
    attributes: Attributes
    algorithm: str = ""
    checksum_type: str = ""
    nuid: str = ""
    is_completing: bool = False
    # Of an upload with a key of the customer: what the key gives for the id.
    key_check: str = ""

    @property
    def final_algorithm(self) -> Algorithm:
        """The algorithm of the object's checksum: the one asked for, or the default."""
        return ALGORITHMS[self.algorithm or DEFAULT_ALGORITHM]

    @property
    def final_type(self) -> str:
        """The type of the object's checksum."""
        return self.checksum_type or "FULL_OBJECT"


class Part(msgspec.Struct, frozen=True):
    """A part of an upload. `sums` has checksums in base64 by algorithm.

    Its bytes are an object of the spool (`spooled`), or begin at `start` of the upload's chunks.
    """

    number: int
    size: int
    etag: str
    modified: datetime.datetime
    sums: dict[str, str]
    spooled: str = ""
    nuid: str = ""
    chunk_size: int = 0
    start: int = 0

    @property
    def end(self) -> int:
        """The offset behind the part in the upload's chunks."""
        return self.start + self.size

    def has_bytes_of(self, other: Part) -> bool:
        """Return whether two parts have the same bytes."""
        common = self.sums.keys() & other.sums.keys()
        return (self.size, self.etag) == (other.size, other.etag) and all(
            self.sums[name] == other.sums[name] for name in common
        )

    def checksum(self, algorithm: str) -> Checksum | None:
        """Return the checksum of an algorithm, if there is one."""
        value = self.sums.get(algorithm)
        return None if value is None else Checksum(algorithm, value)

    def in_spool(self, name: str) -> Part:
        """Return the part with its place in the spool."""
        return msgspec.structs.replace(self, spooled=name)

    def hidden_by(self, key: CustomerKey) -> Part:
        """Return the part without sums of its plaintext: its ETag depends on the key."""
        return msgspec.structs.replace(self, etag=key.sign(self.etag), sums={})

    def checkpoint(self, key: str, tail: Tail | None) -> StoredChunks:
        """Return the upload's chunks up to the end of the part, or behind it.

        The bytes that the recorded tail does not have are in chunks.
        """
        if tail is not None and tail.start < self.end <= tail.end:
            chunks, remainder = tail.start // self.chunk_size, tail.data
        else:
            chunks, remainder = -(-self.end // self.chunk_size), b""
        return StoredChunks(key, self.nuid, self.chunk_size, chunks, remainder)


class Tail(msgspec.Struct, frozen=True):
    """The last bytes of the parts in order, `data`, which do not fill a chunk and are not stored.

    `start` is the offset of the first of them, behind the upload's last chunk.
    """

    start: int
    data: bytes

    @property
    def end(self) -> int:
        """The offset behind the parts in order."""
        return self.start + len(self.data)


def now() -> datetime.datetime:
    """Return the current time, as S3 has it: milliseconds."""
    time = datetime.datetime.now(datetime.UTC)
    return time.replace(microsecond=time.microsecond // 1000 * 1000)
