"""The range that a file fetches next, and the blocks that it keeps."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from jetstow._core.aio.readahead import KIB, Fetch, ReadAhead, RecentBlocks, fetch_alignment

BLOCK = 128 * KIB
MAX_AHEAD = 4096 * KIB
SIZE = 64 * 1024 * KIB


def new_read_ahead(size: int = SIZE, alignment: int = BLOCK) -> ReadAhead:
    return ReadAhead(size, alignment, MAX_AHEAD)


def test_alignment_is_chunk_size_within_bounds() -> None:
    assert fetch_alignment(None) == BLOCK
    assert fetch_alignment(64 * KIB) == 64 * KIB
    assert fetch_alignment(10) == 32 * KIB
    assert fetch_alignment(8 * 1024 * KIB) == 256 * KIB


def test_read_after_seek_fetches_its_blocks() -> None:
    ahead = new_read_ahead()
    assert ahead.next_fetch(10 * BLOCK + 5, 100) == Fetch(10 * BLOCK, 11 * BLOCK, False)
    assert ahead.next_fetch(30 * BLOCK - 5, 10) == Fetch(29 * BLOCK, 31 * BLOCK, False)
    assert ahead.next_fetch(SIZE - 22, 22) == Fetch(SIZE - BLOCK, SIZE, False)


def test_sequential_read_doubles_and_then_streams() -> None:
    ahead, position, fetched = new_read_ahead(), 0, []
    for _ in range(8):
        fetch = ahead.next_fetch(position, 64 * KIB)
        assert fetch.start == position
        fetched.append((fetch.stop - fetch.start, fetch.is_streaming))
        position = fetch.stop
    assert [size // BLOCK for size, _ in fetched] == [1, 2, 4, 8, 16, 32, 32, 32]
    assert [streaming for _, streaming in fetched] == [False] * 6 + [True] * 2


def test_seek_resets_read_ahead() -> None:
    ahead = new_read_ahead()
    position = 0
    for _ in range(6):
        position = ahead.next_fetch(position, 64 * KIB).stop
    fetch = ahead.next_fetch(SIZE // 2, 100)
    assert fetch == Fetch(SIZE // 2, SIZE // 2 + BLOCK, False)
    assert ahead.next_fetch(fetch.stop, 100).stop == fetch.stop + 2 * BLOCK


def test_large_read_is_one_fetch() -> None:
    ahead = new_read_ahead()
    assert ahead.next_fetch(BLOCK, 3 * 1024 * KIB) == Fetch(BLOCK, 25 * BLOCK, False)
    whole = ahead.next_fetch(0, SIZE // 2)
    assert whole == Fetch(0, SIZE // 2, False)
    assert ahead.next_fetch(whole.stop, 100) == Fetch(whole.stop, whole.stop + MAX_AHEAD, True)


@given(
    st.integers(1, 5_000_000), st.integers(32 * KIB, 256 * KIB), st.randoms(use_true_random=False)
)
def test_fetch_contains_position_and_is_bounded(
    size: int, alignment: int, chance: random.Random
) -> None:
    ahead = new_read_ahead(size, alignment)
    for _ in range(20):
        position = chance.randrange(size)
        wanted = chance.choice([1, 100, 64 * KIB, 10**7])
        for _ in range(chance.randrange(1, 4)):
            fetch = ahead.next_fetch(position, wanted)
            assert 0 <= fetch.start <= position < fetch.stop <= size
            assert fetch.stop >= min(position + wanted, size)
            assert fetch.stop - fetch.start <= max(wanted, MAX_AHEAD) + 2 * alignment
            position = fetch.stop
            if position == size:
                break


def test_recent_blocks_are_kept() -> None:
    recent, block = RecentBlocks(MAX_AHEAD), bytes(range(256)) * 4096
    for number in range(5):
        recent.add(number * len(block), block)
    assert not recent.get(0), "four blocks fit"
    assert not recent.get(5 * len(block))
    assert recent.get(len(block)) == block
    assert recent.get(5 * len(block) - 1) == block[-1:]
    assert recent.get(3 * len(block) + 7) == block[7:]


def test_used_block_outlives_older_ones() -> None:
    recent, block = RecentBlocks(MAX_AHEAD), bytes(1024 * KIB)
    for number in range(4):
        recent.add(number * len(block), block)
    assert recent.get(0)
    recent.add(4 * len(block), block)
    assert recent.get(0)
    assert not recent.get(len(block))


def test_same_block_counts_once() -> None:
    recent, block = RecentBlocks(MAX_AHEAD), bytes(2048 * KIB)
    recent.add(0, block)
    for _ in range(5):
        recent.add(len(block), block)
    assert recent.get(0)


def test_block_larger_than_limit_is_kept_until_the_next() -> None:
    recent = RecentBlocks(MAX_AHEAD)
    recent.add(0, bytes(5_000_000))
    assert len(recent.get(0)) == 5_000_000
    recent.add(5_000_000, b"1")
    assert not recent.get(0)
    assert bytes(recent.get(5_000_000)) == b"1"
