"""CopyObject, RenameObject and GetObjectAttributes with boto3."""

from __future__ import annotations

import asyncio
import datetime
import os
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.s3.test_conditions import error_of
from tests.support.gateway import OTHER, WRITER
from tests.support.s3_http import send_signed

if TYPE_CHECKING:
    from tests.support.gateway import RunningGateway

DATA = os.urandom(700_000)


@pytest.fixture
def source(s3: Any, s3_bucket: str) -> dict[str, str]:
    s3.put_object(
        Bucket=s3_bucket, Key="dir/sö urce?+%", Body=DATA, ContentType="text/x-a",
        CacheControl="no-store", Metadata={"color": "red"}, ChecksumAlgorithm="SHA256",
    )  # fmt: skip
    return {"Bucket": s3_bucket, "Key": "dir/sö urce?+%"}


def test_copy(s3: Any, s3_bucket: str, source: dict[str, str]) -> None:
    original = s3.head_object(**source, ChecksumMode="ENABLED")
    result = s3.copy_object(Bucket=s3_bucket, Key="copy", CopySource=source)["CopyObjectResult"]
    got = s3.get_object(Bucket=s3_bucket, Key="copy", ChecksumMode="ENABLED")
    assert got["Body"].read() == DATA
    for name in ("ETag", "ContentType", "CacheControl", "Metadata", "ChecksumSHA256"):
        assert got[name] == original[name]
    assert result["ETag"] == original["ETag"]
    assert result["ChecksumSHA256"] == original["ChecksumSHA256"]
    assert result["LastModified"].replace(microsecond=0) == got["LastModified"]


def test_copy_with_other_metadata(s3: Any, s3_bucket: str, source: dict[str, str]) -> None:
    s3.copy_object(
        Bucket=s3_bucket, Key="copy", CopySource=source, MetadataDirective="REPLACE",
        Metadata={"size": "large"}, ContentType="text/x-b", ChecksumAlgorithm="CRC32",
    )  # fmt: skip
    got = s3.get_object(Bucket=s3_bucket, Key="copy", ChecksumMode="ENABLED")
    assert got["Body"].read() == DATA
    assert (got["Metadata"], got["ContentType"]) == ({"size": "large"}, "text/x-b")
    assert "CacheControl" not in got
    assert "ChecksumSHA256" not in got
    assert got["ChecksumCRC32"]


def test_copy_onto_itself(s3: Any, source: dict[str, str]) -> None:
    etag = s3.head_object(**source)["ETag"]
    assert error_of(s3.copy_object, **source, CopySource=source) == (400, "InvalidRequest")
    replaced = {"MetadataDirective": "REPLACE", "Metadata": {"a": "b"}}
    s3.copy_object(**source, CopySource=source, **replaced)
    got = s3.get_object(**source, ChecksumMode="ENABLED")
    assert got["Body"].read() == DATA
    assert (got["Metadata"], got["ContentType"]) == ({"a": "b"}, "binary/octet-stream")
    assert (got["ETag"], bool(got["ChecksumSHA256"])) == (etag, True)
    s3.copy_object(**source, CopySource=source, **replaced, ChecksumAlgorithm="SHA1")
    got = s3.get_object(**source, ChecksumMode="ENABLED")
    assert got["Body"].read() == DATA
    assert got["ChecksumSHA1"]
    wrong = error_of(s3.copy_object, **source, CopySource=source, **replaced, IfMatch='"abc"')
    assert wrong == (412, "PreconditionFailed")


async def test_copy_of_a_link_onto_itself(s3: Any, s3_bucket: str, js: Any) -> None:
    """It was tried forever, as the link has another revision than its object."""
    store = await js.object_store(s3_bucket)
    await store.add_link("link", await store.put("a", DATA))
    link = {"Bucket": s3_bucket, "Key": "link"}
    s3.copy_object(**link, CopySource=link, MetadataDirective="REPLACE", Metadata={"k": "v"})
    got = s3.get_object(**link)
    assert (got["Body"].read(), got["Metadata"]) == (DATA, {"k": "v"})
    assert not (await store.get_info("link")).is_link()
    assert s3.head_object(Bucket=s3_bucket, Key="a")["Metadata"] == {}


def test_copy_of_an_empty_object(s3: Any, s3_bucket: str) -> None:
    s3.put_object(Bucket=s3_bucket, Key="empty", Body=b"")
    s3.copy_object(Bucket=s3_bucket, Key="b", CopySource=f"/{s3_bucket}/empty?versionId=null")
    assert s3.head_object(Bucket=s3_bucket, Key="b")["ContentLength"] == 0


