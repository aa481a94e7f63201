"""UploadPartCopy: whole objects, ranges, conditions, refusals."""

from __future__ import annotations

import os
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.multipart import MIB, Upload, multipart_etag

DATA = os.urandom(5 * MIB + 1000)


@pytest.fixture
def source(s3: Any, s3_bucket: str) -> str:
    s3.put_object(Bucket=s3_bucket, Key="source ü", Body=DATA)
    return "source ü"


@pytest.fixture
def upload(s3: Any, s3_bucket: str) -> Upload:
    return Upload(s3, s3_bucket, "a", ChecksumAlgorithm="CRC32C", ChecksumType="FULL_OBJECT")


def test_copied_parts(s3: Any, s3_bucket: str, source: str, upload: Upload) -> None:
    sent = upload.copy_part(1, s3_bucket, source)
    assert sent["CopyPartResult"]["ETag"] == s3.head_object(Bucket=s3_bucket, Key=source)["ETag"]
    upload.copy_part(2, s3_bucket, source, CopySourceRange="bytes=0-5242880")
    upload.put(3, b"uploaded")
    upload.complete()
    parts = [DATA, DATA[: 5 * MIB + 1], b"uploaded"]
    got = s3.get_object(Bucket=s3_bucket, Key="a", ChecksumMode="ENABLED")
    assert got["Body"].read() == b"".join(parts)
    assert got["ETag"] == multipart_etag(parts)


def test_range_of_one_byte(s3: Any, s3_bucket: str, source: str, upload: Upload) -> None:
    last = len(DATA) - 1
    upload.copy_part(1, s3_bucket, source, CopySourceRange=f"bytes={last}-{last}")
    upload.complete()
    assert s3.get_object(Bucket=s3_bucket, Key="a")["Body"].read() == DATA[-1:]


@pytest.mark.parametrize(
    ("value", "status", "code"),
    [
        ("bytes=0-6000000", 416, "InvalidRange"),
        ("bytes=7000000-7000001", 416, "InvalidRange"),
        ("bytes=5-2", 400, "InvalidArgument"),
        ("bytes=-5", 400, "InvalidArgument"),
        ("bytes=5-", 400, "InvalidArgument"),
        ("0-2", 400, "InvalidArgument"),
        ("bytes=0-1,3-4", 400, "InvalidArgument"),
    ],
)
def test_refused_range(
    s3_bucket: str, source: str, upload: Upload, value: str, status: int, code: str
) -> None:
    with pytest.raises(ClientError) as caught:
        upload.copy_part(1, s3_bucket, source, CopySourceRange=value)
    assert caught.value.response["Error"]["Code"] == code
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status


def test_conditions_on_the_source(s3: Any, s3_bucket: str, source: str, upload: Upload) -> None:
    etag = s3.head_object(Bucket=s3_bucket, Key=source)["ETag"]
    upload.copy_part(1, s3_bucket, source, CopySourceIfMatch=etag)
    for option in ({"CopySourceIfMatch": '"other"'}, {"CopySourceIfNoneMatch": etag}):
        with pytest.raises(ClientError) as caught:
            upload.copy_part(1, s3_bucket, source, **option)
        assert caught.value.response["Error"]["Code"] == "PreconditionFailed"


def test_source_that_does_not_exist(s3: Any, s3_bucket: str, upload: Upload) -> None:
    for bucket, code in ((s3_bucket, "NoSuchKey"), ("no-such-bucket", "NoSuchBucket")):
        with pytest.raises(ClientError) as caught:
            upload.copy_part(1, bucket, "missing")
        assert caught.value.response["Error"]["Code"] == code


def test_source_of_another_owner(gateway: Any, s3_bucket: str, source: str, bucket: str) -> None:
    from tests.support.gateway import OTHER

    other = gateway.client(OTHER)
    other.create_bucket(Bucket=f"{bucket}-other")
    upload = Upload(other, f"{bucket}-other", "a")
    with pytest.raises(ClientError) as caught:
        upload.copy_part(1, s3_bucket, source)
    assert caught.value.response["Error"]["Code"] == "AccessDenied"
    other.delete_bucket(Bucket=f"{bucket}-other")
    other.close()
