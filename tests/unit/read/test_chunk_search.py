"""Where a chunk may lie: what is guessed closes in on it, whatever lies between the chunks."""

from __future__ import annotations

from bisect import bisect_left

from hypothesis import given
from hypothesis import strategies as st

from jetstow._core.read.chunk_search import ChunkSearch

# Runs of chunks of the object, and of messages of others.
RUNS = st.lists(st.tuples(st.integers(1, 60), st.integers(0, 3_000)), min_size=1, max_size=40)
MOST = st.sampled_from([6, 64])


def laid_out(runs: list[tuple[int, int]], start: int = 1) -> tuple[list[int], int]:
    """The sequences of the chunks, and that of the metadata."""
    seqs: list[int] = []
    for own, others in runs:
        seqs += range(start, start + own)
        start += own + others
    return seqs, start


def search(places: ChunkSearch, seqs: list[int], chunk: int, most: int) -> int:
    """Asks until nothing is left to ask; returns in how many rounds."""
    rounds = 0
    while asked := places.candidates(chunk, most):
        assert len(asked) <= most
        assert asked == sorted(set(asked))
        for seq in asked:
            places.learn(seq, bisect_left(seqs, seq))
        rounds += 1
    return rounds


@given(RUNS, st.integers(1, 10**6), MOST, st.data())
def test_any_chunk_is_found(
    runs: list[tuple[int, int]], start: int, most: int, data: st.DataObject
) -> None:
    seqs, revision = laid_out(runs, start)
    places = ChunkSearch(len(seqs), revision)
    for _ in range(3):  # what was learnt for one chunk helps with the next
        chunk = data.draw(st.integers(0, len(seqs) - 1))
        assert search(places, seqs, chunk, most) <= 30
        near, place = places.nearest(chunk)
        assert near == chunk
        assert place <= seqs[chunk]
        assert bisect_left(seqs, place) == chunk


@given(st.integers(1, 5_000), st.integers(1, 10**9), st.data())
def test_one_question_finds_a_chunk_written_alone(
    total: int, start: int, data: st.DataObject
) -> None:
    seqs, revision = laid_out([(total, 0)], start)
    chunk = data.draw(st.integers(0, total - 1))
    places = ChunkSearch(total, revision)
    for seq in places.candidates(chunk, 64):
        places.learn(seq, bisect_left(seqs, seq))
    assert places.nearest(chunk)[0] == chunk


@given(RUNS, MOST, st.data())
def test_a_replica_that_lags_leads_to_no_place_behind_the_chunk(
    runs: list[tuple[int, int]], most: int, data: st.DataObject
) -> None:
    """It knows fewer chunks, and says of a place that more of them lie before it."""
    seqs, revision = laid_out(runs)
    chunk = data.draw(st.integers(0, len(seqs) - 1))
    places = ChunkSearch(len(seqs), revision)
    for _ in range(8):
        for seq in places.candidates(chunk, most):
            lacking = data.draw(st.integers(0, 3))
            places.learn(seq, bisect_left(seqs, seq) + lacking)
        assert places.nearest(chunk)[1] <= seqs[chunk]


def test_what_cannot_be_is_not_believed() -> None:
    places = ChunkSearch(10, 100)
    places.learn(50, -1)
    places.learn(60, 11)
    assert places.nearest(9) == (0, 1)
    places.learn(50, 5)
    places.learn(50, 9)
    assert places.nearest(9) == (5, 50)
    places.reset()
    assert places.nearest(9) == (0, 1)


def test_metadata_before_its_chunks_leads_to_the_first_of_them() -> None:
    places = ChunkSearch(50, 3)
    assert places.candidates(20, 64) == []
    assert places.nearest(20) == (0, 1)
