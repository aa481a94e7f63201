"""Bodies in `aws-chunked` that are not as their encoding demands."""

from __future__ import annotations

import hashlib

import pytest

from jetstow.s3.auth import signature
from jetstow.s3.auth.signature import ChunkSigner, Scope
from jetstow.s3.body import aws_chunked
from jetstow.s3.body.aws_chunked import AwsChunkedDecoder
from jetstow.s3.errors import S3Error

SCOPE = Scope("20260102", "us-east-1")
TIME = "20260102T030405Z"
KEY = signature.signing_key("secret", SCOPE)
SEED = "0" * 64
TRAILERS = b"".join(b"%d:1\r\n" % number for number in range(aws_chunked.MAX_TRAILERS + 1))


def decode(body: bytes, *, has_trailer: bool = True, is_signed: bool = False) -> bytes:
    """Return the decoded bytes, which are the same for each division of the body."""
    results = []
    for size in (1, 7, len(body) or 1):
        signer = ChunkSigner(KEY, TIME, SCOPE, SEED) if is_signed else None
        decoder = AwsChunkedDecoder(signer, has_trailer=has_trailer)
        pieces = [body[at : at + size] for at in range(0, len(body), size)]
        results.append(b"".join(b"".join(decoder.feed(piece)) for piece in pieces))
        decoder.finish()
    assert len(set(results)) == 1
    return results[0]


def signed_body(*chunks: bytes, trailer: bytes = b"", declared: int | None = None) -> bytes:
    previous, body = SEED, b""

    def sign(kind: str, content: str) -> str:
        return signature.sign(
            KEY, f"AWS4-HMAC-SHA256-{kind}\n{TIME}\n{SCOPE}\n{previous}\n{content}"
        )

    for chunk in (*chunks, b""):
        digest = hashlib.sha256(chunk).hexdigest()
        previous = sign("PAYLOAD", f"{signature.EMPTY_SHA256}\n{digest}")
        size = len(chunk) if declared is None else declared
        body += b"%x;chunk-signature=%s\r\n" % (size, previous.encode())
        body += chunk + b"\r\n" if chunk else b""
    if not trailer:
        return body + b"\r\n"
    given = sign("TRAILER", hashlib.sha256(trailer + b"\n").hexdigest()).encode()
    return body + trailer + b"\r\nx-amz-trailer-signature:" + given + b"\r\n\r\n"


def test_chunks_and_trailers() -> None:
    body = b"5\r\nhello\r\n6\r\n world\r\n0\r\nx-amz-checksum-crc32: AAAAAA==\r\n\r\n"
    decoder = AwsChunkedDecoder(None, has_trailer=True)
    assert b"".join(decoder.feed(body)) == decode(body) == b"hello world"
    assert decoder.trailers == {"x-amz-checksum-crc32": "AAAAAA=="}
    body = signed_body(b"hello", b" world")
    assert decode(body, is_signed=True, has_trailer=False) == b"hello world"
    trailer = b"x-amz-checksum-crc32:AAAAAA=="
    assert decode(signed_body(b"hello", trailer=trailer), is_signed=True) == b"hello"
    assert decode(b"0\r\n\r\n", has_trailer=False) == b""


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "IncompleteBody"),
        (b"5\r\nhel", "IncompleteBody"),
        (b"5\r\nhello\r\n", "IncompleteBody"),
        (b"5\r\nhello\r\n0\r\n", "IncompleteBody"),
        (b"5\r\nhello world\r\n0\r\n\r\n", "IncompleteBody"),
        (b"0\r\n\r\n0\r\n\r\n", "IncompleteBody"),
        (b"-5\r\nhello\r\n0\r\n\r\n", "IncompleteBody"),
        (b"5;other=1\r\nhello\r\n0\r\n\r\n", "IncompleteBody"),
        (b"\r\n\r\n", "IncompleteBody"),
        (b"1" * (aws_chunked.MAX_LINE + 1), "IncompleteBody"),
        (b"0\r\nno colon\r\n\r\n", "MalformedTrailerError"),
        (b"0\r\na:1\r\nA:2\r\n\r\n", "MalformedTrailerError"),
        (b"0\r\n" + TRAILERS + b"\r\n", "MalformedTrailerError"),
    ],
)
def test_malformed_body(body: bytes, code: str) -> None:
    with pytest.raises(S3Error) as raised:
        decode(body)
    assert raised.value.code == code


def test_trailer_that_was_not_declared() -> None:
    with pytest.raises(S3Error, match="MalformedTrailerError"):
        decode(b"0\r\na:1\r\n\r\n", has_trailer=False)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (signed_body(b"hello").replace(b"hello", b"hallo"), "SignatureDoesNotMatch"),
        (signed_body(b"a", b"b").replace(b"a\r\n", b"b\r\n"), "SignatureDoesNotMatch"),
        (b"5\r\nhello\r\n0\r\n\r\n", "SignatureDoesNotMatch"),
        (signed_body(trailer=b"a:1").replace(b"a:1", b"a:2"), "SignatureDoesNotMatch"),
        (signed_body(b"a", declared=aws_chunked.MAX_SIGNED_CHUNK + 1), "EntityTooLarge"),
    ],
)
def test_signed_body_that_was_changed(body: bytes, code: str) -> None:
    with pytest.raises(S3Error) as raised:
        decode(body, is_signed=True, has_trailer=b"trailer" in body)
    assert raised.value.code == code
