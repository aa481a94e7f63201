"""The metadata in the reply subject of a consumer's message, in the forms of all servers."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jetstow._core.protocol.msg_metadata import MsgMetadata

NUMBERS = st.integers(0, 2**63)
METADATA = MsgMetadata(stream_seq=5, consumer_seq=2, time=1_700_000_000_123_456_789, pending=7)
ENCODED = "5.2.1700000000123456789.7"


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(f"$JS.ACK.OBJ_b.cons.1.{ENCODED}", id="one account"),
        pytest.param(f"$JS.ACK.hub.AAAA.OBJ_b.cons.1.{ENCODED}", id="domain"),
        pytest.param(f"$JS.ACK._.AAAA.OBJ_b.cons.1.{ENCODED}.xyz", id="random token"),
        pytest.param(f"$JS.ACK._.AAAA.OBJ_b.cons.1.{ENCODED}.xyz.more", id="later versions"),
    ],
)
def test_every_form_is_parsed(reply: str) -> None:
    assert MsgMetadata.parse(reply) == METADATA


@given(st.tuples(NUMBERS, NUMBERS, NUMBERS, NUMBERS), st.booleans())
def test_all_numbers_are_parsed(numbers: tuple[int, int, int, int], domain: bool) -> None:
    start = "$JS.ACK.d.a.s.c.1." if domain else "$JS.ACK.s.c.1."
    metadata = MsgMetadata.parse(start + ".".join(map(str, numbers)))
    assert (metadata.stream_seq, metadata.consumer_seq, metadata.time, metadata.pending) == numbers


@given(st.one_of(st.text(), st.text("$JSACK.0123456789", max_size=60).map("$JS.ACK.".__add__)))
def test_any_subject_is_parsed_or_raises(reply: str) -> None:
    try:
        metadata = MsgMetadata.parse(reply)
    except ValueError:
        return
    assert reply.startswith("$JS.ACK.")
    assert isinstance(metadata.pending, int)
    assert metadata.timestamp


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
def test_other_subjects_raise(reply: str) -> None:
    with pytest.raises(ValueError, match="not the reply subject of a consumer"):
        MsgMetadata.parse(reply)


@pytest.mark.parametrize(
    ("time", "timestamp"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (1_700_000_000_123_456_789, "2023-11-14T22:13:20.123456789Z"),
        (1_700_000_000_100_000_000, "2023-11-14T22:13:20.1Z"),
        (1_700_000_000_000_000_001, "2023-11-14T22:13:20.000000001Z"),
        (1_700_000_010_000_000_000, "2023-11-14T22:13:30Z"),
    ],
)
def test_timestamp_is_that_of_the_server(time: int, timestamp: str) -> None:
    assert MsgMetadata(1, 1, time, 0).timestamp == timestamp


@given(st.integers(0, 4_102_444_800 * 10**9))
def test_timestamp_has_all_nanoseconds(time: int) -> None:
    timestamp = MsgMetadata(1, 1, time, 0).timestamp
    whole, _, fraction = timestamp.removesuffix("Z").partition(".")
    seconds = datetime.datetime.fromisoformat(whole + "+00:00").timestamp()
    assert int(seconds) * 10**9 + int(fraction.ljust(9, "0") or "0") == time
    assert not fraction.endswith("0")
