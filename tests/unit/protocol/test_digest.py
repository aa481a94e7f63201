"""Digests: the text form of ADR-20, and the forms that other clients write."""

from __future__ import annotations

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jetstow._core.protocol.digest import Digest, digests_equal, format_digest, parse_digest

HELLO = "SHA-256=LPJNul-wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="


def digest_of(*pieces: bytes) -> Digest:
    digest = Digest()
    for piece in pieces:
        digest.update(piece)
    return digest


@given(st.lists(st.binary(max_size=50)))
def test_digest_of_pieces(pieces: list[bytes]) -> None:
    data = b"".join(pieces)
    sha = hashlib.sha256(data).digest()
    digest = digest_of(*pieces)
    assert str(digest) == str(Digest(data)) == format_digest(sha)
    assert str(digest) == "SHA-256=" + base64.urlsafe_b64encode(sha).decode()
    assert digest.matches(str(digest))
    assert parse_digest(str(digest)) == digest.raw() == sha


def test_text_is_that_of_adr_20() -> None:
    assert str(digest_of(b"hello")) == HELLO


def test_copy_is_independent() -> None:
    digest = digest_of(b"hel")
    copy = digest.copy()
    copy.update(b"lo")
    assert str(copy) == HELLO
    assert str(digest) == str(digest_of(b"hel"))


@given(st.binary(max_size=50), st.booleans(), st.booleans(), st.sampled_from(["", "=", "=="]))
def test_text_of_other_clients_matches(
    data: bytes, lower: bool, standard: bool, padding: str
) -> None:
    sha = hashlib.sha256(data).digest()
    encoded = (base64.b64encode if standard else base64.urlsafe_b64encode)(sha).decode()
    prefix = "sha-256=" if lower else "SHA-256="
    text = prefix + encoded.rstrip("=") + padding
    assert digest_of(data).matches(text)
    assert digests_equal(text, format_digest(sha))


@given(st.binary(max_size=50), st.binary(max_size=50))
def test_digests_of_different_bytes_differ(one: bytes, other: bytes) -> None:
    assert digest_of(one).matches(str(digest_of(other))) == (one == other)
    assert digests_equal(str(Digest(one)), str(Digest(other))) == (one == other)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "SHA-256=",
        "SHA-256",
        "SHA-512=" + "A" * 86,
        "MD5=LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=",
        "LPJNul-wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=",  # no prefix
        "SHA-256=LPJNul-wow4m6DsqxbninhsWHlwfp0JecwQzYpOL",  # too short
        "SHA-256=LPJNul-wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=AAAA",  # data after the padding
        "SHA-256=LPJNul-wow4m6Dsqxbninhs WHlwfp0JecwQzYpOLmCQ=",  # a space
        "SHA-256=LPJNul-wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCé=",
        " SHA-256=LPJNul-wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=",
    ],
)
def test_invalid_text_matches_nothing(text: str) -> None:
    assert parse_digest(text) is None
    assert not digest_of(b"hello").matches(text)
    assert not digests_equal(text, HELLO)
    assert not digests_equal(HELLO, text)


def test_texts_that_are_not_sha_256_equal_themselves() -> None:
    other = "SHA-512=" + "A" * 86
    assert digests_equal(other, other)
    assert not digests_equal(other, "SHA-512=" + "B" * 86)
    assert not digests_equal("", ""), "an empty text is not a digest"


@given(st.text())
def test_any_text_is_parsed_without_error(text: str) -> None:
    for digest in (text, "SHA-256=" + text):
        raw = parse_digest(digest)
        assert raw is None or len(raw) == 32