async def test_copy_of_an_object_of_another_client(s3: Any, s3_bucket: str, js: Any) -> None:
    store = await js.object_store(s3_bucket)
    await store.put("a", DATA, description="by NATS", tags=["x"], metadata={"k": "v"})
    s3.copy_object(Bucket=s3_bucket, Key="b", CopySource=f"{s3_bucket}/a")
    copy = await store.get_info("b")
    kept = {"k": "v", "jetstow.s3.event": "ObjectCreated:Copy"}
    assert (copy.description, copy.tags, copy.metadata) == ("by NATS", ["x"], kept)
    assert s3.head_object(Bucket=s3_bucket, Key="b")["ETag"].endswith('-1"')


def test_source_that_does_not_exist(s3: Any, s3_bucket: str) -> None:
    target = {"Bucket": s3_bucket, "Key": "copy"}
    missing = {"Bucket": s3_bucket, "Key": "missing"}
    assert error_of(s3.copy_object, **target, CopySource=missing) == (404, "NoSuchKey")
    missing = {"Bucket": f"{s3_bucket}-missing", "Key": "a"}
    assert error_of(s3.copy_object, **target, CopySource=missing) == (404, "NoSuchBucket")
    missing = {"Bucket": s3_bucket, "Key": "a", "VersionId": "abc"}
    assert error_of(s3.copy_object, **target, CopySource=missing) == (404, "NoSuchVersion")


@pytest.mark.parametrize("value", ["", "/", "bucket", "bucket/", "/bucket/", "%ff/a"])
def test_source_that_is_not_valid(gateway: RunningGateway, s3_bucket: str, value: str) -> None:
    headers = {"x-amz-copy-source": value}
    response = send_signed(gateway, "PUT", f"/{s3_bucket}/a", headers=headers)
    assert (response.status, response.code) == (400, "InvalidArgument")


def test_source_of_another_owner(
    gateway: RunningGateway, s3: Any, s3_bucket: str, source: dict[str, str], bucket: str
) -> None:
    other, writer = gateway.client(OTHER), gateway.client(WRITER)
    name = f"{bucket}-other"
    other.create_bucket(Bucket=name)
    target = {"Bucket": name, "Key": "copy"}
    assert error_of(other.copy_object, **target, CopySource=source) == (403, "AccessDenied")
    target = {"Bucket": s3_bucket, "Key": "copy"}
    assert error_of(writer.copy_object, **target, CopySource=source) == (403, "AccessDenied")
    wrong = {"CopySource": source, "ExpectedSourceBucketOwner": "someone"}
    assert error_of(s3.copy_object, **target, **wrong) == (403, "AccessDenied")
    other.delete_bucket(Bucket=name)


def test_conditions_of_the_source(s3: Any, s3_bucket: str, source: dict[str, str]) -> None:
    target = {"Bucket": s3_bucket, "Key": "copy", "CopySource": source}
    head = s3.head_object(**source)
    etag, modified = head["ETag"], head["LastModified"]
    hour = datetime.timedelta(hours=1)
    s3.copy_object(**target, CopySourceIfMatch=etag, CopySourceIfUnmodifiedSince=modified - hour)
    s3.copy_object(**target, CopySourceIfNoneMatch='"abc"')
    for condition in (
        {"CopySourceIfMatch": '"abc"'},
        {"CopySourceIfNoneMatch": etag},
        {"CopySourceIfModifiedSince": modified},
        {"CopySourceIfUnmodifiedSince": modified - hour},
    ):
        assert error_of(s3.copy_object, **target, **condition) == (412, "PreconditionFailed")


def test_conditions_of_the_destination(s3: Any, s3_bucket: str, source: dict[str, str]) -> None:
    target = {"Bucket": s3_bucket, "Key": "copy", "CopySource": source}
    s3.copy_object(**target, IfNoneMatch="*")
    assert error_of(s3.copy_object, **target, IfNoneMatch="*")[0] == 412
    assert error_of(s3.copy_object, **target, IfMatch='"abc"')[0] == 412
    s3.copy_object(**target, IfMatch="*")


def test_directive_that_is_not_valid(s3: Any, s3_bucket: str, source: dict[str, str]) -> None:
    target = {"Bucket": s3_bucket, "Key": "copy", "CopySource": source}
    assert error_of(s3.copy_object, **target, MetadataDirective="KEEP") == (400, "InvalidArgument")


