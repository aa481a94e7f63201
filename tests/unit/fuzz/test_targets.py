"""A few examples of each fuzz target: its seeds, and damaged variants of them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuzz.targets import PARSERS

# Tokens that are special in at least one of the formats.
TOKENS = st.sampled_from(
    [
        b"\r\n", b"\n", b"\0", b" ", b".", b">", b"*", b":", b"=", b"-", b"_", b"+", b'"', b"\\",
        b"{", b"}", b"[", b"]", b"null", b"true", b"1e308", b"1e999", b"NaN", b"-1", b"0x1",
        b"9" * 20, b"9" * 400, b"\xff", b"\xc2\xb2", b"\xed\xa0\x80", b"\\ud800", b"\\u0001",
        b'{"a":', b"[" * 50, b"$JS.ACK.", b"NATS/1.0 503", b"HMSG a 1 2 3\r\n", b"\xef\xbb\xbf",
    ]
)  # fmt: skip
EDITS = st.lists(
    st.tuples(st.integers(0, 400), st.integers(0, 12), TOKENS | st.binary(max_size=8)), max_size=4
)


def damaged(seed: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
    for position, size, token in edits:
        at = position % (len(seed) + 1)
        seed = seed[:at] + token + seed[at + size :]
    return seed


@pytest.mark.parametrize("name", PARSERS)
def test_seeds(name: str) -> None:
    for seed in PARSERS[name].seeds:
        PARSERS[name].check(seed)


@pytest.mark.parametrize("name", PARSERS)
@settings(max_examples=250)
@given(st.data())
def test_damaged_seeds(name: str, data: st.DataObject) -> None:
    parser = PARSERS[name]
    seed = data.draw(st.sampled_from(parser.seeds) | st.binary(max_size=60))
    parser.check(damaged(seed, data.draw(EDITS)))
