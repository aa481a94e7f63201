"""CreateBucket, HeadBucket, DeleteBucket, ListBuckets, GetBucketLocation with boto3."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.support.gateway import LIMITED, OTHER, READER

if TYPE_CHECKING:
    import jetstow
    from tests.support.gateway import RunningGateway


def code(caught: pytest.ExceptionInfo[ClientError]) -> str:
    return str(caught.value.response["Error"]["Code"])


def test_bucket_life(s3: Any, bucket: str) -> None:
    s3.create_bucket(Bucket=bucket)
    s3.create_bucket(Bucket=bucket)
    assert s3.head_bucket(Bucket=bucket)["BucketRegion"] == "us-east-1"
    names = [each["Name"] for each in s3.list_buckets()["Buckets"]]
    assert bucket in names
    assert names == sorted(names)
    s3.delete_bucket(Bucket=bucket)
    with pytest.raises(ClientError, match="404"):
        s3.head_bucket(Bucket=bucket)


def test_bucket_name_with_dots(s3: Any, bucket: str) -> None:
    name = bucket.replace("-", ".")
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="a", Body=b"1")
    with pytest.raises(ClientError, match="404"):
        s3.head_bucket(Bucket=name.replace(".", "_"))
    assert name in [each["Name"] for each in s3.list_buckets()["Buckets"]]
    s3.delete_object(Bucket=name, Key="a")
    s3.delete_bucket(Bucket=name)


def test_bucket_location(s3: Any, bucket: str) -> None:
    configuration = {"LocationConstraint": "eu-west-1"}
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=configuration)
    assert s3.get_bucket_location(Bucket=bucket)["LocationConstraint"] == "eu-west-1"
    s3.delete_bucket(Bucket=bucket)


def test_bucket_with_objects_is_not_deleted(s3: Any, s3_bucket: str) -> None:
    s3.put_object(Bucket=s3_bucket, Key="a", Body=b"1")
    with pytest.raises(ClientError) as caught:
        s3.delete_bucket(Bucket=s3_bucket)
    assert code(caught) == "BucketNotEmpty"


def test_bucket_of_another_owner(gateway: RunningGateway, s3_bucket: str) -> None:
    other = gateway.client(OTHER)
    with pytest.raises(ClientError) as caught:
        other.create_bucket(Bucket=s3_bucket)
    assert code(caught) == "BucketAlreadyExists"
    with pytest.raises(ClientError) as caught:
        other.put_object(Bucket=s3_bucket, Key="a", Body=b"1")
    assert code(caught) == "AccessDenied"
    assert s3_bucket not in [each["Name"] for each in other.list_buckets()["Buckets"]]


def test_key_permissions(gateway: RunningGateway, s3_bucket: str) -> None:
    reader, limited = gateway.client(READER), gateway.client(LIMITED)
    reader.list_objects_v2(Bucket=s3_bucket)
    with pytest.raises(ClientError) as caught:
        reader.put_object(Bucket=s3_bucket, Key="a", Body=b"1")
    assert code(caught) == "AccessDenied"
    with pytest.raises(ClientError) as caught:
        limited.list_objects_v2(Bucket=s3_bucket)
    assert code(caught) == "AccessDenied"


async def test_bucket_of_another_client(s3: Any, store: jetstow.ObjectStore) -> None:
    await store.put("report.csv", b"a,b", metadata={"Key": "wért", "odd key": "x"})
    head = s3.head_object(Bucket=store.bucket, Key="report.csv")
    assert head["ETag"].endswith('-1"')
    assert head["ContentType"] == "text/csv"
    assert head["Metadata"] == {"key": "wért"}
    assert head["MissingMeta"] == 1


@pytest.mark.parametrize("name", ["Upper", "ab", "192.168.1.1", "a..b", "-ab", "xn--abc"])
def test_bucket_name_not_valid(gateway: RunningGateway, name: str) -> None:
    client = gateway.client(parameter_validation=False)
    with pytest.raises(ClientError) as caught:
        client.create_bucket(Bucket=name)
    assert code(caught) == "InvalidBucketName"


def test_anonymous_request(gateway: RunningGateway, s3_bucket: str) -> None:
    anonymous = gateway.client(None)
    with pytest.raises(ClientError) as caught:
        anonymous.list_objects_v2(Bucket=s3_bucket)
    assert code(caught) == "AccessDenied"
    with pytest.raises(ClientError) as caught:
        anonymous.list_objects_v2(Bucket="no-such-bucket")
    assert code(caught) == "NoSuchBucket"


def test_list_pages(s3: Any, s3_bucket: str) -> None:
    for key in ("a", "b/1", "b/2", "c/1", "d"):
        s3.put_object(Bucket=s3_bucket, Key=key, Body=b"1")
    pages = s3.get_paginator("list_objects_v2").paginate(
        Bucket=s3_bucket, Delimiter="/", PaginationConfig={"PageSize": 2}
    )
    found = [
        ([item["Key"] for item in page.get("Contents", ())],
         [item["Prefix"] for item in page.get("CommonPrefixes", ())])
        for page in pages
    ]  # fmt: skip
    assert found == [(["a"], ["b/"]), (["d"], ["c/"])]