async def test_rename(s3: Any, s3_bucket: str, source: dict[str, str], js: Any) -> None:
    store = await js.object_store(s3_bucket)
    before = await store.get_info(source["Key"])
    etag = s3.head_object(**source)["ETag"]
    quoted = f"/{s3_bucket}/dir/s%C3%B6%20urce%3F%2B%25"
    s3.rename_object(Bucket=s3_bucket, Key="new", RenameSource=quoted, SourceIfMatch=etag)
    assert (await store.get_info("new")).nuid == before.nuid
    got = s3.get_object(Bucket=s3_bucket, Key="new")
    assert (got["Body"].read(), got["ETag"], got["Metadata"]) == (DATA, etag, {"color": "red"})
    assert error_of(s3.head_object, **source)[0] == 404


async def test_rename_over_another_object(s3: Any, s3_bucket: str, js: Any) -> None:
    for key in "ab":
        s3.put_object(Bucket=s3_bucket, Key=key, Body=key.encode())
    target = {"Bucket": s3_bucket, "Key": "b", "RenameSource": "a"}
    assert error_of(s3.rename_object, **target, DestinationIfNoneMatch="*")[0] == 412
    assert error_of(s3.rename_object, **target, SourceIfMatch='"abc"')[0] == 412
    modified = s3.head_object(Bucket=s3_bucket, Key="b")["LastModified"]
    hour = datetime.timedelta(hours=1)
    # The destination's dates had been ignored.
    for dates in (
        {"DestinationIfUnmodifiedSince": modified - hour},
        {"DestinationIfModifiedSince": modified},
        {"Key": "c", "DestinationIfModifiedSince": modified - hour},
    ):
        assert error_of(s3.rename_object, **{**target, **dates}) == (412, "PreconditionFailed")
    s3.rename_object(
        **target, DestinationIfUnmodifiedSince=modified, DestinationIfModifiedSince=modified - hour
    )
    assert s3.get_object(Bucket=s3_bucket, Key="b")["Body"].read() == b"a"
    assert error_of(s3.rename_object, **target) == (404, "NoSuchKey")
    store = await js.object_store(s3_bucket)
    expires = (await store.put("a", b"c", ttl=3600)).expires
    s3.rename_object(**target)
    kept = (await store.get_info("b")).expires
    assert abs(kept - expires) < datetime.timedelta(minutes=1)


async def test_rename_of_an_object_that_is_replaced(s3: Any, s3_bucket: str, js: Any) -> None:
    """The new object was copied unchecked. The answer was 412, and the target was overwritten."""
    store = await js.object_store(s3_bucket)
    await store.put("a", DATA)
    etag = s3.head_object(Bucket=s3_bucket, Key="a")["ETag"]
    target = {"Bucket": s3_bucket, "Key": "b", "RenameSource": "a", "SourceIfMatch": etag}
    done = asyncio.Event()

    async def write() -> None:
        while not done.is_set():
            await store.put("a", DATA[::-1])
            await store.put("a", DATA)

    async with asyncio.TaskGroup() as group:
        group.create_task(write())
        for _ in range(20):
            await store.put("b", b"b")
            try:
                await asyncio.to_thread(s3.rename_object, **target)
                expected = DATA
            except ClientError:
                expected = b"b"
            assert (await store.get("b")).data == expected
        done.set()


def test_attributes(s3: Any, source: dict[str, str]) -> None:
    names = ["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"]
    found = s3.get_object_attributes(**source, ObjectAttributes=names)
    head = s3.head_object(**source, ChecksumMode="ENABLED")
    assert found["ETag"] == head["ETag"].strip('"')
    assert found["ObjectSize"] == len(DATA)
    assert found["StorageClass"] == "STANDARD"
    assert found["Checksum"] == {
        "ChecksumSHA256": head["ChecksumSHA256"],
        "ChecksumType": "FULL_OBJECT",
    }
    assert found["LastModified"] == head["LastModified"]
    assert "ObjectParts" not in found
    assert "ETag" not in s3.get_object_attributes(**source, ObjectAttributes=["ObjectSize"])


def test_attributes_that_are_not_valid(gateway: RunningGateway, s3: Any, s3_bucket: str) -> None:
    s3.put_object(Bucket=s3_bucket, Key="a", Body=b"1")
    target = f"/{s3_bucket}/a?attributes"
    assert send_signed(gateway, "GET", target).code == "InvalidRequest"
    headers = {"x-amz-object-attributes": "ETag,Color"}
    assert send_signed(gateway, "GET", target, headers=headers).code == "InvalidArgument"
    with pytest.raises(ClientError, match="NoSuchKey"):
        s3.get_object_attributes(Bucket=s3_bucket, Key="b", ObjectAttributes=["ETag"])
