"""Reading an archive's bytes: gzip is decompressed, damage and other compressions are errors."""

from __future__ import annotations

import gzip
from collections.abc import AsyncGenerator

import pytest

from jetstow._transfer.archive.input import read_input
from jetstow.errors import BadArchiveError

DATA = bytes(range(256)) * 16


async def blocks_of(data: bytes, size: int) -> AsyncGenerator[bytes, None]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


async def decompressed(data: bytes, size: int = 700) -> bytes:
    return b"".join([block async for block in read_input(blocks_of(data, size))])


@pytest.mark.parametrize("size", [1, 5, 700, 10_000_000])
async def test_gzip_is_detected_by_its_magic_bytes(size: int) -> None:
    compressed = gzip.compress(DATA)
    assert await decompressed(compressed, size) == DATA
    assert await decompressed(compressed + compressed, size) == DATA + DATA
    assert await decompressed(DATA[:1000], size) == DATA[:1000]


async def test_high_compression_ratio_yields_small_blocks() -> None:
    compressed = gzip.compress(bytes(10**7))
    sizes = [len(block) async for block in read_input(blocks_of(compressed, 10**6))]
    assert sum(sizes) == 10**7
    assert max(sizes) <= 2**20


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        pytest.param(gzip.compress(DATA)[:-1], "truncated", id="one byte missing"),
        pytest.param(gzip.compress(DATA)[:40], "truncated", id="only the start"),
        pytest.param(gzip.compress(DATA)[:-8] + bytes(8), "damaged", id="wrong checksum"),
        pytest.param(gzip.compress(DATA) + b"more", "damaged", id="data after the end"),
        pytest.param(b"\xfd7zXZ\0more", "compressed with xz", id="xz"),
        pytest.param(b"BZh9more", "compressed with bzip2", id="bzip2"),
        pytest.param(b"\x28\xb5\x2f\xfdmore", "compressed with zstd", id="zstd"),
    ],
)
async def test_damaged_or_unsupported_compression(data: bytes, problem: str) -> None:
    with pytest.raises(BadArchiveError, match=problem):
        await decompressed(data)


async def test_on_read_counts_compressed_bytes() -> None:
    compressed = gzip.compress(DATA)
    counts: list[int] = []
    _ = [block async for block in read_input(blocks_of(compressed, 100), counts.append)]
    assert counts[0] == 100
    assert counts[-1] == len(compressed)
