"""The digest: written one way, read in every spelling that is in use, and in no other."""

from __future__ import annotations

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jetstow._core.protocol.digest import Digest, decode


def digest_of(*pieces: bytes) -> Digest:
    digest = Digest()
    for piece in pieces:
        digest.update(piece)
    return digest


@given(st.lists(st.binary(max_size=50)))
def test_it_is_the_sha_256_of_all_pieces_and_fits_itself(pieces: list[bytes]) -> None:
    sha = hashlib.sha256(b"".join(pieces)).digest()
    digest = digest_of(*pieces)
    assert str(digest) == "SHA-256=" + base64.urlsafe_b64encode(sha).decode()
    assert digest.matches(str(digest))
    assert decode(str(digest)) == sha


def test_it_is_written_as_adr_20_has_it() -> None:
    assert str(digest_of(b"hello")) == "SHA-256=LPJNul-wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="


@given(st.binary(max_size=50), st.booleans(), st.booleans(), st.sampled_from(["", "=", "=="]))
def test_the_spellings_of_other_clients_are_read(
    data: bytes, lower: bool, standard: bool, padding: str
) -> None:
    sha = hashlib.sha256(data).digest()
    encoded = (base64.b64encode if standard else base64.urlsafe_b64encode)(sha).decode()
    prefix = "sha-256=" if lower else "SHA-256="
    assert digest_of(data).matches(prefix + encoded.rstrip("=") + padding)


@given(st.binary(max_size=50), st.binary(max_size=50))
def test_other_bytes_do_not_match(one: bytes, other: bytes) -> None:
    assert digest_of(one).matches(str(digest_of(other))) == (one == other)


@pytest.mark.parametrize(
    "written",
    [
        "",
        "SHA-256=",
        "SHA-256",
        "SHA-512=" + "A" * 86,
        "MD5=LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=",
        "LPJNul-wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=",  # no prefix
        "SHA-256=LPJNul-wow4m6DsqxbninhsWHlwfp0JecwQzYpOL",  # too short
        "SHA-256=LPJNul-wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=AAAA",  # goes on
        "SHA-256=LPJNul-wow4m6Dsqxbninhs WHlwfp0JecwQzYpOLmCQ=",  # a space
        "SHA-256=LPJNul-wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCé=",
        " SHA-256=LPJNul-wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=",
    ],
)
def test_what_is_no_digest_matches_nothing(written: str) -> None:
    assert decode(written) is None
    assert not digest_of(b"hello").matches(written)


@given(st.text())
def test_nothing_that_is_written_makes_it_fail(written: str) -> None:
    for text in (written, "SHA-256=" + written):
        raw = decode(text)
        assert raw is None or len(raw) == 32
