"""Tags of objects and buckets."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.support.s3_http import send_signed

if TYPE_CHECKING:
    from tests.support.gateway import RunningGateway

TAGS = [{"Key": "Grün und blau", "Value": ""}, {"Key": "team", "Value": "red"}]


def code(caught: pytest.ExceptionInfo[ClientError]) -> str:
    return str(caught.value.response["Error"]["Code"])


def tags_of(s3: Any, bucket: str, key: str = "a") -> list[dict[str, str]]:
    tags: list[dict[str, str]] = s3.get_object_tagging(Bucket=bucket, Key=key)["TagSet"]
    return tags


def test_object_tags(s3: Any, s3_bucket: str) -> None:
    s3.put_object(Bucket=s3_bucket, Key="a", Body=b"hello", Metadata={"k": "v"})
    assert tags_of(s3, s3_bucket) == []
    before = s3.head_object(Bucket=s3_bucket, Key="a")
    assert "x-amz-tagging-count" not in before["ResponseMetadata"]["HTTPHeaders"]
    s3.put_object_tagging(Bucket=s3_bucket, Key="a", Tagging={"TagSet": TAGS[::-1]})
    assert tags_of(s3, s3_bucket) == TAGS  # sorted by key
    after = s3.get_object(Bucket=s3_bucket, Key="a")
    assert after["TagCount"] == 2
    assert after["Body"].read() == b"hello"
    assert (after["ETag"], after["Metadata"]) == (before["ETag"], {"k": "v"})
    s3.delete_object_tagging(Bucket=s3_bucket, Key="a")
    assert tags_of(s3, s3_bucket) == []


def test_tags_of_a_put(s3: Any, s3_bucket: str) -> None:
    s3.put_object(Bucket=s3_bucket, Key="a", Body=b"1", Tagging="a=1&b%20c=%C3%A9&d")
    assert tags_of(s3, s3_bucket) == [
        {"Key": "a", "Value": "1"},
        {"Key": "b c", "Value": "é"},
        {"Key": "d", "Value": ""},
    ]
    s3.put_object(Bucket=s3_bucket, Key="a", Body=b"2")
    assert tags_of(s3, s3_bucket) == []


@pytest.mark.parametrize(
    "tags",
    [
        [{"Key": f"k{number}", "Value": ""} for number in range(11)],
        [{"Key": "k" * 129, "Value": ""}],
        [{"Key": "k", "Value": "v" * 257}],
        [{"Key": "k", "Value": "1"}, {"Key": "k", "Value": "2"}],
        [{"Key": "aws:k", "Value": "1"}],
        [{"Key": "k!", "Value": "1"}],
        [{"Key": "", "Value": "1"}],
    ],
    ids=["too many", "long key", "long value", "twice", "reserved", "character", "no key"],
)
def test_tags_not_valid(
    gateway: RunningGateway, s3: Any, s3_bucket: str, tags: list[dict[str, str]]
) -> None:
    s3.put_object(Bucket=s3_bucket, Key="a", Body=b"1", Tagging="old=1")
    client = gateway.client(parameter_validation=False)
    with pytest.raises(ClientError) as caught:
        client.put_object_tagging(Bucket=s3_bucket, Key="a", Tagging={"TagSet": tags})
    assert (code(caught), caught.value.response["ResponseMetadata"]["HTTPStatusCode"]) == (
        "InvalidTag",
        400,
    )
    assert tags_of(s3, s3_bucket) == [{"Key": "old", "Value": "1"}]


def test_largest_tags(s3: Any, s3_bucket: str) -> None:
    tags = [{"Key": f"{number}" + "k" * 127, "Value": "v" * 256} for number in range(10)]
    s3.put_object(Bucket=s3_bucket, Key="a", Body=b"1")
    s3.put_object_tagging(Bucket=s3_bucket, Key="a", Tagging={"TagSet": tags})
    assert tags_of(s3, s3_bucket) == tags


@pytest.mark.parametrize(
    ("header", "expected"),
    [("a=1&a=2", "InvalidArgument"), ("a=%FF", "InvalidArgument"), ("a=!", "InvalidTag")],
)
def test_tag_header_not_valid(s3: Any, s3_bucket: str, header: str, expected: str) -> None:
    with pytest.raises(ClientError) as caught:
        s3.put_object(Bucket=s3_bucket, Key="a", Body=b"1", Tagging=header)
    assert code(caught) == expected
    assert "Contents" not in s3.list_objects_v2(Bucket=s3_bucket)


@pytest.mark.parametrize(
    "body", [b"", b"<Tagging/>", b"<Tagging><TagSet><Tag><Key>a</Key></Tag></TagSet></Tagging>"]
)
def test_tag_document_malformed(gateway: RunningGateway, s3_bucket: str, body: bytes) -> None:
    response = send_signed(gateway, "PUT", f"/{s3_bucket}?tagging", body=body)
    assert (response.status, response.code) == (400, "MalformedXML")


def test_tags_of_a_missing_object(s3: Any, s3_bucket: str) -> None:
    for call in (
        lambda: s3.get_object_tagging(Bucket=s3_bucket, Key="a"),
        lambda: s3.put_object_tagging(Bucket=s3_bucket, Key="a", Tagging={"TagSet": TAGS}),
        lambda: s3.delete_object_tagging(Bucket=s3_bucket, Key="a"),
    ):
        with pytest.raises(ClientError) as caught:
            call()
        assert code(caught) == "NoSuchKey"


def test_bucket_tags(s3: Any, s3_bucket: str) -> None:
    with pytest.raises(ClientError) as caught:
        s3.get_bucket_tagging(Bucket=s3_bucket)
    assert code(caught) == "NoSuchTagSet"
    tags = [{"Key": f"k{number:02}", "Value": "é"} for number in range(50)]
    s3.put_bucket_tagging(Bucket=s3_bucket, Tagging={"TagSet": tags})
    assert s3.get_bucket_tagging(Bucket=s3_bucket)["TagSet"] == tags
    more = [*tags, {"Key": "k50", "Value": ""}]
    with pytest.raises(ClientError) as caught:
        s3.put_bucket_tagging(Bucket=s3_bucket, Tagging={"TagSet": more})
    assert code(caught) == "InvalidTag"
    s3.delete_bucket_tagging(Bucket=s3_bucket)
    with pytest.raises(ClientError) as caught:
        s3.get_bucket_tagging(Bucket=s3_bucket)
    assert code(caught) == "NoSuchTagSet"


def test_tags_are_not_user_metadata(s3: Any, s3_bucket: str) -> None:
    s3.put_object(Bucket=s3_bucket, Key="a", Body=b"1", Tagging="a=1")
    assert s3.head_object(Bucket=s3_bucket, Key="a")["Metadata"] == {}


def test_tags_of_a_copy(s3: Any, s3_bucket: str) -> None:
    s3.put_object(Bucket=s3_bucket, Key="a", Body=b"1", Tagging="a=1")
    source = f"{s3_bucket}/a"
    s3.copy_object(Bucket=s3_bucket, Key="b", CopySource=source)
    assert tags_of(s3, s3_bucket, "b") == [{"Key": "a", "Value": "1"}]
    s3.copy_object(Bucket=s3_bucket, Key="b", CopySource=source, MetadataDirective="REPLACE")
    assert tags_of(s3, s3_bucket, "b") == [{"Key": "a", "Value": "1"}]
    replaced = {"Tagging": "b=2", "TaggingDirective": "REPLACE"}
    s3.copy_object(Bucket=s3_bucket, Key="b", CopySource=source, **replaced)
    assert tags_of(s3, s3_bucket, "b") == [{"Key": "b", "Value": "2"}]
    s3.copy_object(Bucket=s3_bucket, Key="b", CopySource=source, TaggingDirective="REPLACE")
    assert tags_of(s3, s3_bucket, "b") == []
    with pytest.raises(ClientError) as caught:
        s3.copy_object(Bucket=s3_bucket, Key="b", CopySource=source, Tagging="b=2")
    assert code(caught) == "InvalidArgument"


def test_tags_of_another_version(s3: Any, s3_bucket: str) -> None:
    s3.put_object(Bucket=s3_bucket, Key="a", Body=b"1", Tagging="a=1")
    tags = s3.get_object_tagging(Bucket=s3_bucket, Key="a", VersionId="null")["TagSet"]
    assert tags == [{"Key": "a", "Value": "1"}]
    with pytest.raises(ClientError) as caught:
        s3.delete_object_tagging(Bucket=s3_bucket, Key="a", VersionId="other")
    assert code(caught) == "NoSuchVersion"


def test_changes_at_the_same_time(s3: Any, s3_bucket: str) -> None:
    """Tags and the ACL are one message in NATS: a change must not undo another."""
    s3.put_object(Bucket=s3_bucket, Key="a", Body=b"1")
    with ThreadPoolExecutor(8) as pool:
        for number in range(4):
            tags = {"TagSet": [{"Key": "k", "Value": str(number)}]}
            calls = [
                pool.submit(s3.put_object_tagging, Bucket=s3_bucket, Key="a", Tagging=tags),
                pool.submit(s3.put_object_acl, Bucket=s3_bucket, Key="a", ACL="public-read"),
            ]
            for call in calls:
                call.result()
            assert tags_of(s3, s3_bucket) == tags["TagSet"]
            assert len(s3.get_object_acl(Bucket=s3_bucket, Key="a")["Grants"]) == 2
            s3.put_object_acl(Bucket=s3_bucket, Key="a", ACL="private")


def test_changes_leave_the_time_of_the_object(s3: Any, s3_bucket: str) -> None:
    """Each is a new revision in NATS, and tools that compare times sent the object again."""
    place = {"Bucket": s3_bucket, "Key": "a"}

    def listed() -> Any:
        return s3.list_objects_v2(Bucket=s3_bucket)["Contents"][0]["LastModified"]

    s3.put_object(**place, Body=b"1")
    before = listed()  # with milliseconds
    s3.put_object_tagging(**place, Tagging={"TagSet": TAGS})
    s3.put_object_acl(**place, ACL="public-read")
    s3.delete_object_tagging(**place)
    assert listed() == before
    head = s3.head_object(**place, IfModifiedSince=before - timedelta(seconds=1))
    assert head["LastModified"] == before.replace(microsecond=0)
    with pytest.raises(ClientError, match="304"):
        s3.head_object(**place, IfModifiedSince=before + timedelta(microseconds=1))
    attributes = s3.get_object_attributes(**place, ObjectAttributes=["ETag"])
    assert attributes["LastModified"] == head["LastModified"]
    s3.put_object(**place, Body=b"1")
    assert listed() > before
