"""How much a blocking file fetches, by the way it is read; without a server."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from jetstow.sync.readahead import KIB, Fetch, Pace, Recent, block_size

BLOCK = 128 * KIB
SIZE = 64 * 1024 * KIB


def test_a_block_is_a_chunk_within_reason() -> None:
    assert block_size(None) == BLOCK
    assert block_size(64 * KIB) == 64 * KIB
    assert block_size(10) == 32 * KIB
    assert block_size(8 * 1024 * KIB) == 256 * KIB


def test_a_jump_fetches_the_blocks_concerned() -> None:
    pace = Pace(SIZE, BLOCK)
    assert pace.fetch(10 * BLOCK + 5, 100) == Fetch(10 * BLOCK, 11 * BLOCK, ahead=False)
    assert pace.fetch(30 * BLOCK - 5, 10) == Fetch(29 * BLOCK, 31 * BLOCK, ahead=False)
    assert pace.fetch(SIZE - 22, 22) == Fetch(SIZE - BLOCK, SIZE, ahead=False)


def test_reading_on_fetches_twice_as_much_each_time_and_then_ahead() -> None:
    pace, position, fetched = Pace(SIZE, BLOCK), 0, []
    for _ in range(8):
        fetch = pace.fetch(position, 64 * KIB)
        assert fetch.start == position
        fetched.append((fetch.stop - fetch.start, fetch.ahead))
        position = fetch.stop
    assert [size // BLOCK for size, _ in fetched] == [1, 2, 4, 8, 16, 32, 32, 32]
    assert [ahead for _, ahead in fetched] == [False] * 6 + [True] * 2


def test_a_jump_begins_anew() -> None:
    pace = Pace(SIZE, BLOCK)
    position = 0
    for _ in range(6):
        position = pace.fetch(position, 64 * KIB).stop
    jump = pace.fetch(SIZE // 2, 100)
    assert jump == Fetch(SIZE // 2, SIZE // 2 + BLOCK, ahead=False)
    assert pace.fetch(jump.stop, 100).stop == jump.stop + 2 * BLOCK


def test_a_large_read_is_fetched_as_it_is() -> None:
    pace = Pace(SIZE, BLOCK)
    assert pace.fetch(BLOCK, 3 * 1024 * KIB) == Fetch(BLOCK, 25 * BLOCK, ahead=False)
    limit = pace.fetch(0, SIZE)
    assert limit == Fetch(0, 4096 * KIB, ahead=False)
    assert pace.fetch(limit.stop, SIZE).ahead


@given(
    st.integers(1, 5_000_000), st.integers(32 * KIB, 256 * KIB), st.randoms(use_true_random=False)
)
def test_every_fetch_brings_the_byte_that_is_wanted(
    size: int, block: int, chance: random.Random
) -> None:
    pace = Pace(size, block)
    for _ in range(20):
        position = chance.randrange(size)
        wanted = chance.choice([1, 100, 64 * KIB, 10**7])
        for _ in range(chance.randrange(1, 4)):
            fetch = pace.fetch(position, wanted)
            assert 0 <= fetch.start <= position < fetch.stop <= size
            assert fetch.stop - fetch.start <= 4096 * KIB + 2 * block
            position = fetch.stop
            if position == size:
                break


def test_what_was_fetched_last_is_kept() -> None:
    recent, piece = Recent(), bytes(range(256)) * 4096
    for number in range(5):
        recent.keep(number * len(piece), piece)
    assert not recent.at(0), "the first made room"
    assert not recent.at(5 * len(piece))
    assert recent.at(len(piece)) == piece
    assert recent.at(5 * len(piece) - 1) == piece[-1:]
    assert recent.at(3 * len(piece) + 7) == piece[7:]


def test_a_piece_that_is_larger_than_all_room_is_kept_until_the_next() -> None:
    recent = Recent()
    recent.keep(0, bytes(5_000_000))
    assert len(recent.at(0)) == 5_000_000
    recent.keep(5_000_000, b"1")
    assert not recent.at(0)
    assert recent.at(5_000_000) == b"1"
