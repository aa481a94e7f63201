"""A batch of fast ingest: what its answers mean, whatever they are."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jetstow._core.batch import END, START, Batch, is_about_a_batch
from jetstow._core.target import Target
from jetstow.errors import BucketFullError, BucketSealedError, ServerError

INBOX = "_INBOX.x.7"
FULL = {"code": 503, "err_code": 10077, "description": "maximum bytes exceeded"}
SEALED = {"code": 400, "err_code": 10109, "description": "invalid operation on sealed stream"}
UNKNOWN = {"code": 400, "err_code": 10208, "description": "batch publish ID unknown"}
TOO_MANY = {"code": 429, "err_code": 10211, "description": "batch publish too many inflight"}


class Talk:
    """A batch, and what its server answers."""

    def __init__(self, flow: int = 8) -> None:
        self.batch = Batch(Target("b", "a"), "nuid", 0, flow)
        self.last = ""

    def send(self, count: int = 1) -> Talk:
        for _ in range(count):
            self.last = INBOX + self.batch.add()
        return self

    def end(self) -> Talk:
        self.last = INBOX + self.batch.end()
        return self

    def hear(self, **said: Any) -> Talk:
        self.batch.hear(self.last, json.dumps(said).encode())
        return self


def begun(count: int = 1) -> Talk:
    return Talk().send().hear(type="ack", seq=0, msgs=8).send(count - 1)


def test_every_message_says_what_it_is() -> None:
    batch = Talk().batch
    assert batch.add() == ".nuid.8.fail.1.0.$FI"
    assert batch.add() == ".nuid.8.fail.2.1.$FI"
    assert batch.end() == ".nuid.8.fail.3.3.$FI"
    assert is_about_a_batch(f"{INBOX}.nuid.8.fail.3.3.$FI")
    assert not is_about_a_batch(f"{INBOX}.3")
    assert batch.is_mine(f"{INBOX}.nuid.8.fail.3.3.$FI")
    assert not batch.is_mine(f"{INBOX}.other.8.fail.3.3.$FI")
    assert not batch.is_mine("$FI")


def test_nothing_follows_the_first_chunk_before_it_is_answered() -> None:
    talk = Talk().send()
    assert not talk.batch.has_begun
    assert not talk.batch.has_room
    talk.hear(type="ack", seq=0, msgs=2)
    assert talk.batch.has_begun
    assert talk.batch.has_room


def test_two_paces_ahead_and_no_further() -> None:
    talk = Talk().send().hear(type="ack", seq=0, msgs=2).send(3)
    assert not talk.batch.has_room
    talk.hear(type="ack", seq=2, msgs=2)
    assert talk.batch.has_room
    assert not talk.send(2).batch.has_room


def test_the_server_sets_the_pace_up_to_what_was_asked_for() -> None:
    talk = begun(4).hear(type="ack", seq=4, msgs=1).send(2)
    assert not talk.batch.has_room
    assert talk.hear(type="ack", seq=6, msgs=500).send(15).batch.has_room
    assert not talk.send().batch.has_room
    assert talk.hear(type="ack", seq=22, msgs=0).batch.has_room


def test_the_end_says_that_all_are_stored() -> None:
    talk = begun(5).end().hear(stream="OBJ_b", seq=77, batch="nuid", count=5)
    assert talk.batch.is_over
    assert talk.batch.failure is None
    assert (talk.batch.stored, talk.batch.last_seq) == (5, 77)


def test_with_replicas_the_last_chunk_is_answered_and_not_the_end() -> None:
    talk = begun(5)
    last = talk.last
    talk.end().last = last
    assert talk.hear(stream="OBJ_b", seq=77, batch="nuid", count=5).batch.is_over
    assert talk.batch.failure is None


@pytest.mark.parametrize(
    "said",
    [
        {"stream": "OBJ_b", "seq": 77, "batch": "nuid", "count": 4},
        {"stream": "OBJ_b", "seq": 77, "batch": "other", "count": 5},
        {"stream": "OBJ_b", "seq": 77},
        {"type": "gap", "last_seq": 3, "seq": 5},
        {"type": "something new"},
        {"type": "ack", "seq": 5, "msgs": 8},
        {},
    ],
)
def test_an_answer_that_leaves_a_doubt(said: dict[str, Any]) -> None:
    batch = begun(5).end().hear(**said).batch
    assert batch.is_lost
    assert batch.is_over, "nothing more is stored after the end was answered"
    assert batch.failure is None, "all that is held is sent again, and known again"


@pytest.mark.parametrize(
    "said", [{"type": "ack", "seq": 9, "msgs": 8}, {"type": "err"}, {"seq": "five"}]
)
def test_an_answer_that_is_not_as_it_should_be_is_an_error(said: dict[str, Any]) -> None:
    talk = begun(5).end().hear(**said)
    assert isinstance(talk.batch.failure, ServerError)
    assert (talk.batch.failure.bucket, talk.batch.failure.name) == ("b", "a")
    assert talk.batch.is_over, "nothing more is stored after the end was answered"


def test_a_refusal_is_what_it_is_anywhere_else() -> None:
    full = begun(5).hear(type="err", seq=5, error=FULL).hear(batch="nuid", count=4, seq=4)
    assert isinstance(full.batch.failure, BucketFullError)
    assert full.batch.is_over
    full.hear(error=UNKNOWN)
    assert isinstance(full.batch.failure, BucketFullError), "the first word counts"
    assert not full.batch.is_lost
    sealed = begun(5).hear(error=SEALED, stream="OBJ_b", seq=0)
    assert isinstance(sealed.batch.failure, BucketSealedError)
    assert not sealed.batch.is_over
    first = begun().hear(error=FULL)
    assert isinstance(first.batch.failure, BucketFullError), "it was let begin, then refused"


def test_a_batch_that_the_server_forgot() -> None:
    for talk in (begun(5), begun(5).end()):
        talk.hear(error=UNKNOWN)
        assert talk.batch.is_lost
        assert talk.batch.is_over
        assert talk.batch.failure is None


@pytest.mark.parametrize("error", [TOO_MANY, SEALED, FULL, UNKNOWN, {}])
def test_a_batch_that_may_not_begin(error: dict[str, Any]) -> None:
    batch = Talk().send().hear(error=error, stream="OBJ_b", seq=0).batch
    assert batch.is_refused
    assert batch.is_over
    assert not batch.stored
    assert batch.failure is None


def test_a_first_chunk_taken_for_a_plain_message_is_stored() -> None:
    batch = Talk().send().hear(stream="OBJ_b", seq=7).batch
    assert batch.is_refused
    assert (batch.stored, batch.last_seq) == (1, 7)


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
LIKELY = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["ack", "gap", "err", ""]) | ANY_JSON,
        "seq": st.integers(-2, 9) | ANY_JSON,
        "msgs": st.integers(-2, 9) | ANY_JSON,
        "batch": st.just("nuid") | ANY_JSON,
        "count": st.integers(0, 6) | ANY_JSON,
        "error": st.sampled_from([FULL, UNKNOWN]) | ANY_JSON,
    },
)
ANSWERS = st.binary() | (ANY_JSON | LIKELY).map(lambda said: json.dumps(said).encode())


@given(st.lists(st.tuples(st.sampled_from([START, 1, END, "x"]), ANSWERS), max_size=6))
def test_no_answer_breaks_it_or_stores_what_was_not_sent(answers: list[tuple[Any, bytes]]) -> None:
    batch = Talk().send(5).batch
    for step, data in answers:
        batch.hear(f"{INBOX}.nuid.8.fail.1.{step}.$FI", data)
        assert 0 <= batch.stored <= batch.sent
    if batch.is_over and batch.failure is None and not (batch.is_lost or batch.is_refused):
        assert batch.stored == batch.sent == 5
