"""PutObject, GetObject, HeadObject, DeleteObject with boto3."""

from __future__ import annotations

import hashlib
import os
from typing import Any

import pytest
from botocore.exceptions import ClientError


def test_small_object(s3: Any, s3_bucket: str) -> None:
    put = s3.put_object(Bucket=s3_bucket, Key="a/b c", Body=b"hello", Metadata={"one": "1"})
    assert put["ETag"] == f'"{hashlib.md5(b"hello").hexdigest()}"'
    got = s3.get_object(Bucket=s3_bucket, Key="a/b c")
    assert got["Body"].read() == b"hello"
    assert got["ETag"] == put["ETag"]
    assert got["Metadata"] == {"one": "1"}
    assert got["ContentType"] == "binary/octet-stream"
    assert got["ResponseMetadata"]["HTTPHeaders"]["x-amz-request-id"]


def test_large_object(s3: Any, s3_bucket: str) -> None:
    data = os.urandom(5 * 1024 * 1024 + 17)
    put = s3.put_object(Bucket=s3_bucket, Key="large", Body=data, ContentType="text/x-thing")
    assert put["ETag"] == f'"{hashlib.md5(data).hexdigest()}"'
    got = s3.get_object(Bucket=s3_bucket, Key="large")
    assert got["ContentLength"] == len(data)
    assert got["Body"].read() == data
    head = s3.head_object(Bucket=s3_bucket, Key="large")
    assert (head["ContentLength"], head["ContentType"]) == (len(data), "text/x-thing")
    part = s3.get_object(Bucket=s3_bucket, Key="large", Range="bytes=1000000-1999999")
    assert part["Body"].read() == data[1000000:2000000]
    assert part["ContentRange"] == f"bytes 1000000-1999999/{len(data)}"


def test_empty_object(s3: Any, s3_bucket: str) -> None:
    s3.put_object(Bucket=s3_bucket, Key="empty/", Body=b"")
    assert s3.get_object(Bucket=s3_bucket, Key="empty/")["Body"].read() == b""


@pytest.mark.parametrize("key", ["%2F", "a//b", "/leading", "ü+ =&?#", "a%20b", "x/../y", "~-_."])
def test_key_with_special_characters(s3: Any, s3_bucket: str, key: str) -> None:
    s3.put_object(Bucket=s3_bucket, Key=key, Body=key.encode())
    assert s3.get_object(Bucket=s3_bucket, Key=key)["Body"].read() == key.encode()
    (listed,) = s3.list_objects_v2(Bucket=s3_bucket)["Contents"]
    assert listed["Key"] == key


def test_missing_object(s3: Any, s3_bucket: str) -> None:
    with pytest.raises(s3.exceptions.NoSuchKey) as caught:
        s3.get_object(Bucket=s3_bucket, Key="missing")
    response = caught.value.response
    assert response["Error"]["Code"] == "NoSuchKey"
    assert response["ResponseMetadata"]["RequestId"]
    with pytest.raises(ClientError, match="404"):
        s3.head_object(Bucket=s3_bucket, Key="missing")
    s3.delete_object(Bucket=s3_bucket, Key="missing")


def test_deleted_object(s3: Any, s3_bucket: str) -> None:
    s3.put_object(Bucket=s3_bucket, Key="a", Body=b"1")
    s3.delete_object(Bucket=s3_bucket, Key="a")
    with pytest.raises(s3.exceptions.NoSuchKey):
        s3.get_object(Bucket=s3_bucket, Key="a")


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"])
def test_checksum(s3: Any, s3_bucket: str, algorithm: str) -> None:
    put = s3.put_object(Bucket=s3_bucket, Key="a", Body=b"hello", ChecksumAlgorithm=algorithm)
    name = f"Checksum{algorithm}"
    got = s3.get_object(Bucket=s3_bucket, Key="a", ChecksumMode="ENABLED")
    assert got[name] == put[name]
    assert got["Body"].read() == b"hello"


def test_wrong_content_md5_stores_nothing(s3: Any, s3_bucket: str) -> None:
    with pytest.raises(ClientError) as caught:
        s3.put_object(
            Bucket=s3_bucket, Key="a", Body=b"hello", ContentMD5="1B2M2Y8AsgTpgAmY7PhCfg=="
        )
    assert caught.value.response["Error"]["Code"] == "BadDigest"
    assert "Contents" not in s3.list_objects_v2(Bucket=s3_bucket)


def test_limit_of_user_metadata(s3: Any, s3_bucket: str) -> None:
    """Names and values may have 2 KiB in all."""
    target = {"Bucket": s3_bucket, "Key": "a"}
    allowed = {"name": "v" * 1020, "other": "v" * (2048 - 1020 - 9)}
    s3.put_object(**target, Body=b"1", Metadata=allowed)
    assert s3.head_object(**target)["Metadata"] == allowed
    too_large = allowed | {"other": allowed["other"] + "v"}
    copy = {**target, "CopySource": target, "MetadataDirective": "REPLACE"}
    for call, options in (
        (s3.put_object, {**target, "Body": b"2"}),
        (s3.copy_object, copy),
        (s3.create_multipart_upload, target),
    ):
        with pytest.raises(ClientError) as caught:
            call(**options, Metadata=too_large)
        error = caught.value.response
        assert error["ResponseMetadata"]["HTTPStatusCode"] == 400
        assert error["Error"]["Code"] == "MetadataTooLarge"
    assert s3.get_object(**target)["Body"].read() == b"1"
