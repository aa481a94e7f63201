"""Unacknowledged chunks: no loss, duplicate or reordering releases a chunk too early."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from jetstow._core.write.unacked import UnackedChunks


def unacked_of(count: int, size: int = 10) -> UnackedChunks:
    unacked = UnackedChunks()
    for _ in range(count):
        unacked.send(unacked.add(memoryview(bytes(size))))
    return unacked


def test_chunk_is_kept_until_it_is_stored() -> None:
    unacked = unacked_of(2)
    assert (len(unacked.chunks), unacked.size, len(unacked.unanswered)) == (2, 20, 2)
    assert unacked.acknowledge(0, 0, seq=7) == 10
    assert (len(unacked.chunks), unacked.stored, unacked.last_seq) == (1, 1, 7)
    assert unacked.acknowledge(0, 0, seq=7) == 0, "a second acknowledgement changes nothing"
    assert unacked.acknowledge(1, 0, seq=9) == 10
    assert (len(unacked.chunks), unacked.size, len(unacked.unanswered)) == (0, 0, 0)


def test_chunks_after_a_gap_are_kept() -> None:
    unacked = unacked_of(3)
    assert unacked.acknowledge(1, 0, seq=8) == 0
    assert unacked.acknowledge(2, 0, seq=9) == 0
    assert unacked.has_gap
    assert len(unacked.chunks) == 3
    assert unacked.restart() == (0, 1, 2), "their acknowledgements may be outdated"
    assert not unacked.has_gap
    assert unacked.unanswered == {0, 1, 2}


def test_chunk_stored_before_its_predecessor_is_sent_again() -> None:
    unacked = unacked_of(4)
    for number, seq in ((1, 8), (2, 9), (0, 12), (3, 20)):
        unacked.acknowledge(number, 0, seq)
    assert unacked.stored == 1
    assert unacked.take_misplaced() == {1: 8, 2: 9}
    assert unacked.take_misplaced() == {}
    assert unacked.attempts[1] == 1
    assert unacked.acknowledge(1, 0, seq=8) == 0, "that was the deleted one"
    unacked.acknowledge(1, 1, seq=21)
    unacked.acknowledge(2, 1, seq=22)
    assert unacked.stored == 3
    assert unacked.take_misplaced() == {3: 20}
    assert unacked.acknowledge(3, 1, seq=23) == 10
    assert (len(unacked.chunks), unacked.size) == (0, 0)


def test_refusal_is_an_answer() -> None:
    unacked = unacked_of(2)
    unacked.refuse(0)
    assert unacked.unanswered == {1}
    unacked.refuse(1)
    assert not unacked.unanswered
    assert len(unacked.chunks) == 2
    assert not unacked.may_have_stored


def test_resumed_upload_counts_on() -> None:
    unacked = UnackedChunks(stored=5)
    assert unacked.add(memoryview(b"x")) == 5
    assert unacked.may_have_stored
    assert unacked.acknowledge(5, 0, seq=9) == 1
    assert (unacked.sent, unacked.stored) == (6, 6)


@given(st.integers(1, 12), st.data())
def test_every_chunk_is_stored_once_and_in_order(count: int, data: st.DataObject) -> None:
    """A stream that loses, keeps and duplicates chunks and acknowledgements at random."""
    unacked, stream = unacked_of(count), dict[int, tuple[int, int]]()
    stored: dict[tuple[int, int], int] = {}
    to_send, seq, released = list(range(count)), 0, 0
    for _ in range(200):
        if not unacked.chunks:
            break
        for number in to_send:
            key = number, unacked.attempts.get(number, 0)
            if data.draw(st.integers(0, 3)) == 0 and key not in stored:
                continue  # the chunk is lost
            if key not in stored:
                seq += 1
                stored[key] = seq
                stream[seq] = key
            if data.draw(st.integers(0, 3)):
                released += unacked.acknowledge(*key, stored[key])
        to_send = []
        if misplaced := unacked.take_misplaced():
            for place in misplaced.values():
                del stream[place]
            to_send = list(misplaced)
        elif unacked.chunks:
            to_send = list(unacked.restart())
    if not unacked.chunks:
        assert [stream[seq][0] for seq in sorted(stream)] == list(range(count))
    assert released == 10 * unacked.stored
