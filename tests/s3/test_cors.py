"""CORS: rules, preflight requests, and the headers of other responses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest
from botocore.exceptions import ClientError

from tests.support.s3_http import send, send_signed

if TYPE_CHECKING:
    from tests.support.gateway import RunningGateway

RULES = [
    {
        "ID": "first",
        "AllowedMethods": ["GET", "PUT"],
        "AllowedOrigins": ["https://*.example.com"],
        "AllowedHeaders": ["x-amz-meta-*", "Content-Type"],
        "ExposeHeaders": ["ETag", "x-amz-meta-a"],
        "MaxAgeSeconds": 600,
    },
    {"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]},
]
ORIGIN = "https://www.example.com"
ALLOWED = "access-control-allow-origin"


def code(caught: pytest.ExceptionInfo[ClientError]) -> str:
    return str(caught.value.response["Error"]["Code"])


@pytest.fixture
def cors_bucket(s3: Any, s3_bucket: str) -> str:
    s3.put_bucket_cors(Bucket=s3_bucket, CORSConfiguration={"CORSRules": RULES})
    return s3_bucket


def test_rules(s3: Any, cors_bucket: str) -> None:
    assert s3.get_bucket_cors(Bucket=cors_bucket)["CORSRules"] == RULES
    s3.delete_bucket_cors(Bucket=cors_bucket)
    with pytest.raises(ClientError) as caught:
        s3.get_bucket_cors(Bucket=cors_bucket)
    assert code(caught) == "NoSuchCORSConfiguration"


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"AllowedMethods": ["PATCH"], "AllowedOrigins": ["*"]}, "InvalidRequest"),
        ({"AllowedMethods": ["GET"], "AllowedOrigins": ["*.*"]}, "InvalidRequest"),
        (
            {"AllowedMethods": ["GET"], "AllowedOrigins": ["*"], "AllowedHeaders": ["a*b*"]},
            "InvalidRequest",
        ),
        (
            {"AllowedMethods": ["GET"], "AllowedOrigins": ["*"], "ExposeHeaders": ["a*"]},
            "InvalidRequest",
        ),
        ({"AllowedMethods": [], "AllowedOrigins": ["*"]}, "MalformedXML"),
        ({"AllowedMethods": ["GET"], "AllowedOrigins": []}, "MalformedXML"),
    ],
)
def test_rule_not_valid(s3: Any, s3_bucket: str, rule: dict[str, Any], expected: str) -> None:
    with pytest.raises(ClientError) as caught:
        s3.put_bucket_cors(Bucket=s3_bucket, CORSConfiguration={"CORSRules": [rule]})
    assert code(caught) == expected


def test_preflight(gateway: RunningGateway, cors_bucket: str) -> None:
    headers = {
        "Origin": ORIGIN,
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "Content-Type, X-Amz-Meta-A",
    }
    # The URL may be a presigned one, or that of a part.
    for target in (f"/{cors_bucket}", f"/{cors_bucket}/a?uploadId=1&X-Amz-Signature=2"):
        response = send(gateway, "OPTIONS", target, headers=headers)
        assert response.status == 200, response.body
        assert response.headers[ALLOWED] == ORIGIN
        assert response.headers["access-control-allow-methods"] == "GET, PUT"
        assert response.headers["access-control-allow-headers"] == "content-type, x-amz-meta-a"
        assert response.headers["access-control-expose-headers"] == "ETag, x-amz-meta-a"
        assert response.headers["access-control-max-age"] == "600"
        assert response.headers["access-control-allow-credentials"] == "true"
        assert "Origin" in response.headers["vary"]


@pytest.mark.parametrize(
    ("headers", "status", "expected"),
    [
        ({}, 400, "BadRequest"),
        ({"Origin": ORIGIN}, 400, "BadRequest"),
        ({"Origin": ORIGIN, "Access-Control-Request-Method": "DELETE"}, 403, "AccessForbidden"),
        (
            {"Origin": "https://other", "Access-Control-Request-Method": "PUT"},
            403,
            "AccessForbidden",
        ),
        (
            {
                "Origin": ORIGIN,
                "Access-Control-Request-Method": "PUT",
                "Access-Control-Request-Headers": "x-amz-acl",
            },
            403,
            "AccessForbidden",
        ),
    ],
)
def test_preflight_refused(
    gateway: RunningGateway, cors_bucket: str, headers: dict[str, str], status: int, expected: str
) -> None:
    response = send(gateway, "OPTIONS", f"/{cors_bucket}/a", headers=headers)
    assert (response.status, response.code) == (status, expected)
    assert ALLOWED not in response.headers


def test_preflight_without_rules(gateway: RunningGateway, s3_bucket: str) -> None:
    headers = {"Origin": ORIGIN, "Access-Control-Request-Method": "GET"}
    response = send(gateway, "OPTIONS", f"/{s3_bucket}/a", headers=headers)
    assert (response.status, response.code) == (403, "AccessForbidden")
    response = send(gateway, "OPTIONS", "/no-such-bucket/a", headers=headers)
    assert (response.status, response.code) == (404, "NoSuchBucket")


def test_response_headers(gateway: RunningGateway, s3: Any, cors_bucket: str) -> None:
    s3.put_object(Bucket=cors_bucket, Key="a", Body=b"1")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": cors_bucket, "Key": "a"})
    assert httpx.get(url, headers={"Origin": ORIGIN}).headers[ALLOWED] == ORIGIN
    anyone = httpx.get(url, headers={"Origin": "https://other"})
    assert anyone.headers[ALLOWED] == "*"
    assert "access-control-allow-credentials" not in anyone.headers
    assert ALLOWED not in httpx.get(url).headers
    assert ALLOWED not in httpx.put(url, headers={"Origin": "https://other"}).headers


def test_unchanged_object(gateway: RunningGateway, s3: Any, cors_bucket: str) -> None:
    """A 304 had none of the headers of CORS: a page that asked again got a network error."""
    s3.put_bucket_versioning(Bucket=cors_bucket, VersioningConfiguration={"Status": "Enabled"})
    put = s3.put_object(Bucket=cors_bucket, Key="a", Body=b"1", CacheControl="no-cache")
    headers = {"Origin": ORIGIN, "If-None-Match": put["ETag"]}
    same = send_signed(gateway, "GET", f"/{cors_bucket}/a", headers=headers)
    assert (same.status, same.headers[ALLOWED]) == (304, ORIGIN)
    assert same.headers["x-amz-request-id"]
    assert same.headers["x-amz-version-id"] == put["VersionId"]
    assert same.headers["cache-control"] == "no-cache"
    assert not {"content-type", "content-length", "accept-ranges"} & same.headers.keys()


def test_errors_have_the_headers(gateway: RunningGateway, s3: Any, cors_bucket: str) -> None:
    """A browser hides an error without them from the program."""
    origin = {"Origin": ORIGIN}
    missing = send_signed(gateway, "GET", f"/{cors_bucket}/missing", headers=origin)
    assert (missing.status, missing.headers[ALLOWED]) == (404, ORIGIN)
    anonymous = send(gateway, "GET", f"/{cors_bucket}/a", headers=origin)
    assert (anonymous.status, anonymous.headers[ALLOWED]) == (403, ORIGIN)
    forged = send(gateway, "GET", f"/{cors_bucket}/a?X-Amz-Signature=1", headers=origin)
    assert (forged.status, forged.headers[ALLOWED]) == (400, ORIGIN)


def test_settings_too_large(s3: Any, s3_bucket: str) -> None:
    """nats-server limits the metadata of a stream."""
    rules = [{"AllowedMethods": ["GET"], "AllowedOrigins": ["a" * 1300]}] * 100
    with pytest.raises(ClientError) as caught:
        s3.put_bucket_cors(Bucket=s3_bucket, CORSConfiguration={"CORSRules": rules})
    assert code(caught) == "InvalidRequest"
    with pytest.raises(ClientError) as caught:
        s3.get_bucket_cors(Bucket=s3_bucket)
    assert code(caught) == "NoSuchCORSConfiguration"
