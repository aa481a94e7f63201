"""CreateBucket, HeadBucket, DeleteBucket, ListBuckets, GetBucketLocation with boto3."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import httpx
import pytest
from botocore.exceptions import ClientError

from tests.support import raw_stream
from tests.support.gateway import LIMITED, OTHER, OWNER, READER
from tests.support.multipart import Upload
from tests.support.s3_http import send_signed

if TYPE_CHECKING:
    from nats.aio.client import Client

    import jetstow
    from tests.support.gateway import RunningGateway
    from tests.support.servers import NatsServer


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


@pytest.mark.parametrize("location", ["eu-west-1", "us-east-1"])
def test_bucket_location(s3: Any, bucket: str, location: str) -> None:
    configuration = {"LocationConstraint": location}
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=configuration)
    assert s3.get_bucket_location(Bucket=bucket)["LocationConstraint"] == location
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=configuration)
    if location == "us-east-1":  # the default region
        s3.create_bucket(Bucket=bucket)
    else:
        with pytest.raises(ClientError) as caught:
            s3.create_bucket(Bucket=bucket)
        assert code(caught) == "BucketAlreadyOwnedByYou"
    s3.delete_bucket(Bucket=bucket)


def test_bucket_with_objects_is_not_deleted(s3: Any, s3_bucket: str) -> None:
    s3.put_object(Bucket=s3_bucket, Key="a", Body=b"1")
    with pytest.raises(ClientError) as caught:
        s3.delete_bucket(Bucket=s3_bucket)
    assert code(caught) == "BucketNotEmpty"


async def test_bucket_with_unreadable_metadata_is_not_deleted(
    s3: Any, s3_bucket: str, raw: Client
) -> None:
    """It was deleted, as a listing leaves out the object."""
    await raw_stream.write_metadata(raw, s3_bucket, "a", b"no JSON")
    with pytest.raises(ClientError, match="BucketNotEmpty"):
        s3.delete_bucket(Bucket=s3_bucket)
    await raw_stream.request(raw, f"STREAM.PURGE.OBJ_{s3_bucket}")


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


def test_pages_of_buckets(gateway: RunningGateway, s3: Any, bucket: str) -> None:
    names = [f"{bucket}-{letter}" for letter in "cab"]
    for name, region in zip(names, ("", "eu-west-1", ""), strict=True):
        configuration = {"CreateBucketConfiguration": {"LocationConstraint": region}}
        s3.create_bucket(Bucket=name, **(configuration if region else {}))
    first = s3.list_buckets(Prefix=f"{bucket}-", MaxBuckets=2)
    assert [each["Name"] for each in first["Buckets"]] == [f"{bucket}-a", f"{bucket}-b"]
    assert first["Prefix"] == f"{bucket}-"
    rest = s3.list_buckets(
        Prefix=f"{bucket}-", MaxBuckets=2, ContinuationToken=first["ContinuationToken"]
    )
    assert [each["Name"] for each in rest["Buckets"]] == [f"{bucket}-c"]
    assert "ContinuationToken" not in rest
    (found,) = s3.list_buckets(Prefix=f"{bucket}-", BucketRegion="eu-west-1")["Buckets"]
    assert (found["Name"], found["BucketRegion"]) == (f"{bucket}-a", "eu-west-1")
    assert send_signed(gateway, "GET", "/?max-buckets=0").code == "InvalidArgument"
    for name in names:
        s3.delete_bucket(Bucket=name)


def test_bucket_is_created_again(s3: Any, gateway: RunningGateway, s3_bucket: str) -> None:
    """Creating one's own bucket again keeps its objects; another owner gets 409."""
    s3.put_object(Bucket=s3_bucket, Key="a", Body=b"1")
    s3.create_bucket(Bucket=s3_bucket)
    assert s3.list_objects_v2(Bucket=s3_bucket)["KeyCount"] == 1
    with pytest.raises(ClientError) as caught:
        gateway.client(OTHER).create_bucket(Bucket=s3_bucket)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 409
    assert code(caught) == "BucketAlreadyExists"


async def test_bucket_with_the_stream_of_another(s3: Any, bucket: str, js: Any) -> None:
    """`a.b` and `a_b` would have the same stream: the second is refused, nothing is mixed."""
    stream = bucket.replace("-", "_")
    await js.create_object_store(stream)
    with pytest.raises(ClientError) as caught:
        s3.create_bucket(Bucket=bucket.replace("-", "."))
    assert code(caught) == "BucketAlreadyExists"
    await js.delete_object_store(stream)


