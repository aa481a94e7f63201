"""Objects that are encrypted with keys of the customer (SSE-C)."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import io
import os
from typing import TYPE_CHECKING, Any

import pytest
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

import jetstow
from tests.support.gateway import THIRD
from tests.support.s3_http import send_signed

if TYPE_CHECKING:
    from tests.support.gateway import RunningGateway
    from tests.support.servers import NatsServer

KEY = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "k" * 32}
OTHER = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "o" * 32}
SOURCE = {f"CopySource{name}": value for name, value in KEY.items()}
MIB = 1024 * 1024
PREFIX = "x-amz-server-side-encryption-customer-"


def code_of(call: Any, **arguments: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return str(caught.value.response["Error"]["Code"])


@pytest.mark.parametrize("size", [0, 1, 1000, 3 * MIB + 7])
def test_put_and_get(s3: Any, s3_bucket: str, server: NatsServer, size: int) -> None:
    data = os.urandom(size)
    at = {"Bucket": s3_bucket, "Key": "a"}
    put = s3.put_object(**at, Body=data, Metadata={"x": "1"}, ContentType="text/plain", **KEY)
    assert put["SSECustomerAlgorithm"] == "AES256"
    assert put["ETag"].strip('"') != hashlib.md5(data).hexdigest()
    got = s3.get_object(**at, **KEY)
    assert (got["Body"].read(), got["ContentType"], got["Metadata"]) == (
        data, "text/plain", {"x": "1"},
    )  # fmt: skip
    assert got["SSECustomerKeyMD5"] == base64.b64encode(hashlib.md5(b"k" * 32).digest()).decode()
    head = s3.head_object(**at, **KEY)
    assert (head["ContentLength"], head["ETag"]) == (size, put["ETag"])
    (listed,) = s3.list_objects_v2(Bucket=s3_bucket)["Contents"]
    assert (listed["Size"], listed["ETag"]) == (size, put["ETag"])
    if size > 10:
        part = s3.get_object(**at, Range="bytes=5-9", **KEY)
        assert (part["Body"].read(), part["ContentRange"]) == (data[5:10], f"bytes 5-9/{size}")

    async def stored() -> jetstow.ObjectResult:
        async with await jetstow.connect(server.url) as nc:
            store = await nc.jetstream().object_store(s3_bucket)
            assert (await store.encrypted(b"k" * 32).get("a")).data == data
            return await store.as_stored().get("a")

    result = asyncio.run(stored())
    assert data[:100] not in (result.data or b"") or size < 10
    kept = repr(result.info.metadata)
    for plain in (hashlib.md5(data).hexdigest(), hashlib.sha256(data).hexdigest()):
        assert plain not in kept


def test_without_the_key(s3: Any, s3_bucket: str) -> None:
    at = {"Bucket": s3_bucket, "Key": "a"}
    s3.put_object(**at, Body=b"secret", **KEY)
    assert code_of(s3.get_object, **at) == "InvalidRequest"
    assert code_of(s3.head_object, **at) == "400"
    assert code_of(s3.get_object, **at, **OTHER) == "InvalidRequest"
    copy = {"Bucket": s3_bucket, "Key": "b", "CopySource": f"{s3_bucket}/a"}
    assert code_of(s3.copy_object, **copy) == "InvalidRequest"
    s3.put_object(Bucket=s3_bucket, Key="plain", Body=b"x")
    assert code_of(s3.get_object, Bucket=s3_bucket, Key="plain", **KEY) == "InvalidRequest"
    assert code_of(s3.get_object, Bucket=s3_bucket, Key="missing", **KEY) == "NoSuchKey"
    s3.put_object_tagging(**at, Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    assert s3.get_object(**at, **KEY)["Body"].read() == b"secret"
    s3.delete_object(**at)


def s3_version(answer: dict[str, Any]) -> dict[str, str]:
    return {"VersionId": answer["VersionId"]}


def test_others_do_not_learn_what_is_stored(
    gateway: RunningGateway, s3: Any, s3_bucket: str
) -> None:
    """As for an object that does not exist: without permission, the answer is AccessDenied."""
    status = {"Status": "Enabled"}
    s3.put_bucket_versioning(Bucket=s3_bucket, VersioningConfiguration=status)
    stored = [
        {"Key": "encrypted", **s3_version(s3.put_object(Bucket=s3_bucket, Key="encrypted", **KEY))},
        {"Key": "plain", **s3_version(s3.put_object(Bucket=s3_bucket, Key="plain"))},
        {"Key": "plain", **s3_version(s3.delete_object(Bucket=s3_bucket, Key="plain"))},
    ]
    other = gateway.client(THIRD)
    for version in stored:
        for key in ({}, KEY, OTHER):
            assert code_of(other.get_object, Bucket=s3_bucket, **version, **key) == "AccessDenied"
    for version in stored:
        s3.delete_object(Bucket=s3_bucket, **version)


def test_headers_that_are_not_valid(gateway: RunningGateway, s3: Any, s3_bucket: str) -> None:
    key = base64.b64encode(b"k" * 32).decode()
    md5 = base64.b64encode(hashlib.md5(b"k" * 32).digest()).decode()
    good: dict[str, str | None] = {"algorithm": "AES256", "key": key, "key-md5": md5}
    short = base64.b64encode(b"k" * 16).decode()
    changes: list[tuple[dict[str, str | None], str]] = [
        ({"algorithm": "AES128"}, "InvalidEncryptionAlgorithmError"),
        ({"algorithm": None}, "InvalidArgument"),
        ({"key": None}, "InvalidArgument"),
        ({"key": "no base64!"}, "InvalidArgument"),
        ({"key": short}, "InvalidArgument"),
        ({"key-md5": None}, "InvalidArgument"),
        ({"key-md5": "AAAA"}, "InvalidArgument"),
    ]
    for change, code in changes:
        headers = {PREFIX + name: value for name, value in (good | change).items() if value}
        answer = send_signed(gateway, "PUT", f"/{s3_bucket}/a", headers=headers, body=b"x")
        assert (answer.status, answer.code) == (400, code), change
    headers = {PREFIX + name: value for name, value in good.items() if value}
    answer = send_signed(gateway, "DELETE", f"/{s3_bucket}/a", headers=headers)
    assert (answer.status, answer.code) == (400, "InvalidArgument")
    assert s3.list_objects_v2(Bucket=s3_bucket)["KeyCount"] == 0


def test_copies(s3: Any, s3_bucket: str) -> None:
    data = os.urandom(300_000)
    s3.put_object(Bucket=s3_bucket, Key="a", Body=data, **KEY)
    source = f"{s3_bucket}/a"
    s3.copy_object(Bucket=s3_bucket, Key="plain", CopySource=source, **SOURCE)
    assert s3.get_object(Bucket=s3_bucket, Key="plain")["Body"].read() == data
    s3.copy_object(Bucket=s3_bucket, Key="other", CopySource=source, **SOURCE, **OTHER)
    assert s3.get_object(Bucket=s3_bucket, Key="other", **OTHER)["Body"].read() == data
    s3.copy_object(Bucket=s3_bucket, Key="back", CopySource=f"{s3_bucket}/plain", **KEY)
    assert s3.get_object(Bucket=s3_bucket, Key="back", **KEY)["Body"].read() == data

    itself: dict[str, Any] = {
        "Bucket": s3_bucket, "Key": "a", "CopySource": source, "MetadataDirective": "REPLACE",
        "Metadata": {"new": "1"}, **SOURCE,
    }  # fmt: skip
    s3.copy_object(**itself, **KEY)
    got = s3.get_object(Bucket=s3_bucket, Key="a", **KEY)
    assert (got["Body"].read(), got["Metadata"]) == (data, {"new": "1"})
    s3.copy_object(**itself, **OTHER)
    assert s3.get_object(Bucket=s3_bucket, Key="a", **OTHER)["Body"].read() == data


def test_upload_in_parts(s3: Any, s3_bucket: str) -> None:
    data = os.urandom(11 * MIB)
    config = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB)
    s3.upload_fileobj(io.BytesIO(data), s3_bucket, "a", ExtraArgs=KEY, Config=config)
    target = io.BytesIO()
    s3.download_fileobj(s3_bucket, "a", target, ExtraArgs=KEY, Config=config)
    assert target.getvalue() == data
    part = s3.get_object(Bucket=s3_bucket, Key="a", PartNumber=3, **KEY)
    assert (part["Body"].read(), part["PartsCount"]) == (data[10 * MIB :], 3)
    assert code_of(s3.get_object, Bucket=s3_bucket, Key="a") == "InvalidRequest"


def test_parts_with_another_key(s3: Any, s3_bucket: str) -> None:
    at = {"Bucket": s3_bucket, "Key": "a"}
    upload = {**at, "UploadId": s3.create_multipart_upload(**at, **KEY)["UploadId"]}
    for wrong in ({}, OTHER):
        code = code_of(s3.upload_part, **upload, PartNumber=1, Body=b"x", **wrong)
        assert code == "InvalidRequest"
    s3.put_object(Bucket=s3_bucket, Key="source", Body=b"source", **OTHER)
    sent = s3.upload_part_copy(
        **upload, PartNumber=1, CopySource=f"{s3_bucket}/source", **KEY,
        **{f"CopySource{name}": value for name, value in OTHER.items()},
    )["CopyPartResult"]  # fmt: skip
    parts = {"Parts": [{"PartNumber": 1, "ETag": sent["ETag"]}]}
    assert code_of(s3.complete_multipart_upload, **upload, MultipartUpload=parts, **OTHER) == (
        "InvalidRequest"
    )
    # Without the key, the gateway that began the upload remembers it.
    done = s3.complete_multipart_upload(**upload, MultipartUpload=parts)
    again = s3.complete_multipart_upload(**upload, MultipartUpload=parts)
    assert again["ETag"] == done["ETag"]
    assert s3.get_object(**at, **KEY)["Body"].read() == b"source"


def test_plain_upload_refuses_keys(s3: Any, s3_bucket: str) -> None:
    at = {"Bucket": s3_bucket, "Key": "a"}
    upload = {**at, "UploadId": s3.create_multipart_upload(**at)["UploadId"]}
    code = code_of(s3.upload_part, **upload, PartNumber=1, Body=b"x", **KEY)
    assert code == "InvalidRequest"
    s3.abort_multipart_upload(**upload)
