"""GetObject and HeadObject: ranges, parts, headers that are kept and headers that are replaced."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from jetstow.s3 import send_timeout
from tests.support.cli import wait_until
from tests.support.gateway import OWNER
from tests.support.s3_http import (
    connect,
    presigned_target,
    request_head,
    send,
    send_signed,
    signed_headers,
)

if TYPE_CHECKING:
    from tests.support.gateway import RunningGateway

DATA = os.urandom(400_000)


@pytest.fixture
def large(s3: Any, s3_bucket: str) -> dict[str, str]:
    s3.put_object(Bucket=s3_bucket, Key="large", Body=DATA)
    return {"Bucket": s3_bucket, "Key": "large"}


@pytest.mark.parametrize(
    ("text", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=4-7", 4, 8),
        ("bytes=131072-262143", 131072, 262144),
        ("bytes=399990-", 399990, 400000),
        ("bytes=-7", 399993, 400000),
        ("bytes=-999999", 0, 400000),
        ("bytes=10-999999", 10, 400000),
    ],
)
def test_range(s3: Any, large: dict[str, str], text: str, start: int, stop: int) -> None:
    got = s3.get_object(**large, Range=text)
    assert got["ResponseMetadata"]["HTTPStatusCode"] == 206
    assert got["ContentRange"] == f"bytes {start}-{stop - 1}/400000"
    assert got["Body"].read() == DATA[start:stop]
    head = s3.head_object(**large, Range=text)
    assert head["ResponseMetadata"]["HTTPStatusCode"] == 206
    assert head["ContentLength"] == stop - start
    assert head["ContentRange"] == got["ContentRange"]


@pytest.mark.parametrize("text", ["bytes=400000-", "bytes=500000-500001", "bytes=-0"])
def test_range_without_bytes(gateway: RunningGateway, large: dict[str, str], text: str) -> None:
    response = send_signed(gateway, "GET", f"/{large['Bucket']}/large", headers={"Range": text})
    assert (response.status, response.code) == (416, "InvalidRange")
    assert response.headers["content-range"] == "bytes */400000"
    assert response.field("ActualObjectSize") == "400000"


def test_range_of_an_empty_object(s3: Any, s3_bucket: str) -> None:
    s3.put_object(Bucket=s3_bucket, Key="a", Body=b"")
    with pytest.raises(ClientError, match="InvalidRange"):
        s3.get_object(Bucket=s3_bucket, Key="a", Range="bytes=40-50")


@pytest.mark.parametrize("text", ["bytes=7-4", "bytes=a-b", "lines=1-2", "bytes=0-1,4-5"])
def test_range_that_is_ignored(s3: Any, large: dict[str, str], text: str) -> None:
    got = s3.get_object(**large, Range=text)
    assert got["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert got["ContentLength"] == len(DATA)


def test_checksum_of_whole_objects_only(s3: Any, s3_bucket: str) -> None:
    target = {"Bucket": s3_bucket, "Key": "a"}
    s3.put_object(**target, Body=b"hello", ChecksumAlgorithm="CRC32C")
    headers = s3.get_object(**target)["ResponseMetadata"]["HTTPHeaders"]
    assert "x-amz-checksum-crc32c" in headers  # boto3 asks for it by default
    part = s3.get_object(**target, Range="bytes=0-1", ChecksumMode="ENABLED")
    assert "ChecksumCRC32C" not in part
    head = s3.head_object(**target, ChecksumMode="ENABLED")
    assert (head["ChecksumCRC32C"], head["ChecksumType"]) == ("mnG7TA==", "FULL_OBJECT")
    assert "ChecksumCRC32C" not in s3.head_object(**target)


def test_part_of_a_plain_object(s3: Any, large: dict[str, str]) -> None:
    got = s3.get_object(**large, PartNumber=1)
    assert got["Body"].read() == DATA
    assert "PartsCount" not in got
    assert s3.head_object(**large, PartNumber=1)["ContentLength"] == len(DATA)
    with pytest.raises(ClientError, match="InvalidPart"):
        s3.get_object(**large, PartNumber=2)
    with pytest.raises(ClientError, match="InvalidArgument"):
        s3.get_object(**large, PartNumber=0)
    with pytest.raises(ClientError, match="InvalidRequest"):
        s3.get_object(**large, PartNumber=1, Range="bytes=0-1")


def test_content_headers_come_back_as_sent(gateway: RunningGateway, s3_bucket: str) -> None:
    sent = {
        "Content-Type": "text/html; charset=UTF-8",
        "Content-Encoding": "gzip, br",
        "Content-Language": "de, en",
        "Content-Disposition": 'attachment; filename="a b.txt"',
        "Cache-Control": "public, max-age=14400",
        "Expires": "0",
    }
    send_signed(gateway, "PUT", f"/{s3_bucket}/a", headers=sent, body=b"x")
    for method in ("GET", "HEAD"):
        response = send_signed(gateway, method, f"/{s3_bucket}/a")
        assert {name: response.headers[name.lower()] for name in sent} == sent


@pytest.mark.parametrize(
    ("sent", "stored"),
    [("aws-chunked", None), ("gzip, aws-chunked", "gzip"), ("aws-chunked,gzip", "gzip")],
)
def test_aws_chunked_is_no_content_encoding(
    gateway: RunningGateway, s3_bucket: str, sent: str, stored: str | None
) -> None:
    headers = {"Content-Encoding": sent}
    send_signed(gateway, "PUT", f"/{s3_bucket}/a", headers=headers, body=b"x")
    assert send_signed(gateway, "GET", f"/{s3_bucket}/a").headers.get("content-encoding") == stored


def test_metadata_comes_back_byte_for_byte(gateway: RunningGateway, s3_bucket: str) -> None:
    sent = {
        "X-Amz-Meta-Latin": "w\xe9rt \xff",
        "x-amz-meta-utf8": "wért €".encode().decode("latin-1"),
        "x-amz-meta-empty": "",
        "x-amz-meta-UPPER-Case": "A",
    }
    send_signed(gateway, "PUT", f"/{s3_bucket}/a", headers=sent, body=b"x")
    headers = send_signed(gateway, "HEAD", f"/{s3_bucket}/a").headers
    found = {name: value for name, value in headers.items() if name.startswith("x-amz-meta-")}
    assert found == {name.lower(): value for name, value in sent.items()}


OVERRIDES = {
    "response-cache-control": "no-cache",
    "response-content-disposition": "inline; filename=b",
    "response-content-encoding": "identity",
    "response-content-language": "esperanto",
    "response-content-type": "foo/bar",
    "response-expires": "Thu, 01 Dec 1994 16:00:00 GMT",
}


def test_response_headers_of_the_query(gateway: RunningGateway, s3: Any, s3_bucket: str) -> None:
    s3.put_object(Bucket=s3_bucket, Key="a", Body=b"x", ContentType="text/plain")
    arguments = {
        "".join(word.title() for word in name.split("-")): value
        for name, value in OVERRIDES.items()
    }
    url = s3.generate_presigned_url(
        "get_object", Params={"Bucket": s3_bucket, "Key": "a", **arguments}
    )
    response = send(gateway, "GET", url.removeprefix(gateway.url))
    assert response.status == 200
    for name, value in OVERRIDES.items():
        assert response.headers[name.removeprefix("response-")] == value


def test_response_headers_need_a_signature(gateway: RunningGateway, s3_bucket: str) -> None:
    target = f"/{s3_bucket}/a"
    signed = presigned_target(gateway, "GET", target, key=OWNER)
    changed = f"{signed}&response-content-type=text%2Fhtml"
    assert send(gateway, "GET", changed).code == "SignatureDoesNotMatch"


def test_version_null(s3: Any, large: dict[str, str]) -> None:
    assert s3.head_object(**large, VersionId="null")["ContentLength"] == len(DATA)
    with pytest.raises(ClientError, match="NoSuchVersion"):
        s3.get_object(**large, VersionId="abc")
    with pytest.raises(ClientError, match="NoSuchVersion"):
        s3.delete_object(**large, VersionId="abc")
    s3.delete_object(**large, VersionId="null")
    with pytest.raises(ClientError, match="NoSuchKey"):
        s3.get_object(**large)


def test_client_that_does_not_read(
    gateway: RunningGateway, s3: Any, s3_bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its connection stayed open forever, with megabytes of buffers."""
    monkeypatch.setattr(send_timeout, "_INTERVAL", 0.05)
    size = 16 * 1024 * 1024
    s3.put_object(Bucket=s3_bucket, Key="large", Body=bytes(size))
    assert gateway.gateway is not None
    registry = gateway.gateway.metrics.registry
    labels = {"operation": "GetObject", "status": "499"}

    def dropped() -> float:
        return registry.get_sample_value("jetstow_s3_requests_total", labels) or 0

    before, target = dropped(), f"/{s3_bucket}/large"
    headers = {"Host": f"{gateway.host}:{gateway.port}", **signed_headers(gateway, "GET", target)}
    with connect(gateway) as connection:
        connection.sendall(request_head("GET", target, headers))
        wait_until(lambda: dropped() > before)
        with suppress(ConnectionResetError):
            while piece := connection.recv(1024 * 1024):
                size -= len(piece)
    assert size > 0
