"""Bodies: `aws-chunked` in all its forms, chunked transfers, unread and unfinished bodies."""

from __future__ import annotations

import base64
import hashlib
import zlib
from typing import TYPE_CHECKING

import pytest

from tests.support.aws_chunks import signed_chunks, unsigned_chunks
from tests.support.gateway import OTHER, OWNER
from tests.support.s3_http import connect, request_head, send, send_signed, signed_headers

if TYPE_CHECKING:
    from tests.support.gateway import RunningGateway
    from tests.support.s3_http import Response

SIGNED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
UNSIGNED = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
PIECES = [b"a" * 9000, b"b" * 8192, b"c"]
DATA = b"".join(PIECES)
CRC32 = base64.b64encode(zlib.crc32(DATA).to_bytes(4, "big")).decode()


def chunk_headers(trailer: str = "", size: int = len(DATA)) -> dict[str, str]:
    headers = {
        "x-amz-decoded-content-length": str(size),
        "Content-Encoding": "gzip, aws-chunked",
    }
    return headers | ({"x-amz-trailer": trailer} if trailer else {})


def put_unsigned(
    gateway: RunningGateway, target: str, body: bytes, headers: dict[str, str]
) -> Response:
    signed = signed_headers(gateway, "PUT", target, headers=headers, payload_hash=UNSIGNED)
    return send(gateway, "PUT", target, headers=signed, body=body)


@pytest.mark.parametrize("has_trailer", [True, False])
def test_unsigned_chunks(gateway: RunningGateway, s3_bucket: str, has_trailer: bool) -> None:
    target = f"/{s3_bucket}/a"
    trailers = {"x-amz-checksum-crc32": CRC32} if has_trailer else {}
    headers = chunk_headers("x-amz-checksum-crc32" if has_trailer else "")
    put = put_unsigned(gateway, target, unsigned_chunks(PIECES, trailers), headers)
    assert put.status == 200, put.body
    got = send_signed(gateway, "GET", target)
    assert got.body == DATA
    assert got.headers["content-encoding"] == "gzip"
    assert got.headers["etag"] == f'"{hashlib.md5(DATA).hexdigest()}"'


@pytest.mark.parametrize(
    ("trailers", "code"),
    [
        ({"x-amz-checksum-crc32": "AAAAAA=="}, "BadDigest"),
        ({"x-amz-checksum-crc32": "nonsense"}, "InvalidRequest"),
        ({}, "MalformedTrailerError"),
    ],
)
def test_wrong_trailer(
    gateway: RunningGateway, s3_bucket: str, trailers: dict[str, str], code: str
) -> None:
    target = f"/{s3_bucket}/a"
    body = unsigned_chunks(PIECES, trailers)
    put = put_unsigned(gateway, target, body, chunk_headers("x-amz-checksum-crc32"))
    assert (put.status, put.code) == (400, code)
    assert send_signed(gateway, "GET", target).code == "NoSuchKey"


@pytest.mark.parametrize("size", [len(DATA) - 1, len(DATA) + 1])
def test_wrong_decoded_length(gateway: RunningGateway, s3_bucket: str, size: int) -> None:
    target = f"/{s3_bucket}/a"
    put = put_unsigned(gateway, target, unsigned_chunks(PIECES, {}), chunk_headers(size=size))
    assert (put.status, put.code) == (400, "IncompleteBody")
    assert send_signed(gateway, "GET", target).code == "NoSuchKey"


@pytest.mark.parametrize("trailers", [None, {"x-amz-checksum-crc32": CRC32}])
def test_signed_chunks(
    gateway: RunningGateway, s3_bucket: str, trailers: dict[str, str] | None
) -> None:
    target = f"/{s3_bucket}/a"
    headers = signed_headers(
        gateway, "PUT", target,
        headers=chunk_headers("x-amz-checksum-crc32" if trailers else ""),
        payload_hash=SIGNED + ("-TRAILER" if trailers else ""),
    )  # fmt: skip
    body = signed_chunks(PIECES, headers, OWNER, trailers)
    put = send(gateway, "PUT", target, headers=headers, body=body)
    assert put.status == 200, put.body
    assert send_signed(gateway, "GET", target).body == DATA
    forged = body.replace(b"bbbb", b"bbbc", 1)
    put = send(gateway, "PUT", target, headers=headers, body=forged)
    assert (put.status, put.code) == (403, "SignatureDoesNotMatch")
    assert send_signed(gateway, "GET", target).body == DATA


