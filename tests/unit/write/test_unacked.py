"""Which chunks are stored: whatever is lost, doubled or misplaced, nothing is let go early."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from jetstow._core.write.unacked import UnackedChunks


def ledger_of(count: int, size: int = 10) -> UnackedChunks:
    ledger = UnackedChunks()
    for _ in range(count):
        ledger.add(memoryview(bytes(size)))
    return ledger


def test_a_chunk_is_held_until_it_is_stored() -> None:
    ledger = ledger_of(2)
    assert (ledger.buffered, ledger.buffered_bytes, ledger.is_answered) == (2, 20, False)
    assert ledger.store(0, 0, seq=7) == 10
    assert (ledger.buffered, ledger.stored, ledger.last_seq) == (1, 1, 7)
    assert ledger.store(0, 0, seq=7) == 0, "a second answer changes nothing"
    assert ledger.store(1, 0, seq=9) == 10
    assert (ledger.buffered, ledger.buffered_bytes, ledger.is_answered) == (0, 0, True)


def test_what_is_stored_behind_a_gap_is_held() -> None:
    ledger = ledger_of(3)
    assert ledger.store(1, 0, seq=8) == 0
    assert ledger.store(2, 0, seq=9) == 0
    assert ledger.has_gap
    assert ledger.buffered == 3
    assert list(ledger.unacked()) == [0, 1, 2], "what was said of them may be wrong by now"
    assert not ledger.has_gap


def test_what_lies_before_its_predecessor_is_sent_anew() -> None:
    ledger = ledger_of(4)
    for number, seq in ((1, 8), (2, 9), (0, 12), (3, 20)):
        ledger.store(number, 0, seq)
    assert ledger.stored == 1
    assert ledger.take_misplaced() == {1: 8, 2: 9}
    assert ledger.take_misplaced() == {}
    assert ledger.attempt(1) == 1
    assert ledger.store(1, 0, seq=8) == 0, "that was said of the one taken out"
    ledger.store(1, 1, seq=21)
    ledger.store(2, 1, seq=22)
    assert ledger.stored == 3
    assert ledger.take_misplaced() == {3: 20}
    assert ledger.store(3, 1, seq=23) == 10
    assert (ledger.buffered, ledger.buffered_bytes) == (0, 0)


def test_a_refusal_is_an_answer() -> None:
    ledger = ledger_of(2)
    ledger.refuse(0)
    assert not ledger.is_answered
    ledger.refuse(1)
    assert ledger.is_answered
    assert ledger.buffered == 2
    assert not ledger.may_have_stored


@given(st.integers(1, 12), st.data())
def test_it_ends_with_every_chunk_once_and_in_order(count: int, data: st.DataObject) -> None:
    """A stream that loses, keeps and doubles answers, and chunks, as it likes."""
    ledger, stream = ledger_of(count), dict[int, tuple[int, int]]()
    known: dict[tuple[int, int], int] = {}
    waiting, seq, let_go = list(range(count)), 0, 0
    for _ in range(200):
        if not ledger.buffered:
            break
        for number in waiting:
            life = ledger.attempt(number)
            if data.draw(st.integers(0, 3)) == 0 and (number, life) not in known:
                continue  # it got lost
            if (number, life) not in known:
                seq += 1
                known[number, life] = seq
                stream[seq] = number, life
            if data.draw(st.integers(0, 3)):
                let_go += ledger.store(number, life, known[number, life])
        waiting = []
        if wrong := ledger.take_misplaced():
            for place in wrong.values():
                del stream[place]
            waiting = list(wrong)
        elif ledger.buffered:
            waiting = list(ledger.unacked())
    if not ledger.buffered:
        assert [number for number, _ in (stream[seq] for seq in sorted(stream))] == list(
            range(count)
        )
    assert let_go == 10 * ledger.stored
