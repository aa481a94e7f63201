"""Sealed bytes: what comes out is what went in, or an error; whatever is done to them."""

from __future__ import annotations

import copy
import pickle
import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jetstow._core.protocol import cipher
from jetstow.errors import InvalidOptionError

KEY = cipher.Key(bytes(range(32)))
CHUNK = cipher.SMALLEST


def sealed(data: bytes, pieces: int = 1, key: cipher.Key = KEY) -> list[bytes]:
    sealer, found = cipher.Sealer(key, CHUNK), []
    step = max(1, -(-len(data) // pieces))
    for start in range(0, len(data), step):
        found += sealer.add(data[start : start + step])
    return [*found, sealer.finish()]


def opened(stored: bytes, key: cipher.Key = KEY) -> bytes:
    opener = cipher.Opener(key, len(stored))
    opener.begin(stored[: cipher.PRELUDE_SIZE])
    chunks = range(0, len(stored), opener.chunk)
    return b"".join(
        opener.open(number, stored[start : start + opener.chunk])
        for number, start in enumerate(chunks)
    )


SIZES = sorted(
    {0, 1}
    | {first + step * (CHUNK - 16) + off
       for first in (CHUNK - 80,) for step in (0, 1, 3) for off in (-1, 0, 1)}
)  # fmt: skip


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("pieces", [1, 2, 7])
def test_what_is_sealed_is_opened(size: int, pieces: int) -> None:
    data = secrets.token_bytes(size)
    chunks = sealed(data, pieces)
    assert {len(chunk) for chunk in chunks[:-1]} <= {CHUNK}
    assert len(chunks[-1]) <= CHUNK
    stored = b"".join(chunks)
    assert opened(stored) == data
    assert cipher.plain_size(len(stored), CHUNK) == size


@given(st.integers(0, 20_000), st.integers(CHUNK, 3 * CHUNK))
def test_every_offset_has_its_chunk(offset: int, chunk: int) -> None:
    number, begins = cipher.chunk_of(offset, chunk)
    room = chunk - 16 - (0 if number else cipher.PRELUDE_SIZE)
    assert begins <= offset < begins + room
    if number:
        assert cipher.chunk_of(begins - 1, chunk)[0] == number - 1


def test_nothing_of_the_plain_bytes_shows() -> None:
    data = b"attack at dawn" * 200
    first, second = (b"".join(sealed(data)) for _ in range(2))
    assert b"attack" not in first
    assert first[32:] != second[32:]


@pytest.mark.parametrize("place", [0, 20, 30, 50, 70, CHUNK - 1, CHUNK, 2 * CHUNK + 5, -1])
def test_a_changed_bit_is_found(place: int) -> None:
    stored = bytearray(b"".join(sealed(secrets.token_bytes(3 * CHUNK))))
    stored[place] ^= 1
    with pytest.raises((cipher.BrokenSealError, cipher.WrongKeyError)):
        opened(bytes(stored))


def test_chunks_that_are_missing_or_elsewhere_are_found() -> None:
    a, b, c, d = sealed(secrets.token_bytes(3 * CHUNK))
    other = sealed(secrets.token_bytes(3 * CHUNK))
    wrong = [[a, b], [a, b, c], [a, c, b, d], [a, b, b, d], [a, other[1], c, d], [a, b, c, d, d]]
    for chunks in wrong:
        with pytest.raises(cipher.BrokenSealError):
            opened(b"".join(chunks))


def test_another_key_is_told_from_damage() -> None:
    with pytest.raises(cipher.WrongKeyError):
        opened(b"".join(sealed(b"data")), cipher.Key(bytes(32)))


@pytest.mark.parametrize("stored", [b"", b"x" * 63, b"x" * 64, b"jetstow-sealed-1" + bytes(48)])
def test_what_was_never_sealed_is_no_object(stored: bytes) -> None:
    with pytest.raises(cipher.BrokenSealError):
        opened(stored)


@pytest.mark.parametrize("wrong", [b"", b"x" * 31, b"x" * 33, "x" * 32])
def test_a_key_has_32_bytes(wrong: bytes) -> None:
    with pytest.raises(InvalidOptionError, match="32 bytes"):
        cipher.Key(wrong)


def test_a_key_stays_where_it_is() -> None:
    assert repr(KEY) == "<key>"
    for leave in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError, match="not to be pickled"):
            leave(KEY)
