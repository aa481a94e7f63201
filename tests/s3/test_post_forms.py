"""POST forms: policies, conditions, responses, anonymous uploads, malformed forms."""

from __future__ import annotations

import base64
import datetime
import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import httpx
import pytest

from jetstow.s3.body.form import MAX_FIELDS_SIZE
from tests.support.gateway import OTHER, OWNER, READER, RunningGateway

if TYPE_CHECKING:
    from jetstow.s3 import Key
    from tests.support.servers import NatsServer

TAGGING = "<Tagging><TagSet><Tag><Key>t</Key><Value>1</Value></Tag></TagSet></Tagging>"
DATA = b"hello \r\n--world\r\n"


def policy_of(bucket: str, *conditions: Any, seconds: int = 600) -> dict[str, Any]:
    end = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=seconds)
    return {
        "expiration": end.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "conditions": [{"bucket": bucket}, ["starts-with", "$key", "a"], *conditions],
    }


def signed(policy: object, key: Key = OWNER) -> dict[str, str]:
    """Return the fields of a policy with a signature of version 2."""
    text = base64.b64encode(json.dumps(policy).encode())
    digest = hmac.digest(key.secret_key.encode(), text, "sha1")
    return {
        "AWSAccessKeyId": key.access_key,
        "policy": text.decode(),
        "signature": base64.b64encode(digest).decode(),
    }


def post(
    gateway: RunningGateway,
    bucket: str,
    fields: dict[str, str],
    data: bytes = DATA,
    name: str = "a",
) -> httpx.Response:
    files = {"file": (name, data)}
    return httpx.post(f"{gateway.url}/{bucket}", data=fields, files=files)


def code(response: httpx.Response) -> str:
    return ET.fromstring(response.content).findtext("Code") or ""


def test_form_of_boto3(gateway: RunningGateway, s3: Any, s3_bucket: str) -> None:
    data = DATA * 100_000
    form = s3.generate_presigned_post(
        s3_bucket, "a b/${filename}",
        Fields={"Content-Type": "text/plain", "x-amz-meta-k": "wért", "acl": "public-read",
                "tagging": TAGGING,
                "Cache-Control": "no-cache"},
        Conditions=[{"Content-Type": "text/plain"}, ["starts-with", "$x-amz-meta-k", ""],
                    {"acl": "public-read"}, ["starts-with", "$tagging", "<"],
                    ["eq", "$Cache-Control", "no-cache"],
                    ["content-length-range", 1, len(data)]],
    )  # fmt: skip
    response = httpx.post(
        form["url"], data=form["fields"], files={"file": ("C:\\docs\\ü.txt", data, "image/png")}
    )
    assert (response.status_code, response.content) == (204, b"")
    assert response.headers["etag"] == f'"{hashlib.md5(data).hexdigest()}"'
    got = s3.get_object(Bucket=s3_bucket, Key="a b/ü.txt")
    assert got["Body"].read() == data
    assert got["ContentType"] == "text/plain"
    assert got["CacheControl"] == "no-cache"
    assert got["TagCount"] == 1
    assert len(s3.get_object_acl(Bucket=s3_bucket, Key="a b/ü.txt")["Grants"]) == 2
    large = httpx.post(form["url"], data=form["fields"], files={"file": ("b", data + b"1")})
    assert (large.status_code, code(large)) == (400, "EntityTooLarge")
    small = httpx.post(form["url"], data=form["fields"], files={"file": ("b", b"")})
    assert (small.status_code, code(small)) == (400, "EntityTooSmall")
    assert s3.list_objects_v2(Bucket=s3_bucket)["KeyCount"] == 1


def test_names_of_fields_in_any_case(gateway: RunningGateway, s3_bucket: str) -> None:
    policy = policy_of(s3_bucket, ["StArTs-WiTh", "$CoNtEnT-TyPe", "text/"], {"AcL": "private"})
    policy["conditions"][0] = {"bUcKeT": s3_bucket}
    fields = {"kEy": "a", "aCl": "private", "cOnTeNt-tYpE": "text/plain", "x-ignore-a": "b"}
    assert post(gateway, s3_bucket, fields | signed(policy)).status_code == 204


