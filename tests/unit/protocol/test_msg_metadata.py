"""A consumer's reply subject, in the forms of all servers, says where its message lies."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jetstow._core.protocol.msg_metadata import MsgMetadata

NUMBERS = st.integers(0, 2**63)
PLACE = MsgMetadata(stream_seq=5, consumer_seq=2, time=1_700_000_000_123_456_789, pending=7)
NUMBERS_OF_PLACE = "5.2.1700000000123456789.7"


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(f"$JS.ACK.OBJ_b.cons.1.{NUMBERS_OF_PLACE}", id="one account"),
        pytest.param(f"$JS.ACK.hub.AAAA.OBJ_b.cons.1.{NUMBERS_OF_PLACE}", id="domain"),
        pytest.param(f"$JS.ACK._.AAAA.OBJ_b.cons.1.{NUMBERS_OF_PLACE}.xyz", id="random end"),
        pytest.param(f"$JS.ACK._.AAAA.OBJ_b.cons.1.{NUMBERS_OF_PLACE}.xyz.more", id="later ones"),
    ],
)
def test_every_form_is_read(reply: str) -> None:
    assert MsgMetadata.parse(reply) == PLACE


@given(st.tuples(NUMBERS, NUMBERS, NUMBERS, NUMBERS), st.booleans())
def test_all_numbers_are_read(numbers: tuple[int, int, int, int], domain: bool) -> None:
    start = "$JS.ACK.d.a.s.c.1." if domain else "$JS.ACK.s.c.1."
    place = MsgMetadata.parse(start + ".".join(map(str, numbers)))
    assert (place.stream_seq, place.consumer_seq, place.time, place.pending) == numbers


@given(st.one_of(st.text(), st.text("$JSACK.0123456789", max_size=60).map("$JS.ACK.".__add__)))
def test_any_other_subject_is_refused(reply: str) -> None:
    try:
        place = MsgMetadata.parse(reply)
    except ValueError:
        return
    assert reply.startswith("$JS.ACK.")
    assert isinstance(place.pending, int)
    assert place.timestamp


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "_INBOX.a.b.c.d.e.f.g.h",
        "$JS.FC.OBJ_b.cons.1.5.2.3.7",
        "$JS.ACK",
        "$JS.ACK.OBJ_b.cons.1.5.2.3",
        "$JS.ACK.OBJ_b.cons.1.5.2.x.7",
        "$JS.ACK.d.a.OBJ_b.cons.1.5.2.3",
        "$JS.ACK.OBJ_b.cons.1.5.2.3.-7",
        "$JS.ACK.OBJ_b.cons.1.5.2.3.1_0",
        "$JS.ACK.OBJ_b.cons.1. 5.2.3.7",
        "$JS.ACK.OBJ_b.cons.1.5.2.3.\N{ARABIC-INDIC DIGIT SEVEN}",
        "$JS.ACK.OBJ_b.cons.1.5.2.3.\N{SUPERSCRIPT TWO}",
        "$JS.ACK.OBJ_b.cons.1.5.2.3." + "9" * 21,
        "$JS.ACK.OBJ_b.cons.1.5.2." + "9" * 5_000 + ".7",
    ],
)
def test_what_is_no_consumers_reply_is_refused(reply: str) -> None:
    with pytest.raises(ValueError, match="no consumer's reply"):
        MsgMetadata.parse(reply)


@pytest.mark.parametrize(
    ("time", "stamp"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (1_700_000_000_123_456_789, "2023-11-14T22:13:20.123456789Z"),
        (1_700_000_000_100_000_000, "2023-11-14T22:13:20.1Z"),
        (1_700_000_000_000_000_001, "2023-11-14T22:13:20.000000001Z"),
        (1_700_000_010_000_000_000, "2023-11-14T22:13:30Z"),
    ],
)
def test_the_stamp_is_written_as_the_server_writes_it(time: int, stamp: str) -> None:
    assert MsgMetadata(1, 1, time, 0).timestamp == stamp


@given(st.integers(0, 4_102_444_800 * 10**9))
def test_no_nanosecond_is_lost(time: int) -> None:
    stamp = MsgMetadata(1, 1, time, 0).timestamp
    whole, _, fraction = stamp.removesuffix("Z").partition(".")
    seconds = datetime.datetime.fromisoformat(whole + "+00:00").timestamp()
    assert int(seconds) * 10**9 + int(fraction.ljust(9, "0") or "0") == time
    assert not fraction.endswith("0")
