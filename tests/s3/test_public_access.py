"""What anonymous callers and other users may do, with `--public-acls` and without it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from botocore.exceptions import ClientError

from tests.support.gateway import LIMITED, OTHER, OWNER, THIRD, RunningGateway

if TYPE_CHECKING:
    from tests.support.servers import NatsServer


@pytest.fixture(scope="module")
def public(server: NatsServer) -> Iterator[RunningGateway]:
    with RunningGateway(server.url, public_acls=True) as running:
        yield running


@pytest.fixture(scope="module")
def clients(public: RunningGateway) -> dict[str, Any]:
    keys = {"owner": OWNER, "other": OTHER, "anonymous": None}
    return {name: public.client(key) for name, key in keys.items()}


def allowed(call: Callable[[], object]) -> bool:
    """Return whether a call succeeds. If it does not, it is refused with AccessDenied."""
    try:
        call()
    except ClientError as error:
        if error.response["Error"]["Code"] in {"AccessDenied", "403"}:  # of a HEAD
            return False
        raise
    return True


def abilities(client: Any, bucket: str) -> set[str]:
    """Return what a client may do in a bucket with an object `a`, which exists afterwards."""
    calls: dict[str, Callable[[], object]] = {
        "list": lambda: client.list_objects_v2(Bucket=bucket),
        "list v1": lambda: client.list_objects(Bucket=bucket),
        "head bucket": lambda: client.head_bucket(Bucket=bucket),
        "get": lambda: client.get_object(Bucket=bucket, Key="a"),
        "head": lambda: client.head_object(Bucket=bucket, Key="a"),
        "put": lambda: client.put_object(Bucket=bucket, Key="b", Body=b"2"),
        "delete": lambda: client.delete_object(Bucket=bucket, Key="b"),
        "get acl": lambda: client.get_object_acl(Bucket=bucket, Key="a"),
        "put acl": lambda: client.put_object_acl(Bucket=bucket, Key="a", ACL="private"),
        "bucket acl": lambda: client.get_bucket_acl(Bucket=bucket),
        "settings": lambda: client.get_bucket_location(Bucket=bucket),
        "tags": lambda: client.get_object_tagging(Bucket=bucket, Key="a"),
        "delete bucket": lambda: client.delete_bucket(Bucket=bucket),
    }
    return {name for name, call in calls.items() if allowed(call)}


READ_BUCKET = {"list", "list v1", "head bucket"}
READ_OBJECT = {"get", "head"}
WRITE = {"put", "delete"}


@pytest.mark.parametrize(
    ("bucket_acl", "object_acl", "other", "anonymous"),
    [
        ("private", "private", set(), set()),
        ("private", "public-read", READ_OBJECT, READ_OBJECT),
        ("private", "authenticated-read", READ_OBJECT, set()),
        ("public-read", "private", READ_BUCKET, READ_BUCKET),
        ("authenticated-read", "private", READ_BUCKET, set()),
        ("public-read-write", "public-read", READ_BUCKET | READ_OBJECT | WRITE,
         READ_BUCKET | READ_OBJECT | WRITE),
    ],
)  # fmt: skip
def test_public_acls(
    clients: dict[str, Any], gateway: RunningGateway, bucket: str,
    bucket_acl: str, object_acl: str, other: set[str], anonymous: set[str],
) -> None:  # fmt: skip
    owner = clients["owner"]
    owner.create_bucket(Bucket=bucket, ACL=bucket_acl)
    owner.put_object(Bucket=bucket, Key="a", Body=b"1", ACL=object_acl)
    assert abilities(clients["other"], bucket) == other
    assert abilities(clients["anonymous"], bucket) == anonymous
    # Without --public-acls, they are stored and have no effect.
    assert abilities(gateway.client(OTHER), bucket) == set()
    assert abilities(gateway.client(None), bucket) == set()
    # A key that is not valid for the bucket stays so.
    limited = gateway.client(LIMITED)
    assert not allowed(lambda: limited.list_objects_v2(Bucket=bucket))
    owner.delete_object(Bucket=bucket, Key="a")
    owner.delete_bucket(Bucket=bucket)


def test_grants_to_a_user(gateway: RunningGateway, s3: Any, s3_bucket: str) -> None:
    """They are not public: they have effect without --public-acls."""
    other, third = gateway.client(OTHER), gateway.client(THIRD)
    s3.put_object(Bucket=s3_bucket, Key="a", Body=b"1", GrantRead="id=other-id")
    assert abilities(other, s3_bucket) == READ_OBJECT
    assert abilities(third, s3_bucket) == set()
    s3.put_bucket_acl(
        Bucket=s3_bucket, GrantFullControl="id=owner-id", GrantWrite="id=other-id",
        GrantReadACP="id=other-id",
    )  # fmt: skip
    assert abilities(other, s3_bucket) == READ_OBJECT | WRITE | {"bucket acl"}


def test_owner_without_grants(s3: Any, s3_bucket: str) -> None:
    """The owner of a bucket always may change its ACL."""
    nobody = {"Owner": {"ID": "owner-id"}, "Grants": []}
    s3.put_bucket_acl(Bucket=s3_bucket, AccessControlPolicy=nobody)
    assert s3.get_bucket_acl(Bucket=s3_bucket)["Grants"] == []
    assert not allowed(lambda: s3.put_object(Bucket=s3_bucket, Key="a", Body=b"1"))
    s3.put_bucket_acl(Bucket=s3_bucket, ACL="private")
    s3.put_object(Bucket=s3_bucket, Key="a", Body=b"1")


def test_object_of_another_user(clients: dict[str, Any], bucket: str) -> None:
    owner, other = clients["owner"], clients["other"]
    owner.create_bucket(Bucket=bucket, ACL="public-read-write")
    for acl, permission in (
        ("bucket-owner-read", "READ"), ("bucket-owner-full-control", "FULL_CONTROL"),
    ):  # fmt: skip
        other.put_object(Bucket=bucket, Key="a", Body=b"2", ACL=acl)
        response = other.get_object_acl(Bucket=bucket, Key="a")
        assert response["Owner"]["ID"] == "other-id"
        grants = [(grant["Grantee"]["ID"], grant["Permission"]) for grant in response["Grants"]]
        assert grants == [("other-id", "FULL_CONTROL"), ("owner-id", permission)]
    (entry,) = owner.list_objects_v2(Bucket=bucket, FetchOwner=True)["Contents"]
    assert entry["Owner"] == {"ID": "other-id", "DisplayName": "The Other"}
    assert owner.get_object(Bucket=bucket, Key="a")["Body"].read() == b"2"
    clients["anonymous"].put_object(Bucket=bucket, Key="a", Body=b"3")
    assert owner.get_object_acl(Bucket=bucket, Key="a")["Owner"]["ID"] == "owner-id"
    preferred = {"Rules": [{"ObjectOwnership": "BucketOwnerPreferred"}]}
    owner.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls=preferred)
    other.put_object(Bucket=bucket, Key="a", Body=b"2", ACL="bucket-owner-full-control")
    assert owner.get_object_acl(Bucket=bucket, Key="a")["Owner"]["ID"] == "owner-id"
    for acl, expected in (("private", "other-id"), ("bucket-owner-full-control", "owner-id")):
        upload = other.create_multipart_upload(Bucket=bucket, Key="a", ACL=acl)["UploadId"]
        for found in (
            other.list_parts(Bucket=bucket, Key="a", UploadId=upload),
            owner.list_multipart_uploads(Bucket=bucket)["Uploads"][0],
        ):
            assert (found["Initiator"]["ID"], found["Owner"]["ID"]) == ("other-id", expected)
        other.abort_multipart_upload(Bucket=bucket, Key="a", UploadId=upload)
    owner.delete_object(Bucket=bucket, Key="a")
    owner.delete_bucket(Bucket=bucket)


def test_ignored_public_acls(clients: dict[str, Any], bucket: str) -> None:
    owner = clients["owner"]
    owner.create_bucket(Bucket=bucket, ACL="public-read")
    owner.put_object(Bucket=bucket, Key="a", Body=b"1", ACL="public-read")
    owner.put_public_access_block(
        Bucket=bucket, PublicAccessBlockConfiguration={"IgnorePublicAcls": True}
    )
    assert abilities(clients["anonymous"], bucket) == set()
    assert abilities(clients["other"], bucket) == set()
    owner.delete_object(Bucket=bucket, Key="a")
    owner.delete_bucket(Bucket=bucket)


def test_missing_object(clients: dict[str, Any], bucket: str) -> None:
    """Who may not list a bucket does not learn which objects it has."""
    owner, anonymous = clients["owner"], clients["anonymous"]
    owner.create_bucket(Bucket=bucket)
    assert not allowed(lambda: anonymous.get_object(Bucket=bucket, Key="a"))
    owner.put_bucket_acl(Bucket=bucket, ACL="public-read")
    with pytest.raises(ClientError) as caught:
        anonymous.get_object(Bucket=bucket, Key="a")
    assert caught.value.response["Error"]["Code"] == "NoSuchKey"
    owner.delete_bucket(Bucket=bucket)
    with pytest.raises(ClientError) as caught:
        anonymous.get_object(Bucket=bucket, Key="a")
    assert caught.value.response["Error"]["Code"] == "NoSuchBucket"


def test_copy_of_a_private_object(clients: dict[str, Any], bucket: str) -> None:
    owner, other = clients["owner"], clients["other"]
    mine, theirs = bucket, f"{bucket}-2"
    owner.create_bucket(Bucket=mine)
    other.create_bucket(Bucket=theirs)
    owner.put_object(Bucket=mine, Key="a", Body=b"1")
    source = {"Bucket": mine, "Key": "a"}
    assert not allowed(lambda: other.copy_object(Bucket=theirs, Key="a", CopySource=source))
    missing = {"Bucket": mine, "Key": "b"}
    assert not allowed(lambda: other.copy_object(Bucket=theirs, Key="a", CopySource=missing))
    owner.put_object_acl(Bucket=mine, Key="a", ACL="public-read")
    other.copy_object(Bucket=theirs, Key="a", CopySource=source)
    for client, name in ((owner, mine), (other, theirs)):
        client.delete_object(Bucket=name, Key="a")
        client.delete_bucket(Bucket=name)


def test_buckets_of_an_anonymous_caller(
    public: RunningGateway, gateway: RunningGateway, clients: dict[str, Any]
) -> None:
    assert clients["anonymous"].list_buckets()["Buckets"] == []
    assert not allowed(gateway.client(None).list_buckets)


def test_anonymous_get_cannot_change_headers(clients: dict[str, Any], bucket: str) -> None:
    """A public object must not become a page of the gateway's origin."""
    owner = clients["owner"]
    owner.create_bucket(Bucket=bucket)
    owner.put_object(Bucket=bucket, Key="a", Body=b"1", ACL="public-read")
    url = f"{owner.meta.endpoint_url}/{bucket}/a"
    assert httpx.get(url).text == "1"
    response = httpx.get(url, params={"response-content-type": "text/html"})
    assert (response.status_code, "<Code>InvalidRequest</Code>" in response.text) == (400, True)
    owner.delete_object(Bucket=bucket, Key="a")
    owner.delete_bucket(Bucket=bucket)
