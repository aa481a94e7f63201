"""The search for a chunk's position converges for any messages between the chunks."""

from __future__ import annotations

from bisect import bisect_left

from hypothesis import given
from hypothesis import strategies as st

from jetstow._core.read.chunk_search import ChunkSearch

# Runs of chunks of the object, each followed by messages of other writers.
RUNS = st.lists(st.tuples(st.integers(1, 60), st.integers(0, 3_000)), min_size=1, max_size=40)
LIMITS = st.sampled_from([6, 64])


def sequences(runs: list[tuple[int, int]], start: int = 1) -> tuple[list[int], int]:
    """Return the sequences of the chunks, and that of the metadata."""
    seqs: list[int] = []
    for own, others in runs:
        seqs += range(start, start + own)
        start += own + others
    return seqs, start


def locate(search: ChunkSearch, seqs: list[int], chunk: int, limit: int) -> int:
    """Query candidates until there are none. Return the number of rounds."""
    rounds = 0
    while candidates := search.candidates(chunk, limit):
        assert len(candidates) <= limit
        assert candidates == sorted(set(candidates))
        for seq in candidates:
            search.learn(seq, bisect_left(seqs, seq))
        rounds += 1
    return rounds


@given(RUNS, st.integers(1, 10**6), LIMITS, st.data())
def test_any_chunk_is_found(
    runs: list[tuple[int, int]], start: int, limit: int, data: st.DataObject
) -> None:
    seqs, revision = sequences(runs, start)
    search = ChunkSearch(len(seqs), revision)
    for _ in range(3):  # positions learned for one chunk help with the next
        chunk = data.draw(st.integers(0, len(seqs) - 1))
        assert locate(search, seqs, chunk, limit) <= 30
        nearest, position = search.nearest(chunk)
        assert nearest == chunk
        assert position <= seqs[chunk]
        assert bisect_left(seqs, position) == chunk


@given(st.integers(1, 5_000), st.integers(1, 10**9), st.data())
def test_one_query_for_an_object_written_alone(total: int, start: int, data: st.DataObject) -> None:
    seqs, revision = sequences([(total, 0)], start)
    chunk = data.draw(st.integers(0, total - 1))
    search = ChunkSearch(total, revision)
    for seq in search.candidates(chunk, 64):
        search.learn(seq, bisect_left(seqs, seq))
    assert search.nearest(chunk)[0] == chunk


@given(RUNS, LIMITS, st.data())
def test_lagging_replica_never_leads_past_the_chunk(
    runs: list[tuple[int, int]], limit: int, data: st.DataObject
) -> None:
    """It has fewer chunks, so it reports too many before a sequence."""
    seqs, revision = sequences(runs)
    chunk = data.draw(st.integers(0, len(seqs) - 1))
    search = ChunkSearch(len(seqs), revision)
    for _ in range(8):
        for seq in search.candidates(chunk, limit):
            missing = data.draw(st.integers(0, 3))
            search.learn(seq, bisect_left(seqs, seq) + missing)
        assert search.nearest(chunk)[1] <= seqs[chunk]


def test_impossible_counts_are_ignored() -> None:
    search = ChunkSearch(10, 100)
    search.learn(50, -1)
    search.learn(60, 11)
    assert search.nearest(9) == (0, 1)
    search.learn(50, 5)
    search.learn(50, 9)
    assert search.nearest(9) == (5, 50)
    search.reset()
    assert search.nearest(9) == (0, 1)


def test_metadata_before_its_chunks() -> None:
    search = ChunkSearch(50, 3)
    assert search.candidates(20, 64) == []
    assert search.nearest(20) == (0, 1)
