"""Signatures in headers and in the query, as clients send them and as they are forged."""

from __future__ import annotations

import datetime
import hashlib
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from jetstow.s3 import Key
from tests.support.gateway import OWNER
from tests.support.s3_http import presigned_target, send, send_signed, signed_headers

if TYPE_CHECKING:
    from tests.support.gateway import RunningGateway

STRANGER = Key("NOSUCHKEY", "no-secret")
FORGER = Key(OWNER.access_key, "wrong-secret")


def test_signed_request(gateway: RunningGateway, s3_bucket: str) -> None:
    put = send_signed(gateway, "PUT", f"/{s3_bucket}/a", body=b"hello")
    assert put.status == 200, put.body
    got = send_signed(gateway, "GET", f"/{s3_bucket}/a")
    assert (got.status, got.body) == (200, b"hello")


@pytest.mark.parametrize(
    ("key", "code"), [(STRANGER, "InvalidAccessKeyId"), (FORGER, "SignatureDoesNotMatch")]
)
def test_wrong_key(gateway: RunningGateway, s3_bucket: str, key: Key, code: str) -> None:
    response = send_signed(gateway, "GET", f"/{s3_bucket}", key=key)
    assert (response.status, response.code) == (403, code)
    assert response.field("RequestId") == response.headers["x-amz-request-id"]
    target = presigned_target(gateway, "GET", f"/{s3_bucket}/a", key=key)
    response = send(gateway, "GET", target)
    assert (response.status, response.code) == (403, code)


def test_changed_request(gateway: RunningGateway, s3_bucket: str) -> None:
    headers = signed_headers(gateway, "GET", f"/{s3_bucket}/a")
    response = send(gateway, "GET", f"/{s3_bucket}/b", headers=headers)
    assert (response.status, response.code) == (403, "SignatureDoesNotMatch")
    response = send(gateway, "GET", f"/{s3_bucket}/a", headers=headers | {"x-amz-meta-a": "1"})
    assert (response.status, response.code) == (403, "AccessDenied")


def test_header_with_white_space(gateway: RunningGateway, s3_bucket: str) -> None:
    headers = {"x-amz-meta-a": "one   two"}
    headers = signed_headers(gateway, "PUT", f"/{s3_bucket}/a", headers=headers)
    headers["x-amz-meta-a"] = "  one   two \t "
    assert send(gateway, "PUT", f"/{s3_bucket}/a", headers=headers).status == 200
    got = send_signed(gateway, "HEAD", f"/{s3_bucket}/a")
    assert got.headers["x-amz-meta-a"] == "one   two"


def test_clock_skew(gateway: RunningGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    headers = signed_headers(gateway, "GET", "/")
    assert gateway.gateway is not None
    now = datetime.datetime.now(datetime.UTC)
    for minutes in (-16, 16):
        later = now + datetime.timedelta(minutes=minutes)
        monkeypatch.setattr(gateway.gateway, "clock", lambda later=later: later)
        response = send(gateway, "GET", "/", headers=headers)
        assert (response.status, response.code) == (403, "RequestTimeTooSkewed")


@pytest.mark.parametrize(
    ("authorization", "status", "code"),
    [
        ("AWS HAHAHA:xyz", 400, "InvalidArgument"),
        ("AWS4-HMAC-SHA256 garbage", 400, "AuthorizationHeaderMalformed"),
        (
            "AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=0",
            400,
            "AuthorizationHeaderMalformed",
        ),
        ("", 403, "AccessDenied"),
    ],
)
def test_malformed_authorization(
    gateway: RunningGateway, authorization: str, status: int, code: str
) -> None:
    headers = {"Authorization": authorization, "x-amz-content-sha256": "UNSIGNED-PAYLOAD"}
    response = send(gateway, "GET", "/", headers=headers)
    assert (response.status, response.code) == (status, code)


def test_missing_date(gateway: RunningGateway) -> None:
    """A date that is after the year 9999 in UTC was an internal error."""
    headers = signed_headers(gateway, "GET", "/")
    del headers["X-Amz-Date"]
    for date in ({}, {"Date": "yesterday"}, {"Date": "Fri, 31 Dec 9999 23:59:59 -1000"}):
        response = send(gateway, "GET", "/", headers=headers | date)
        assert (response.status, response.code) == (403, "AccessDenied")


def test_presigned_url(gateway: RunningGateway, s3: Any, s3_bucket: str) -> None:
    put = presigned_target(gateway, "PUT", f"/{s3_bucket}/a%20b")
    assert send(gateway, "PUT", put, body=b"hello").status == 200
    got = send(gateway, "GET", presigned_target(gateway, "GET", f"/{s3_bucket}/a%20b"))
    assert (got.status, got.body) == (200, b"hello")
    params = {"Bucket": s3_bucket, "Key": "a b"}
    url = s3.generate_presigned_url("get_object", Params=params)
    assert send(gateway, "GET", url.removeprefix(gateway.url)).body == b"hello"


@pytest.mark.parametrize("expires", [0, -1, 7 * 24 * 3600 + 1])
def test_presigned_url_with_invalid_expiry(
    gateway: RunningGateway, s3_bucket: str, expires: int
) -> None:
    target = presigned_target(gateway, "GET", f"/{s3_bucket}/a", expires=expires)
    response = send(gateway, "GET", target)
    assert (response.status, response.code) == (403, "AccessDenied")


def test_expired_presigned_url(
    gateway: RunningGateway, s3_bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = presigned_target(gateway, "GET", f"/{s3_bucket}/a", expires=60)
    later = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=62)
    assert gateway.gateway is not None
    monkeypatch.setattr(gateway.gateway, "clock", lambda: later)
    response = send(gateway, "GET", target)
    assert (response.status, response.code) == (403, "AccessDenied")


def test_wrong_payload_hash_stores_nothing(gateway: RunningGateway, s3_bucket: str) -> None:
    hashed = hashlib.sha256(b"other").hexdigest()
    response = send_signed(gateway, "PUT", f"/{s3_bucket}/a", body=b"hello", payload_hash=hashed)
    assert (response.status, response.code) == (400, "XAmzContentSHA256Mismatch")
    assert send_signed(gateway, "GET", f"/{s3_bucket}/a").code == "NoSuchKey"


def test_signature_version_2(gateway: RunningGateway) -> None:
    """boto3 makes presigned URLs of version 2 unless the program asks for `s3v4`."""
    client = gateway.client(signature_version="s3")
    url = client.generate_presigned_url("get_object", Params={"Bucket": "a", "Key": "b"})
    response = send(gateway, "GET", url.removeprefix(gateway.url))
    assert (response.status, response.code) == (400, "InvalidRequest")
    assert "s3v4" in response.field("Message")
    with pytest.raises(ClientError, match="s3v4"):
        client.list_buckets()
