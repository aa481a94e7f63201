"""The parts of a finished object, in its metadata: sizes and checksums in a compact form.

SIZE[*COUNT],...[;ALGORITHM;SUMS in base64]: at most 80 KB for the 10,000 parts that S3 allows.
"""

from __future__ import annotations

import base64
import binascii
import itertools
import re
from dataclasses import dataclass
from typing import Final, Self

from jetstow.models import ObjectInfo
from jetstow.s3.body.checksums import ALGORITHMS, Checksum, encode_base64
from jetstow.s3.multipart.model import MAX_PARTS
from jetstow.s3.objects import current_entry
from jetstow.s3.reserved import PARTS, UPLOAD

# Sums of the parts are kept up to this size: metadata is in the memory of every listing.
_MAX_SUMS: Final = 16 * 1024

_RUNS: Final = re.compile(r"\d{1,15}(\*\d{1,5})?(,\d{1,15}(\*\d{1,5})?)*")


@dataclass(frozen=True, slots=True)
class PartTable:
    """The parts of an object, numbered from 1 without gaps. `sums` may be empty."""

    sizes: tuple[int, ...]
    algorithm: str = ""
    sums: tuple[bytes, ...] = ()

    @property
    def count(self) -> int:
        """How many parts the object has."""
        return len(self.sizes)

    def range_of(self, number: int) -> tuple[int, int] | None:
        """Return the offsets of a part: of its first byte, and behind its last. None: no part."""
        if not 1 <= number <= self.count:
            return None
        start = sum(self.sizes[: number - 1])
        return start, start + self.sizes[number - 1]

    def checksum(self, number: int) -> Checksum | None:
        """Return the checksum of a part, if it was kept."""
        if not self.sums:
            return None
        return Checksum(self.algorithm, encode_base64(self.sums[number - 1]))

    def __str__(self) -> str:
        runs = ((size, len(list(group))) for size, group in itertools.groupby(self.sizes))
        text = ",".join(f"{size}*{count}" if count > 1 else str(size) for size, count in runs)
        if self.sums and sum(map(len, self.sums)) <= _MAX_SUMS:
            text += f";{self.algorithm};{encode_base64(b''.join(self.sums))}"
        return text

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Return the table of a text, or None if it is not valid."""
        runs, _, rest = text.partition(";")
        if not _RUNS.fullmatch(runs):
            return None
        sizes: list[int] = []
        for run in runs.split(","):
            size, _, count = run.partition("*")
            sizes += [int(size)] * min(int(count or 1), MAX_PARTS)
            if len(sizes) > MAX_PARTS:
                return None
        name, _, encoded = rest.partition(";")
        return cls(tuple(sizes), name, _parse_sums(name, encoded, len(sizes)))


def part_table(info: ObjectInfo) -> PartTable | None:
    """Return the parts of an object; None if it was not uploaded in parts."""
    text = current_entry(info, PARTS)
    table = None if text is None else PartTable.parse(text)
    return table if table is not None and sum(table.sizes) == (info.size or 0) else None


def upload_of(info: ObjectInfo) -> str | None:
    """Return the id of the upload that an object was completed by, or None."""
    return current_entry(info, UPLOAD)


def _parse_sums(name: str, encoded: str, count: int) -> tuple[bytes, ...]:
    algorithm = ALGORITHMS.get(name)
    try:
        data = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return ()
    if algorithm is None or len(data) != count * algorithm.size:
        return ()
    size = algorithm.size
    return tuple(data[start : start + size] for start in range(0, len(data), size))