def test_expected_owner(s3: Any, s3_bucket: str) -> None:
    s3.put_object(Bucket=s3_bucket, Key="a", Body=b"1", ExpectedBucketOwner=OWNER.owner)
    for call in (s3.head_object, s3.delete_object, s3.get_object):
        with pytest.raises(ClientError, match=r"403|AccessDenied"):
            call(Bucket=s3_bucket, Key="a", ExpectedBucketOwner=OTHER.owner)
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.list_objects_v2(Bucket=s3_bucket, ExpectedBucketOwner=OTHER.owner)
    assert s3.get_object(Bucket=s3_bucket, Key="a")["Body"].read() == b"1"


def test_requests_after_the_bucket_is_gone(
    s3: Any, gateway: RunningGateway, s3_bucket: str
) -> None:
    """Requests for objects use a status that is up to a second old; not after a change."""
    anonymous = gateway.client(None)
    s3.put_object(Bucket=s3_bucket, Key="a", Body=b"1")
    s3.delete_object(Bucket=s3_bucket, Key="a")
    s3.delete_bucket(Bucket=s3_bucket)
    for client in (s3, anonymous):
        with pytest.raises(ClientError, match="NoSuchBucket"):
            client.get_object(Bucket=s3_bucket, Key="a")
        with pytest.raises(ClientError, match="NoSuchBucket"):
            client.put_object(Bucket=s3_bucket, Key="a", Body=b"1")


async def test_bucket_deleted_by_another_client(s3: Any, bucket: str, js: Any) -> None:
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="a", Body=b"1")
    await js.delete_object_store(bucket)
    for call in (
        lambda: s3.get_object(Bucket=bucket, Key="a"),
        lambda: s3.put_object(Bucket=bucket, Key="a", Body=b"1"),
        lambda: s3.put_object(Bucket=bucket, Key="a", Body=b"1", IfNoneMatch="*"),
        lambda: s3.delete_object(Bucket=bucket, Key="a"),
        lambda: s3.list_objects_v2(Bucket=bucket),
    ):
        with pytest.raises(ClientError, match="NoSuchBucket"):
            call()


def test_virtual_host(server: NatsServer, s3: Any, s3_bucket: str) -> None:
    from tests.support.gateway import RunningGateway

    s3.put_object(Bucket=s3_bucket, Key="dir/a", Body=b"1")
    with RunningGateway(server.url, base_domains=["s3.example.com"]) as running:
        host = {"Host": f"{s3_bucket}.S3.example.com:{running.port}"}
        assert send_signed(running, "GET", "/dir/a", headers=host).body == b"1"
        assert b"<Key>dir/a</Key>" in send_signed(running, "GET", "/", headers=host).body
        plain = {"Host": "s3.example.com"}
        assert send_signed(running, "GET", f"/{s3_bucket}/dir/a", headers=plain).body == b"1"
        dotted = {"Host": f"{s3_bucket}.b.s3.example.com"}
        assert send_signed(running, "GET", "/dir/a", headers=dotted).code == "NoSuchBucket"


def test_location_with_a_virtual_host(server: NatsServer, s3: Any, s3_bucket: str) -> None:
    """The bucket is in the host name, or in the path. It was in both."""
    from tests.s3.test_post_forms import policy_of, signed
    from tests.support.gateway import RunningGateway

    fields = {"key": "a b/c", **signed(policy_of(s3_bucket))}
    document = (
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{}</ETag></Part>"
        "</CompleteMultipartUpload>"
    )
    with RunningGateway(server.url, base_domains=["s3.example.com"]) as running:
        for host, path in (
            (f"{s3_bucket}.s3.example.com", "/"),
            ("s3.example.com", f"/{s3_bucket}/"),
        ):
            expected = f"http://{host}{path}a%20b/c"
            upload = Upload(s3, s3_bucket, "a b/c")
            body = document.format(upload.put(1, b"1")["ETag"]).encode()
            headers = {"Host": host}
            done = send_signed(
                running, "POST", f"{path}a%20b/c?uploadId={upload.id}", headers=headers, body=body
            )
            assert ET.fromstring(done.body).findtext("{*}Location") == expected
            url, files = f"{running.url}{path}", {"file": ("a", b"1")}
            form = httpx.post(url, headers=headers, data=fields, files=files)
            assert (form.status_code, form.headers["location"]) == (204, expected)
