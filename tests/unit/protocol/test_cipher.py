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
NAME = cipher.Identity("bucket", "name")
CHUNK = cipher.MIN_CHUNK_SIZE


def encrypt(data: bytes, pieces: int = 1, key: cipher.Key = KEY) -> list[bytes]:
    encryptor, chunks = cipher.Encryptor(key, CHUNK, NAME), list[bytes]()
    step = max(1, -(-len(data) // pieces))
    for start in range(0, len(data), step):
        chunks += encryptor.update(data[start : start + step])
    return [*chunks, encryptor.finalize()]


def decrypt(stored: bytes, key: cipher.Key = KEY, name: cipher.Identity = NAME) -> bytes:
    decryptor = cipher.Decryptor.from_preamble(key, stored)
    decryptor.check_name(stored, [name])
    starts = range(0, len(stored), decryptor.chunk_size)
    return b"".join(
        decryptor.decrypt(
            number, stored[start : start + decryptor.chunk_size], last=number == len(starts) - 1
        )
        for number, start in enumerate(starts)
    )


SIZES = sorted(
    {0, 1}
    | {first + step * (CHUNK - 16) + off
       for first in (CHUNK - 96,) for step in (0, 1, 3) for off in (-1, 0, 1)}
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
    assert cipher.Layout(CHUNK, size, bytes(24)).stored_size == len(stored)


def test_layout_of_what_was_encrypted() -> None:
    encryptor = cipher.Encryptor(KEY, CHUNK, NAME)
    stored = b"".join([*encryptor.update(bytes(5000)), encryptor.finalize()])
    assert (encryptor.layout.chunk_size, encryptor.layout.size) == (CHUNK, 5000)
    assert encryptor.layout.stored_size == len(stored)


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


@pytest.mark.parametrize("place", [0, 20, 30, 50, 70, 79, 80, CHUNK - 1, CHUNK, 2 * CHUNK + 5, -1])
def test_changed_bit_raises(place: int) -> None:
    stored = bytearray(b"".join(encrypt(secrets.token_bytes(3 * CHUNK))))
    stored[place] ^= 1
    errors = (cipher.DecryptionError, cipher.WrongKeyError, cipher.WrongNameError)
    with pytest.raises(errors):
        decrypt(bytes(stored))


def test_missing_or_moved_chunks_raise() -> None:
    a, b, c, d = encrypt(secrets.token_bytes(3 * CHUNK))
    other = encrypt(secrets.token_bytes(3 * CHUNK))
    wrong = [[a, b], [a, b, c], [a, c, b, d], [a, b, b, d], [a, other[1], c, d], [a, b, c, d, d]]
    for chunks in wrong:
        with pytest.raises(cipher.DecryptionError):
            decrypt(b"".join(chunks))


@pytest.mark.parametrize("name", [("bucket", "nam"), ("bucke", "tname"), ("", "bucketname")])
def test_wrong_name_raises_its_own_error(name: tuple[str, str]) -> None:
    with pytest.raises(cipher.WrongNameError):
        decrypt(b"".join(encrypt(b"data")), name=cipher.Identity(*name))


def test_wrong_key_raises_its_own_error() -> None:
    with pytest.raises(cipher.WrongKeyError):
        decrypt(b"".join(encrypt(b"data")), cipher.Key(bytes(32)))


@pytest.mark.parametrize("stored", [b"", b"x" * 79, b"x" * 80, b"jetstow-sealed-1" + bytes(64)])
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