def test_checksum_needs_no_condition(gateway: RunningGateway, s3_bucket: str) -> None:
    fields = {"key": "a", **signed(policy_of(s3_bucket))}
    right = base64.b64encode(hashlib.sha256(b"1").digest()).decode()
    response = post(gateway, s3_bucket, fields | {"x-amz-checksum-sha256": right}, b"1")
    assert response.status_code == 204
    response = post(gateway, s3_bucket, fields | {"x-amz-checksum-sha256": right}, b"2")
    assert (response.status_code, code(response)) == (400, "BadDigest")


@pytest.mark.parametrize(("status", "expected"), [("200", 200), ("201", 201), ("404", 204)])
def test_success_status(
    gateway: RunningGateway, s3_bucket: str, status: str, expected: int
) -> None:
    policy = policy_of(s3_bucket, ["starts-with", "$success_action_status", ""])
    fields = {"key": "a", "success_action_status": status, **signed(policy)}
    response = post(gateway, s3_bucket, fields)
    assert response.status_code == expected
    if expected == 201:
        root = ET.fromstring(response.content)
        assert root.tag == "PostResponse"
        assert root.findtext("Bucket") == s3_bucket
        assert root.findtext("Key") == "a"
        assert root.findtext("Location") == f"{gateway.url}/{s3_bucket}/a"
        assert root.findtext("ETag") == response.headers["etag"]
    else:
        assert response.content == b""


@pytest.mark.parametrize(
    ("redirect", "status"),
    [("https://example.com/done?a=1", 303), ("/relative", 204), ("https://a\r\nb", 204)],
)
def test_success_redirect(
    gateway: RunningGateway, s3_bucket: str, redirect: str, status: int
) -> None:
    policy = policy_of(s3_bucket, ["starts-with", "$success_action_redirect", ""])
    fields = {"key": "a", "success_action_redirect": redirect, **signed(policy)}
    response = post(gateway, s3_bucket, fields, b"1")
    assert response.status_code == status
    if status == 303:
        tag = hashlib.md5(b"1").hexdigest()
        expected = f"{redirect}&bucket={s3_bucket}&key=a&etag=%22{tag}%22"
        assert response.headers["location"] == expected


@pytest.mark.parametrize(
    ("conditions", "fields", "status", "expected"),
    [
        ([], {"x-amz-meta-a": "1"}, 403, "AccessDenied"),
        ([["eq", "$x-amz-meta-a", "2"]], {"x-amz-meta-a": "1"}, 403, "AccessDenied"),
        ([["starts-with", "$x-amz-meta-a", "1"]], {}, 403, "AccessDenied"),
        ([{}], {}, 400, "InvalidPolicyDocument"),
        ([["content-length-range", 0]], {}, 400, "InvalidPolicyDocument"),
        ([["content-length-range", -1, 0]], {}, 400, "InvalidPolicyDocument"),
        ([["matches", "$key", "a"]], {}, 400, "InvalidPolicyDocument"),
        ([["eq", "$key", "b"]], {}, 403, "AccessDenied"),
        ([{"x-amz-checksum-sha256": "AAAA"}], {"x-amz-checksum-sha256": "AAAA"}, 400,
         "InvalidRequest"),
        ([{"content-md5": "AAAAAAAAAAAAAAAAAAAAAA=="}],
         {"content-md5": "AAAAAAAAAAAAAAAAAAAAAA=="}, 400, "BadDigest"),
        ([{"x-amz-storage-class": "GLACIER"}], {"x-amz-storage-class": "GLACIER"}, 400,
         "InvalidStorageClass"),
        ([{"acl": "public-red"}], {"acl": "public-red"}, 400, "InvalidArgument"),
        ([{"tagging": "a=1"}], {"tagging": "a=1"}, 400, "MalformedXML"),
    ],
)  # fmt: skip
def test_conditions_and_fields(
    gateway: RunningGateway, s3: Any, s3_bucket: str,
    conditions: list[Any], fields: dict[str, str], status: int, expected: str,
) -> None:  # fmt: skip
    form = {"key": "a", **fields, **signed(policy_of(s3_bucket, *conditions))}
    response = post(gateway, s3_bucket, form)
    assert (response.status_code, code(response)) == (status, expected)
    assert s3.list_objects_v2(Bucket=s3_bucket)["KeyCount"] == 0


