"""Encrypted bytes decrypt to the original, or raise an error if they were changed."""

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
CHUNK = cipher.MIN_CHUNK_SIZE


def encrypt(data: bytes, pieces: int = 1, key: cipher.Key = KEY) -> list[bytes]:
    encryptor, chunks = cipher.Encryptor(key, CHUNK), list[bytes]()
    step = max(1, -(-len(data) // pieces))
    for start in range(0, len(data), step):
        chunks += encryptor.update(data[start : start + step])
    return [*chunks, encryptor.finalize()]


def decrypt(stored: bytes, key: cipher.Key = KEY) -> bytes:
    decryptor = cipher.Decryptor(key, len(stored))
    decryptor.read_preamble(stored[: cipher.PREAMBLE_SIZE])
    chunks = range(0, len(stored), decryptor.chunk_size)
    return b"".join(
        decryptor.decrypt(number, stored[start : start + decryptor.chunk_size])
        for number, start in enumerate(chunks)
    )


SIZES = sorted(
    {0, 1}
    | {first + step * (CHUNK - 16) + off
       for first in (CHUNK - 80,) for step in (0, 1, 3) for off in (-1, 0, 1)}
)  # fmt: skip


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("pieces", [1, 2, 7])
def test_round_trip(size: int, pieces: int) -> None:
    data = secrets.token_bytes(size)
    chunks = encrypt(data, pieces)
    assert {len(chunk) for chunk in chunks[:-1]} <= {CHUNK}
    assert len(chunks[-1]) <= CHUNK
    stored = b"".join(chunks)
    assert decrypt(stored) == data
    assert cipher.plaintext_size(len(stored), CHUNK) == size


@given(st.integers(0, 20_000), st.integers(CHUNK, 3 * CHUNK))
def test_chunk_at_offset(offset: int, chunk: int) -> None:
    number, start = cipher.chunk_at(offset, chunk)
    size = chunk - 16 - (0 if number else cipher.PREAMBLE_SIZE)
    assert start <= offset < start + size
    if number:
        assert cipher.chunk_at(start - 1, chunk)[0] == number - 1


def test_ciphertext_hides_plaintext_and_is_random() -> None:
    data = b"attack at dawn" * 200
    first, second = (b"".join(encrypt(data)) for _ in range(2))
    assert b"attack" not in first
    assert first[32:] != second[32:]


@pytest.mark.parametrize("place", [0, 20, 30, 50, 70, CHUNK - 1, CHUNK, 2 * CHUNK + 5, -1])
def test_changed_bit_raises(place: int) -> None:
    stored = bytearray(b"".join(encrypt(secrets.token_bytes(3 * CHUNK))))
    stored[place] ^= 1
    with pytest.raises((cipher.DecryptionError, cipher.WrongKeyError)):
        decrypt(bytes(stored))


def test_missing_or_moved_chunks_raise() -> None:
    a, b, c, d = encrypt(secrets.token_bytes(3 * CHUNK))
    other = encrypt(secrets.token_bytes(3 * CHUNK))
    wrong = [[a, b], [a, b, c], [a, c, b, d], [a, b, b, d], [a, other[1], c, d], [a, b, c, d, d]]
    for chunks in wrong:
        with pytest.raises(cipher.DecryptionError):
            decrypt(b"".join(chunks))


def test_wrong_key_raises_its_own_error() -> None:
    with pytest.raises(cipher.WrongKeyError):
        decrypt(b"".join(encrypt(b"data")), cipher.Key(bytes(32)))


@pytest.mark.parametrize("stored", [b"", b"x" * 63, b"x" * 64, b"jetstow-sealed-1" + bytes(48)])
def test_other_bytes_raise(stored: bytes) -> None:
    with pytest.raises(cipher.DecryptionError):
        decrypt(stored)


@pytest.mark.parametrize("wrong", [b"", b"x" * 31, b"x" * 33, "x" * 32])
def test_key_of_other_size_raises(wrong: bytes) -> None:
    with pytest.raises(InvalidOptionError, match="32 bytes"):
        cipher.Key(wrong)


def test_key_cannot_be_pickled_or_copied() -> None:
    assert repr(KEY) == "<key>"
    for serialize in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError, match="cannot be pickled"):
            serialize(KEY)
