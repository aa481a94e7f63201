"""Subresources that are not implemented: S3's own codes, and nothing is accepted and ignored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from jetstow.s3.routes import SUBRESOURCES
from tests.support.gateway import OTHER
from tests.support.s3_http import send, send_signed

if TYPE_CHECKING:
    from tests.support.gateway import RunningGateway

# Of buckets: parameter, what GET answers (a code, or the root of an empty document), and what
# DELETE answers.
FEATURES = [
    ("accelerate", "AccelerateConfiguration", "MethodNotAllowed"),
    ("analytics", "ListBucketAnalyticsConfigurationResult", ""),
    ("analytics&id=1", "NoSuchConfiguration", ""),
    ("encryption", "ServerSideEncryptionConfigurationNotFoundError", ""),
    ("intelligent-tiering", "ListBucketIntelligentTieringConfigurationsOutput", ""),
    ("inventory", "ListInventoryConfigurationsResult", ""),
    ("logging", "BucketLoggingStatus", "MethodNotAllowed"),
    ("metrics", "ListMetricsConfigurationsResult", ""),
    ("replication", "ReplicationConfigurationNotFoundError", ""),
    ("requestPayment", "RequestPaymentConfiguration", "MethodNotAllowed"),
]


@pytest.mark.parametrize(("query", "reading", "deleting"), FEATURES)
def test_feature_of_buckets(
    gateway: RunningGateway, s3: Any, s3_bucket: str, query: str, reading: str, deleting: str
) -> None:
    target = f"/{s3_bucket}?{query}"
    got = send_signed(gateway, "GET", target)
    if got.status == 200:
        assert f"<{reading} ".encode() in got.body
    else:
        assert (got.status, got.code) == (404, reading)
    put = send_signed(gateway, "PUT", target, body=b"<a/>")
    assert (put.status, put.code) == (501, "NotImplemented")
    deleted = send_signed(gateway, "DELETE", target)
    if deleting:
        assert (deleted.status, deleted.code) == (405, deleting)
    else:
        assert deleted.status == 204
    s3.head_bucket(Bucket=s3_bucket)
    assert send_signed(gateway, "GET", target, key=OTHER).code == "AccessDenied"
    assert send_signed(gateway, "GET", f"/no-such-bucket?{query}").code == "NoSuchBucket"


@pytest.mark.parametrize(
    ("method", "query", "status", "code"),
    [
        ("GET", "torrent", 404, "NoSuchKey"),
        ("GET", "legal-hold", 400, "InvalidRequest"),
        ("PUT", "legal-hold", 400, "InvalidRequest"),
        ("GET", "retention", 400, "InvalidRequest"),
        ("PUT", "retention", 400, "InvalidRequest"),
        ("POST", "restore", 403, "InvalidObjectState"),
        ("POST", "select&select-type=2", 501, "NotImplemented"),
    ],
)
def test_feature_of_objects(
    gateway: RunningGateway,
    s3: Any,
    s3_bucket: str,
    method: str,
    query: str,
    status: int,
    code: str,
) -> None:
    s3.put_object(Bucket=s3_bucket, Key="a", Body=b"1")
    response = send_signed(gateway, method, f"/{s3_bucket}/a?{query}", body=b"")
    assert (response.status, response.code) == (status, code)


# Those that another method of an object or a bucket has.
@pytest.mark.parametrize("name", sorted(SUBRESOURCES - {"versionId", "partNumber", "uploadId"}))
def test_no_parameter_is_ignored(
    gateway: RunningGateway, s3: Any, s3_bucket: str, name: str
) -> None:
    """A DELETE with any of them must not delete the object, nor a PUT replace it."""
    s3.put_object(Bucket=s3_bucket, Key="a", Body=b"1")
    for method in ("PUT", "POST", "DELETE", "HEAD", "PATCH"):
        response = send_signed(gateway, method, f"/{s3_bucket}/a?{name}", body=b"")
        assert response.headers.get("content-type") == "application/xml" or response.status == 204
        if method != "HEAD" and response.status >= 400:
            assert response.field("RequestId") == response.headers["x-amz-request-id"]
    assert s3.get_object(Bucket=s3_bucket, Key="a")["Body"].read() == b"1"


def test_unknown_methods_and_paths(gateway: RunningGateway, s3_bucket: str) -> None:
    for method, target, status, code in (
        ("PATCH", f"/{s3_bucket}/a", 405, "MethodNotAllowed"),
        ("DELETE", "/", 405, "MethodNotAllowed"),
        ("POST", "/", 405, "MethodNotAllowed"),
        ("POST", f"/{s3_bucket}/a", 405, "MethodNotAllowed"),
    ):
        response = send_signed(gateway, method, target)
        assert (response.status, response.code) == (status, code)
    assert send(gateway, "OPTIONS", "/").status == 405
