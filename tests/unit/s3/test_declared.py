"""What a request declares about its body: values that are not valid or contradict each other."""

from __future__ import annotations

import pytest

from jetstow.s3.auth.authenticate import UNSIGNED_CHUNKS_TRAILER, Identity
from jetstow.s3.auth.signature import UNSIGNED_PAYLOAD
from jetstow.s3.body.declared import Declared, parse_declared
from jetstow.s3.body.raw import RawBody
from jetstow.s3.errors import S3Error
from jetstow.s3.request import parse_request

CRC32 = "x-amz-checksum-crc32"
LENGTH = "x-amz-decoded-content-length"


def declared(payload_hash: str = UNSIGNED_PAYLOAD, **headers: str) -> Declared:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {
        "method": "PUT", "scheme": "http", "client": None, "raw_path": b"/b/k",
        "query_string": b"", "headers": raw,
    }  # fmt: skip
    request = parse_request(scope, "ID", ())

    async def receive() -> dict[str, object]:
        raise AssertionError("the body is not read")

    return parse_declared(request, Identity(None, payload_hash), RawBody(request.headers, receive))


def test_default_and_wished_algorithms() -> None:
    assert declared().algorithm.name == "CRC64NVME"
    assert not declared().is_chosen
    wished = declared(x_amz_sdk_checksum_algorithm="sha1")
    assert (wished.algorithm.name, wished.checksum, wished.is_chosen) == ("SHA1", None, True)
    given = declared(x_amz_checksum_crc32="AAAAAQ==", x_amz_sdk_checksum_algorithm="CRC32")
    assert given.checksum == b"\0\0\0\1"
    trailer = declared(x_amz_trailer=CRC32)
    assert (trailer.algorithm.name, trailer.in_trailer) == ("CRC32", True)
    assert declared(UNSIGNED_CHUNKS_TRAILER, x_amz_decoded_content_length="7").size == 7


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"content_md5": "abc"}, "InvalidDigest"),
        ({"content_md5": "AAAA"}, "InvalidDigest"),
        ({"x_amz_checksum_crc32": "AAAA"}, "InvalidRequest"),
        ({"x_amz_checksum_crc32": "?"}, "InvalidRequest"),
        ({"x_amz_checksum_new": "AAAA"}, "InvalidRequest"),
        ({"x_amz_trailer": "x-amz-checksum-new"}, "InvalidRequest"),
        ({"x_amz_checksum_crc32": "AAAAAQ==", "x_amz_trailer": CRC32}, "InvalidRequest"),
        ({"x_amz_checksum_crc32": "AAAAAQ==", "x_amz_checksum_sha1": "A"}, "InvalidRequest"),
        ({"x_amz_sdk_checksum_algorithm": "MD4"}, "InvalidRequest"),
        (
            {"x_amz_sdk_checksum_algorithm": "SHA1", "x_amz_checksum_crc32": "AAAAAQ=="},
            "InvalidRequest",
        ),
    ],
)
def test_contradictory_headers(headers: dict[str, str], code: str) -> None:
    with pytest.raises(S3Error) as raised:
        declared(**headers)
    assert raised.value.code == code


@pytest.mark.parametrize(
    ("length", "code"),
    [(None, "MissingContentLength"), ("-1", "InvalidArgument"), ("\u0667", "InvalidArgument")],
)
def test_length_of_a_chunked_body(length: str | None, code: str) -> None:
    with pytest.raises(S3Error) as raised:
        declared(UNSIGNED_CHUNKS_TRAILER, **({} if length is None else {LENGTH: length}))
    assert raised.value.code == code