def test_policies(gateway: RunningGateway, s3_bucket: str) -> None:
    good = policy_of(s3_bucket)
    without_bucket = {**good, "conditions": [["starts-with", "$key", ""]]}
    for policy, status, expected in (
        (policy_of(s3_bucket, seconds=-1), 403, "AccessDenied"),
        (without_bucket, 403, "AccessDenied"),
        (policy_of("other-bucket"), 403, "AccessDenied"),
        ({"conditions": good["conditions"]}, 400, "InvalidPolicyDocument"),
        ({"expiration": good["expiration"]}, 400, "InvalidPolicyDocument"),
        ({"EXPIRATION": good["expiration"], **good, "expiration": "soon"}, 400,
         "InvalidPolicyDocument"),
        ({"expiration": "2026-99-01T00:00:00Z", "conditions": []}, 400, "InvalidPolicyDocument"),
        ([], 400, "InvalidPolicyDocument"),
    ):  # fmt: skip
        response = post(gateway, s3_bucket, {"key": "a", **signed(policy)})
        assert (response.status_code, code(response)) == (status, expected), policy


def test_signatures(gateway: RunningGateway, s3: Any, s3_bucket: str) -> None:
    fields = signed(policy_of(s3_bucket))
    v4 = s3.generate_presigned_post(s3_bucket, "a")["fields"]
    for changes, status, expected in (
        (fields | {"signature": "AAAA"}, 403, "SignatureDoesNotMatch"),
        (fields | {"AWSAccessKeyId": "NOSUCHKEY"}, 403, "InvalidAccessKeyId"),
        (fields | {"signature": ""}, 400, "InvalidArgument"),
        ({k: v for k, v in fields.items() if k != "policy"}, 400, "InvalidArgument"),
        (v4 | {"x-amz-signature": "0" * 64}, 403, "SignatureDoesNotMatch"),
        (v4 | {"x-amz-algorithm": "AWS4"}, 400, "InvalidArgument"),
        (v4 | {"x-amz-credential": "AWS4"}, 400, "InvalidArgument"),
        (v4 | {"x-amz-date": "20200101T000000Z"}, 403, "AccessDenied"),
        (v4 | {"key": "b"}, 403, "AccessDenied"),
        (signed(policy_of(s3_bucket), OTHER), 403, "AccessDenied"),
        (signed(policy_of(s3_bucket), READER), 403, "AccessDenied"),
        ({}, 403, "AccessDenied"),
    ):
        response = post(gateway, s3_bucket, {"key": "a", **changes})
        assert (response.status_code, code(response)) == (status, expected), changes
    assert s3.list_objects_v2(Bucket=s3_bucket)["KeyCount"] == 0


def test_keys(gateway: RunningGateway, s3_bucket: str) -> None:
    end = policy_of(s3_bucket)["expiration"]
    any_key = signed(
        {"expiration": end, "conditions": [{"bucket": s3_bucket}, ["starts-with", "$key", ""]]}
    )
    for key, expected in ((None, "InvalidArgument"), ("", "InvalidArgument"),
                          ("k" * 1025, "KeyTooLongError")):  # fmt: skip
        fields = any_key if key is None else {"key": key, **any_key}
        response = post(gateway, s3_bucket, fields)
        assert (response.status_code, code(response)) == (400, expected)


