"""DeleteObjects: results for each object, quiet mode, limits, integrity, conditions."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.support.s3_http import Response, send_signed

if TYPE_CHECKING:
    from tests.support.gateway import RunningGateway


def delete(
    gateway: RunningGateway, bucket: str, document: bytes, md5: bytes | None = None
) -> Response:
    """Send a DeleteObjects with an unsigned payload."""
    headers = {} if md5 is None else {"Content-MD5": b64encode(md5).decode()}
    return send_signed(
        gateway, "POST", f"/{bucket}?delete", headers=headers, body=document,
        payload_hash="UNSIGNED-PAYLOAD",
    )  # fmt: skip


def document(*keys: str) -> bytes:
    objects = "".join(f"<Object><Key>{key}</Key></Object>" for key in keys)
    return f"<Delete>{objects}</Delete>".encode()


def test_objects_are_deleted(s3: Any, s3_bucket: str) -> None:
    keys = ["a", "b/c", " white space ", "ü&<>\"'"]
    for key in keys:
        s3.put_object(Bucket=s3_bucket, Key=key, Body=b"1")
    wanted = [{"Key": key} for key in [*keys, "missing"]]
    response = s3.delete_objects(Bucket=s3_bucket, Delete={"Objects": wanted})
    assert [each["Key"] for each in response["Deleted"]] == [*keys, "missing"]
    assert "Errors" not in response
    assert s3.list_objects_v2(Bucket=s3_bucket)["KeyCount"] == 0


def test_quiet(s3: Any, s3_bucket: str) -> None:
    s3.put_object(Bucket=s3_bucket, Key="a", Body=b"1")
    wanted = [{"Key": "a"}, {"Key": "b", "VersionId": "no-such-version"}]
    response = s3.delete_objects(Bucket=s3_bucket, Delete={"Objects": wanted, "Quiet": True})
    assert "Deleted" not in response
    (error,) = response["Errors"]
    assert (error["Key"], error["Code"], error["VersionId"]) == (
        "b",
        "NoSuchVersion",
        "no-such-version",
    )
    assert s3.list_objects_v2(Bucket=s3_bucket)["KeyCount"] == 0


def test_error_of_one_object(s3: Any, s3_bucket: str) -> None:
    s3.put_object(Bucket=s3_bucket, Key="a", Body=b"1")
    wanted = [{"Key": "x" * 1025}, {"Key": "a"}]
    response = s3.delete_objects(Bucket=s3_bucket, Delete={"Objects": wanted})
    assert [each["Key"] for each in response["Deleted"]] == ["a"]
    assert [each["Code"] for each in response["Errors"]] == ["KeyTooLongError"]


def test_conditions(s3: Any, s3_bucket: str) -> None:
    etags = [s3.put_object(Bucket=s3_bucket, Key=key, Body=b"1")["ETag"] for key in "abc"]
    wanted = [
        {"Key": "a", "ETag": etags[0]},
        {"Key": "b", "ETag": '"abc"'},
        {"Key": "c", "Size": 2},
        {"Key": "missing", "ETag": '"abc"'},
    ]
    response = s3.delete_objects(Bucket=s3_bucket, Delete={"Objects": wanted})
    assert [each["Key"] for each in response["Deleted"]] == ["a", "missing"]
    assert [(each["Key"], each["Code"]) for each in response["Errors"]] == [
        ("b", "PreconditionFailed"),
        ("c", "PreconditionFailed"),
    ]


@pytest.mark.parametrize("count", [0, 1001])
def test_number_of_objects(s3: Any, s3_bucket: str, count: int) -> None:
    s3.put_object(Bucket=s3_bucket, Key="0", Body=b"1")
    wanted = [{"Key": str(number)} for number in range(count)]
    with pytest.raises(ClientError, match="MalformedXML"):
        s3.delete_objects(Bucket=s3_bucket, Delete={"Objects": wanted})
    assert s3.list_objects_v2(Bucket=s3_bucket)["KeyCount"] == 1


def test_thousand_objects(s3: Any, s3_bucket: str) -> None:
    wanted = [{"Key": str(number)} for number in range(1000)]
    response = s3.delete_objects(Bucket=s3_bucket, Delete={"Objects": wanted})
    assert len(response["Deleted"]) == 1000


def test_body_must_be_protected(gateway: RunningGateway, s3_bucket: str) -> None:
    body = document("a")
    response = delete(gateway, s3_bucket, body)
    assert (response.status, response.code) == (400, "InvalidRequest")
    assert "Content-MD5" in response.field("Message")
    assert delete(gateway, s3_bucket, body, hashlib.md5(body).digest()).status == 200
    assert delete(gateway, s3_bucket, body, hashlib.md5(b"").digest()).code == "BadDigest"
    assert send_signed(gateway, "POST", f"/{s3_bucket}?delete", body=body).status == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not XML",
        b"<Other/>",
        b"<Delete><Object/></Delete>",
        b"<Delete><Object><Key></Key></Object></Delete>",
        b'<!DOCTYPE d [<!ENTITY e "x">]><Delete><Object><Key>&e;</Key></Object></Delete>',
    ],
)
def test_body_that_is_not_valid(gateway: RunningGateway, s3_bucket: str, body: bytes) -> None:
    response = send_signed(gateway, "POST", f"/{s3_bucket}?delete", body=body)
    assert (response.status, response.code) == (400, "MalformedXML")


def test_number_of_elements(gateway: RunningGateway, s3_bucket: str) -> None:
    """It had no limit, and other requests waited while they were read."""
    many = b"<Delete><Object><Key>a</Key></Object>" + b"<a/>" * 10_000 + b"</Delete>"
    response = delete(gateway, s3_bucket, many, hashlib.md5(many).digest())
    assert (response.status, response.code) == (400, "MalformedXML")
