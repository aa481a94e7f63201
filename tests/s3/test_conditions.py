"""Conditions of PUT, DELETE and GET; those of writes hold under races."""

from __future__ import annotations

import datetime
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.support.s3_http import send_signed

if TYPE_CHECKING:
    from tests.support.gateway import RunningGateway

LARGE = bytes(300_000)


def error_of(function: Any, **arguments: Any) -> tuple[int, str]:
    with pytest.raises(ClientError) as caught:
        function(**arguments)
    response = caught.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]


@pytest.mark.parametrize("body", [b"new", LARGE], ids=["small", "large"])
def test_put_only_if_new(s3: Any, s3_bucket: str, body: bytes) -> None:
    target = {"Bucket": s3_bucket, "Key": "a"}
    s3.put_object(**target, Body=body, IfNoneMatch="*")
    assert error_of(s3.put_object, **target, Body=b"2", IfNoneMatch="*") == (
        412,
        "PreconditionFailed",
    )
    assert s3.get_object(**target)["Body"].read() == body
    s3.delete_object(**target)
    s3.put_object(**target, Body=body, IfNoneMatch="*")


@pytest.mark.parametrize("body", [b"new", LARGE], ids=["small", "large"])
def test_put_if_unchanged(s3: Any, s3_bucket: str, body: bytes) -> None:
    target = {"Bucket": s3_bucket, "Key": "a"}
    for condition in ('"abc"', "*"):
        missing = error_of(s3.put_object, **target, Body=body, IfMatch=condition)
        assert missing == (404, "NoSuchKey")
    etag = s3.put_object(**target, Body=b"old")["ETag"]
    with pytest.raises(ClientError) as caught:
        s3.put_object(**target, Body=body, IfMatch='"abc"')
    error = caught.value.response["Error"]
    assert (error["Code"], error["Condition"]) == ("PreconditionFailed", "If-Match")
    assert s3.get_object(**target)["Body"].read() == b"old"
    etag = s3.put_object(**target, Body=body, IfMatch=etag)["ETag"]
    etag = s3.put_object(**target, Body=b"3", IfMatch=etag.strip('"'))["ETag"]
    s3.put_object(**target, Body=b"4", IfMatch="*")
    assert error_of(s3.put_object, **target, Body=b"5", IfMatch=etag)[0] == 412


def test_put_if_different(s3: Any, s3_bucket: str) -> None:
    target = {"Bucket": s3_bucket, "Key": "a"}
    etag = s3.put_object(**target, Body=b"1", IfNoneMatch='"abc"')["ETag"]
    assert error_of(s3.put_object, **target, Body=b"2", IfNoneMatch=etag)[0] == 412
    s3.put_object(**target, Body=b"3", IfNoneMatch='"abc"')
    assert s3.get_object(**target)["Body"].read() == b"3"


@pytest.mark.parametrize("body", [b"%d", LARGE + b"%d"], ids=["small", "large"])
def test_race_of_conditional_puts(gateway: RunningGateway, s3_bucket: str, body: bytes) -> None:
    """Of writers that all expect the same ETag, one succeeds; the others change nothing."""
    clients = [gateway.client() for _ in range(6)]
    target = {"Bucket": s3_bucket, "Key": "counter"}
    etag = clients[0].put_object(**target, Body=b"start")["ETag"]

    def attempt(number: int) -> str | int:
        try:
            response = clients[number].put_object(**target, Body=body % number, IfMatch=etag)
        except ClientError as error:
            return int(error.response["ResponseMetadata"]["HTTPStatusCode"])
        return str(response["ETag"])

    with ThreadPoolExecutor(len(clients)) as threads:
        results = list(threads.map(attempt, range(len(clients))))
    winners = [number for number, result in enumerate(results) if isinstance(result, str)]
    assert len(winners) == 1
    assert {result for result in results if isinstance(result, int)} <= {409, 412}
    got = clients[0].get_object(**target)
    assert got["ETag"] == results[winners[0]]
    assert got["Body"].read() == body % winners[0]


def test_race_to_create(gateway: RunningGateway, s3_bucket: str) -> None:
    clients = [gateway.client() for _ in range(6)]

    def attempt(client: Any) -> str:
        try:
            client.put_object(Bucket=s3_bucket, Key="new", Body=b"x", IfNoneMatch="*")
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        return "stored"

    with ThreadPoolExecutor(len(clients)) as threads:
        results = sorted(threads.map(attempt, clients))
    assert results == ["PreconditionFailed"] * (len(clients) - 1) + ["stored"]


def test_delete_if_unchanged(s3: Any, s3_bucket: str) -> None:
    target = {"Bucket": s3_bucket, "Key": "a"}
    s3.delete_object(**target, IfMatch='"abc"')
    etag = s3.put_object(**target, Body=b"123")["ETag"]
    modified = s3.head_object(**target)["LastModified"]
    earlier = modified - datetime.timedelta(seconds=1)
    assert error_of(s3.delete_object, **target, IfMatch='"abc"') == (412, "PreconditionFailed")
    assert error_of(s3.delete_object, **target, IfMatchSize=4)[0] == 412
    assert error_of(s3.delete_object, **target, IfMatchLastModifiedTime=earlier)[0] == 412
    s3.delete_object(**target, IfMatch=etag, IfMatchSize=3, IfMatchLastModifiedTime=modified)
    assert error_of(s3.head_object, **target)[0] == 404
    s3.put_object(**target, Body=b"4")
    s3.delete_object(**target, IfMatch="*")
    assert error_of(s3.head_object, **target)[0] == 404


def test_delete_unless_unchanged(gateway: RunningGateway, s3: Any, s3_bucket: str) -> None:
    s3.put_object(Bucket=s3_bucket, Key="a", Body=b"1")
    response = send_signed(gateway, "DELETE", f"/{s3_bucket}/a", headers={"If-None-Match": "*"})
    assert (response.status, response.code) == (501, "NotImplemented")


@pytest.mark.parametrize("name", ["get_object", "head_object"])
def test_conditions_of_reads(s3: Any, s3_bucket: str, name: str) -> None:
    target = {"Bucket": s3_bucket, "Key": "a"}
    etag = s3.put_object(**target, Body=b"hello")["ETag"]
    read = getattr(s3, name)
    modified = s3.head_object(**target)["LastModified"]
    hour = datetime.timedelta(hours=1)
    read(**target, IfMatch=etag)
    read(**target, IfNoneMatch='"abc"')
    read(**target, IfModifiedSince=modified - hour)
    read(**target, IfUnmodifiedSince=modified + hour)
    read(**target, IfMatch=etag, IfUnmodifiedSince=modified - hour)
    assert error_of(read, **target, IfMatch='"abc"')[0] == 412
    assert error_of(read, **target, IfUnmodifiedSince=modified - hour)[0] == 412
    with pytest.raises(ClientError) as caught:
        read(**target, IfNoneMatch=etag)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 304
    assert caught.value.response["ResponseMetadata"]["HTTPHeaders"]["etag"] == etag
    assert error_of(read, **target, IfModifiedSince=modified)[0] == 304


def test_condition_of_a_read_in_the_error(s3: Any, s3_bucket: str) -> None:
    s3.put_object(Bucket=s3_bucket, Key="a", Body=b"hello")
    with pytest.raises(ClientError) as caught:
        s3.get_object(Bucket=s3_bucket, Key="a", IfMatch='"abc"', Range="bytes=0-1")
    error = caught.value.response["Error"]
    assert (error["Code"], error["Condition"]) == ("PreconditionFailed", "If-Match")
