"""Presigned URLs: methods, headers that are signed, headers in the query, forgeries."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import httpx
import pytest

from tests.support.gateway import OTHER
from tests.support.s3_http import presigned_target, send

if TYPE_CHECKING:
    from tests.support.gateway import RunningGateway


def code(response: httpx.Response) -> str:
    return ET.fromstring(response.content).findtext("Code") or ""


def presigned(s3: Any, operation: str, bucket: str, **parameters: Any) -> str:
    parameters = {"Bucket": bucket, "Key": "a", **parameters}
    return str(s3.generate_presigned_url(operation, Params=parameters, ExpiresIn=600))


def test_put_head_get_delete(s3: Any, s3_bucket: str) -> None:
    url = presigned(s3, "put_object", s3_bucket, ContentType="text/plain", Metadata={"k": "v"})
    assert code(httpx.put(url, content=b"hello")) == "SignatureDoesNotMatch"
    headers = {"content-type": "text/plain", "x-amz-meta-k": "v"}
    assert httpx.put(url, content=b"hello", headers=headers).status_code == 200
    assert code(httpx.put(url, content=b"", headers=headers | {"x-amz-acl": "private"})) == (
        "AccessDenied"
    )
    head = httpx.head(presigned(s3, "head_object", s3_bucket))
    assert (head.headers["content-length"], head.headers["x-amz-meta-k"]) == ("5", "v")
    got = httpx.get(presigned(s3, "get_object", s3_bucket), headers={"Range": "bytes=1-2"})
    assert (got.status_code, got.content) == (206, b"el")
    named = 'attachment; filename="b.txt"'
    url = presigned(s3, "get_object", s3_bucket, ResponseContentDisposition=named)
    assert httpx.get(url).headers["content-disposition"] == named
    assert httpx.delete(presigned(s3, "delete_object", s3_bucket)).status_code == 204
    assert httpx.get(presigned(s3, "get_object", s3_bucket)).status_code == 404


def test_url_is_for_one_method_and_key(s3: Any, s3_bucket: str) -> None:
    s3.put_object(Bucket=s3_bucket, Key="a", Body=b"1")
    url = presigned(s3, "get_object", s3_bucket)
    for response in (
        httpx.put(url, content=b"2"),
        httpx.delete(url),
        httpx.get(url.replace("/a?", "/b?")),
        httpx.get(url + "&response-content-type=text/html"),
        httpx.get(url.replace("X-Amz-Expires=600", "X-Amz-Expires=6000")),
        httpx.get(url[:-1] + ("0" if url[-1] != "0" else "1")),
    ):
        assert (response.status_code, code(response)) == (403, "SignatureDoesNotMatch")
    assert httpx.head(url).status_code == 403
    assert s3.get_object(Bucket=s3_bucket, Key="a")["Body"].read() == b"1"


@pytest.mark.parametrize("name", ["Algorithm", "Credential", "Date", "Expires", "SignedHeaders"])
def test_missing_parameter(s3: Any, s3_bucket: str, name: str) -> None:
    url = httpx.URL(presigned(s3, "get_object", s3_bucket))
    response = httpx.get(url.copy_remove_param(f"X-Amz-{name}"))
    assert (response.status_code, code(response)) == (400, "AuthorizationQueryParametersError")


@pytest.mark.parametrize("names", ["host;\u4e2d", "host;a b", "host;\u00fc", "Host"])
def test_names_that_are_no_headers(s3: Any, s3_bucket: str, names: str) -> None:
    """Names that are not Latin-1 were an internal error with a traceback."""
    url = presigned(s3, "get_object", s3_bucket)
    response = httpx.get(url.replace("SignedHeaders=host", f"SignedHeaders={names}"))
    assert (response.status_code, code(response)) == (400, "AuthorizationQueryParametersError")


def test_url_of_the_future(gateway: RunningGateway, s3: Any, s3_bucket: str) -> None:
    url = presigned(s3, "get_object", s3_bucket)
    assert gateway.gateway is not None
    now = datetime.datetime.now(datetime.UTC)
    for minutes, expected in ((14, "NoSuchKey"), (16, "AccessDenied")):
        clock = now - datetime.timedelta(minutes=minutes)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(gateway.gateway, "clock", lambda clock=clock: clock)
            assert code(httpx.get(url)) == expected


def test_url_of_another_user(gateway: RunningGateway, s3_bucket: str) -> None:
    response = send(gateway, "GET", presigned_target(gateway, "GET", f"/{s3_bucket}/a", key=OTHER))
    assert (response.status, response.code) == (403, "AccessDenied")


def test_url_and_header(gateway: RunningGateway, s3_bucket: str) -> None:
    target = presigned_target(gateway, "GET", f"/{s3_bucket}/a")
    response = send(gateway, "GET", target, headers={"Authorization": "AWS4-HMAC-SHA256 a"})
    assert (response.status, response.code) == (400, "InvalidArgument")


def test_headers_in_the_query(gateway: RunningGateway, s3: Any, s3_bucket: str) -> None:
    """The AWS SDKs for JavaScript move headers there."""
    query = "x-amz-acl=public-read&x-amz-meta-K=v%20w&x-amz-checksum-crc32=AAAAAA%3D%3D"
    target = presigned_target(gateway, "PUT", f"/{s3_bucket}/a?{query}")
    response = send(gateway, "PUT", target, body=b"hello")
    assert (response.status, response.code) == (400, "BadDigest")
    query = query.replace("AAAAAA%3D%3D", "NhCmhg%3D%3D") + "&X-Amz-Content-Sha256=UNSIGNED-PAYLOAD"
    target = presigned_target(gateway, "PUT", f"/{s3_bucket}/a?{query}")
    assert send(gateway, "PUT", target, body=b"hello").status == 200
    assert s3.head_object(Bucket=s3_bucket, Key="a")["Metadata"] == {"k": "v w"}
    assert len(s3.get_object_acl(Bucket=s3_bucket, Key="a")["Grants"]) == 2
    for parameter, expected in (
        ("x-amz-storage-class=GLACIER", "InvalidStorageClass"),
        ("x-amz-server-side-encryption=aws:kms", "NotImplemented"),
        ("X-Amz-Security-Token=abc", "InvalidToken"),
    ):
        target = presigned_target(gateway, "PUT", f"/{s3_bucket}/b?{parameter}")
        assert send(gateway, "PUT", target, body=b"hello").code == expected


def test_headers_in_an_unsigned_query(gateway: RunningGateway, s3_bucket: str) -> None:
    response = send(gateway, "PUT", f"/{s3_bucket}/a?x-amz-acl=public-read", body=b"1")
    assert (response.status, response.code) == (403, "AccessDenied")
