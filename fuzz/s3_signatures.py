"""The parsers of the S3 gateway for what is signed: requests, and `aws-chunked` bodies."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Sequence
from typing import Final

from jetstow.s3 import Key, Keys
from jetstow.s3.auth import signature
from jetstow.s3.auth.authenticate import authenticate
from jetstow.s3.auth.signature import ChunkSigner, Scope
from jetstow.s3.body.aws_chunked import AwsChunkedDecoder
from jetstow.s3.errors import S3Error
from jetstow.s3.request import parse_request

KEY: Final = Key("KEY", "secret", "owner")
KEYS: Final = Keys((KEY,))
NOW: Final = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)
TIME: Final = "20260102T030405Z"
SCOPE: Final = Scope("20260102", "us-east-1")
SIGNING_KEY: Final = signature.signing_key(KEY.secret_key, SCOPE)
CREDENTIAL: Final = f"KEY/{SCOPE}"
PAYLOAD: Final = "UNSIGNED-PAYLOAD"


# -- signatures ----------------------------------------------------------------------------


def check_signature(data: bytes) -> None:
    """A request is anonymous, refused, or has one of the signatures of the seeds."""
    head, *lines = data.split(b"\n")
    method, _, target = head.partition(b" ")
    path, _, query = target.partition(b"?")
    pairs = [line.partition(b":") for line in lines]
    scope = {
        "method": method.decode("latin-1"), "scheme": "http", "client": None, "raw_path": path,
        "query_string": query, "headers": [(name.lower(), value) for name, _, value in pairs],
    }  # fmt: skip
    try:
        request = parse_request(scope, "ID", ("s3.example.com",))
        identity = authenticate(request, KEYS, NOW)
    except S3Error:
        return
    assert identity.key is None or any(given in data for given in _SIGNATURES)


def _signed(
    method: str, path: str, query: str, headers: dict[str, str], *, by_query: bool
) -> bytes:
    """Return a request in the form that `check_signature` reads."""
    names = ";".join(sorted(headers))
    if by_query:
        query = (
            f"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={CREDENTIAL.replace('/', '%2F')}"
            f"&X-Amz-Date={TIME}&X-Amz-Expires=60&X-Amz-SignedHeaders={names}"
        )
    lines = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope = {
        "method": method, "scheme": "http", "client": None, "raw_path": path.encode(),
        "query_string": query.encode(), "headers": lines,
    }  # fmt: skip
    request = parse_request(scope, "ID", ())
    (string,) = signature.strings_to_sign(request, sorted(headers), PAYLOAD, TIME, SCOPE)
    given = signature.sign(SIGNING_KEY, string)
    _SIGNATURES.append(given.encode())
    if by_query:
        query += f"&X-Amz-Signature={given}"
    else:
        value = f"Credential={CREDENTIAL}, SignedHeaders={names}, Signature={given}"
        lines.append((b"authorization", f"AWS4-HMAC-SHA256 {value}".encode()))
    head = f"{method} {path}?{query}".encode()
    return b"\n".join((head, *(b":".join(pair) for pair in lines)))


_SIGNATURES: Final[list[bytes]] = []
SIGNATURE_SEEDS: Final = (
    _signed(
        "PUT",
        "/b/a%20b",
        "tagging&x=%C3%BC",
        {"host": "h", "x-amz-date": TIME, "x-amz-content-sha256": PAYLOAD},
        by_query=False,
    ),
    _signed("GET", "/b/a%2Fb//c", "", {"host": "b.s3.example.com:9000"}, by_query=True),
    b"GET /b/k?AWSAccessKeyId=KEY&Signature=x&Expires=1\nhost:h",
)


# -- aws-chunked ---------------------------------------------------------------------------

CONTENT: Final = b"hello world, in three chunks"
_SEED_SIGNATURE: Final = "0" * 64


def check_aws_chunked(data: bytes) -> None:
    """The division of a body does not matter. Signed chunks give bytes that were signed only."""
    for is_signed, has_trailer in ((False, True), (True, False), (True, True)):
        whole = _decode(is_signed, has_trailer, [data])
        pieces = [data[at : at + 3] for at in range(0, len(data), 3)]
        in_pieces = _decode(is_signed, has_trailer, pieces)
        assert in_pieces[1:] == whole[1:]
        if is_signed:
            assert CONTENT.startswith(whole[0])
            assert CONTENT.startswith(in_pieces[0])
        elif whole[1] is None:
            assert whole[0] == in_pieces[0]


def _decode(
    is_signed: bool, has_trailer: bool, pieces: Sequence[bytes]
) -> tuple[bytes, str | None, dict[str, str]]:
    """Return the decoded bytes, the code of the error or None, and the trailers without error."""
    signer = ChunkSigner(SIGNING_KEY, TIME, SCOPE, _SEED_SIGNATURE) if is_signed else None
    decoder, decoded = AwsChunkedDecoder(signer, has_trailer=has_trailer), b""
    try:
        for piece in pieces:
            decoded += b"".join(decoder.feed(piece))
        decoder.finish()
    except S3Error as error:
        return decoded, error.code, {}
    return decoded, None, decoder.trailers


def _signed_body(*, has_trailer: bool) -> bytes:
    previous, prefix = _SEED_SIGNATURE, f"{TIME}\n{SCOPE}"

    def sign(kind: str, content: str) -> str:
        return signature.sign(
            SIGNING_KEY, f"AWS4-HMAC-SHA256-{kind}\n{prefix}\n{previous}\n{content}"
        )

    body = b""
    for piece in (CONTENT[:5], CONTENT[5:20], CONTENT[20:], b""):
        digest = hashlib.sha256(piece).hexdigest()
        previous = sign("PAYLOAD", f"{signature.EMPTY_SHA256}\n{digest}")
        body += b"%x;chunk-signature=%s\r\n" % (len(piece), previous.encode())
        body += piece + b"\r\n" if piece else b""
    if not has_trailer:
        return body + b"\r\n"
    digest = hashlib.sha256(b"x-amz-checksum-crc32:AAAAAA==\n").hexdigest()
    given = sign("TRAILER", digest).encode()
    return body + b"x-amz-checksum-crc32:AAAAAA==\r\nx-amz-trailer-signature:%s\r\n\r\n" % given


CHUNKED_SEEDS: Final = (
    b"5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n",
    b"0\r\n\r\n",
    _signed_body(has_trailer=False),
    _signed_body(has_trailer=True),
)