@pytest.fixture(scope="module")
def public(server: NatsServer) -> Iterator[RunningGateway]:
    with RunningGateway(server.url, public_acls=True) as running:
        yield running


def test_anonymous_form(public: RunningGateway, s3: Any, s3_bucket: str, bucket: str) -> None:
    fields = {"key": "a", "Content-Type": "text/plain"}
    assert code(post(public, s3_bucket, fields)) == "AccessDenied"
    assert code(post(public, "no-such-bucket", fields)) == "NoSuchBucket"
    s3.create_bucket(Bucket=f"{bucket}-2", ACL="public-read-write")
    assert post(public, f"{bucket}-2", fields).status_code == 204
    assert s3.get_object(Bucket=f"{bucket}-2", Key="a")["Body"].read() == DATA
    s3.delete_object(Bucket=f"{bucket}-2", Key="a")
    s3.delete_bucket(Bucket=f"{bucket}-2")


BOUNDARY = "xyz"
KEY = '--xyz\r\nContent-Disposition: form-data; name="key"\r\n\r\na\r\n'
FILE = '--xyz\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\nhello'


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("", "MalformedPOSTRequest"),
        ("nonsense", "MalformedPOSTRequest"),
        ("--xyz--\r\n", "IncorrectNumberOfFilesInPostRequest"),
        (KEY + "--xyz--\r\n", "IncorrectNumberOfFilesInPostRequest"),
        (KEY + KEY + FILE + "\r\n--xyz--", "MalformedPOSTRequest"),
        ("--xyz\r\n\r\na\r\n--xyz--", "MalformedPOSTRequest"),
        (KEY + FILE, "IncompleteBody"),
        (KEY.replace("\r\na", "\r\n" + "a" * MAX_FIELDS_SIZE), "MaxPostPreDataLengthExceeded"),
    ],
)
def test_malformed_form(
    public: RunningGateway, s3: Any, bucket: str, body: str, expected: str
) -> None:
    s3.create_bucket(Bucket=bucket, ACL="public-read-write")
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    response = httpx.post(f"{public.url}/{bucket}", content=body.encode(), headers=headers)
    assert (response.status_code, code(response)) == (400, expected)
    s3.delete_bucket(Bucket=bucket)


def test_fields_after_the_file(public: RunningGateway, s3: Any, bucket: str) -> None:
    """Browsers send the submit button; S3 ignores it."""
    s3.create_bucket(Bucket=bucket, ACL="public-read-write")
    button = '\r\n--xyz\r\nContent-Disposition: form-data; name="submit"\r\n\r\nUpload'
    body = f"{KEY}{FILE}{button}\r\n--xyz--\r\n"
    headers = {"Content-Type": f'multipart/form-data; boundary="{BOUNDARY}"'}
    response = httpx.post(f"{public.url}/{bucket}", content=body.encode(), headers=headers)
    assert response.status_code == 204
    assert s3.get_object(Bucket=bucket, Key="a")["Body"].read() == b"hello"
    s3.delete_object(Bucket=bucket, Key="a")
    s3.delete_bucket(Bucket=bucket)


def test_post_that_is_no_form(gateway: RunningGateway, s3_bucket: str) -> None:
    response = httpx.post(f"{gateway.url}/{s3_bucket}", data={"key": "a"})
    assert (response.status_code, code(response)) == (412, "PreconditionFailed")


def test_form_field_of_user_metadata(gateway: RunningGateway, s3: Any, s3_bucket: str) -> None:
    policy = policy_of(s3_bucket, ["starts-with", "$x-amz-meta-foo", "bar"])
    fields = {"key": "a", "x-amz-meta-foo": "barclamp", **signed(policy)}
    assert post(gateway, s3_bucket, fields).status_code == 204
    assert s3.head_object(Bucket=s3_bucket, Key="a")["Metadata"] == {"foo": "barclamp"}