def test_chunked_transfer_without_length(gateway: RunningGateway, s3_bucket: str) -> None:
    target = f"/{s3_bucket}/a"
    headers = signed_headers(gateway, "PUT", target) | {"Transfer-Encoding": "chunked"}
    assert send(gateway, "PUT", target, headers=headers, body=iter(PIECES)).status == 200
    assert send_signed(gateway, "GET", target).body == DATA


def test_put_without_length(gateway: RunningGateway, s3_bucket: str) -> None:
    headers = signed_headers(gateway, "PUT", f"/{s3_bucket}/a")
    with connect(gateway) as connection:
        head = request_head("PUT", f"/{s3_bucket}/a", {"Host": _host(gateway), **headers})
        connection.sendall(head)
        assert connection.recv(65536).startswith(b"HTTP/1.1 411 ")


def test_refusal_comes_before_100_continue(gateway: RunningGateway, s3_bucket: str) -> None:
    target = f"/{s3_bucket}/a"
    headers = {
        "Host": _host(gateway), "Content-Length": "100", "Expect": "100-continue",
        **signed_headers(gateway, "PUT", target, key=OTHER),
    }  # fmt: skip
    with connect(gateway) as connection:
        connection.sendall(request_head("PUT", target, headers))
        received = b""
        while piece := connection.recv(65536):  # it ends: the connection is closed
            received += piece
    assert received.startswith(b"HTTP/1.1 403 ")
    assert b"connection: close" in received
    assert b"<Code>AccessDenied</Code>" in received


def test_empty_body_after_100_continue(gateway: RunningGateway, s3_bucket: str) -> None:
    """The response came without "100 Continue", and botocore could not parse the next one."""
    target = f"/{s3_bucket}/a"
    expected = {"Host": _host(gateway), "Content-Length": "0", "Expect": "100-continue"}
    for key, status in ((OWNER, b"HTTP/1.1 100 "), (OTHER, b"HTTP/1.1 403 ")):
        headers = expected | signed_headers(gateway, "PUT", target, key=key)
        with connect(gateway) as connection:
            connection.sendall(request_head("PUT", target, headers))
            received = b""
            while b"\r\n\r\n" not in received.removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n"):
                received += connection.recv(65536)
        assert received.startswith(status)
        assert (b"connection: close" in received) == (key is OTHER)


def test_unread_body_does_not_confuse_the_next_request(
    gateway: RunningGateway, s3_bucket: str
) -> None:
    target = f"/{s3_bucket}/a"
    headers = {
        "Host": _host(gateway), "Content-Length": "1000",
        **signed_headers(gateway, "PUT", target, key=OTHER),
    }  # fmt: skip
    head = request_head("PUT", target, headers)
    with connect(gateway) as connection:
        for _ in range(2):
            connection.sendall(head + b"x" * 1000)
            received = b""
            while b"</Error>" not in received:
                received += connection.recv(65536)
            assert received.startswith(b"HTTP/1.1 403 ")


def test_headers_too_large(gateway: RunningGateway) -> None:
    with connect(gateway) as connection:
        lines = [f"x-header-{number}: {number}" for number in range(300)]
        connection.sendall("\r\n".join(["GET / HTTP/1.1", "Host: a", *lines, ""]).encode())
        received = b""
        while piece := connection.recv(65536):
            received += piece
    assert b"<Code>RequestHeaderSectionTooLarge</Code>" in received


def _host(gateway: RunningGateway) -> str:
    return f"{gateway.host}:{gateway.port}"
