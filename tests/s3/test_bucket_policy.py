"""Bucket policies: what they allow and deny to the owner, other users and anonymous callers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.support.gateway import OTHER, OWNER, RunningGateway

if TYPE_CHECKING:
    from tests.support.servers import NatsServer

Clients = dict[str, Any]


@pytest.fixture(scope="module")
def clients(server: NatsServer) -> Iterator[Clients]:
    with RunningGateway(server.url, public_acls=True) as running:
        keys = {"owner": OWNER, "other": OTHER, "anonymous": None}
        yield {name: running.client(key) for name, key in keys.items()}


def statement(effect: str, principal: object, action: object, resource: str, **more: object) -> Any:
    return {
        "Effect": effect,
        "Principal": principal,
        "Action": action,
        "Resource": f"arn:aws:s3:::{resource}",
        **more,
    }


def put_policy(client: Any, bucket: str, *statements: Any) -> str:
    text = json.dumps({"Version": "2012-10-17", "Statement": statements})
    client.put_bucket_policy(Bucket=bucket, Policy=text)
    return text


def code_of(call: Callable[[], object]) -> str:
    """Return the code of the error of a call, or ""."""
    try:
        call()
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""


def test_policy_is_kept(gateway: RunningGateway, s3: Any, s3_bucket: str) -> None:
    assert code_of(lambda: s3.get_bucket_policy(Bucket=s3_bucket)) == "NoSuchBucketPolicy"
    text = put_policy(
        s3, s3_bucket, statement("Allow", {"AWS": OTHER.owner}, "s3:*", f"{s3_bucket}/*")
    )
    assert s3.get_bucket_policy(Bucket=s3_bucket)["Policy"] == text
    assert not s3.get_bucket_policy_status(Bucket=s3_bucket)["PolicyStatus"]["IsPublic"]
    s3.delete_bucket_policy(Bucket=s3_bucket)
    assert code_of(lambda: s3.get_bucket_policy(Bucket=s3_bucket)) == "NoSuchBucketPolicy"
    public = statement("Allow", "*", "s3:GetObject", f"{s3_bucket}/*")
    # The shared gateway runs without --public-acls.
    assert code_of(lambda: put_policy(s3, s3_bucket, public)) == "AccessDenied"
    wrong = statement("Allow", "*", "s3:Fly", f"{s3_bucket}/*")
    assert code_of(lambda: put_policy(s3, s3_bucket, wrong)) == "MalformedPolicy"


def test_other_user_with_a_prefix(clients: Clients, s3_bucket: str) -> None:
    owner, other = clients["owner"], clients["other"]
    for key in ("in/a", "out/a"):
        owner.put_object(Bucket=s3_bucket, Key=key, Body=b"1")
    user = {"AWS": f"arn:aws:iam:::user/{OTHER.owner}"}
    objects = statement("Allow", user, ["s3:GetObject", "s3:DeleteObject"], f"{s3_bucket}/in/*")
    like = {"StringLike": {"s3:prefix": "in/*"}}
    listing = statement("Allow", user, "s3:ListBucket", s3_bucket, Condition=like)
    put_policy(owner, s3_bucket, objects, listing)

    assert other.get_object(Bucket=s3_bucket, Key="in/a")["Body"].read() == b"1"
    assert other.head_object(Bucket=s3_bucket, Key="in/a")["ContentLength"] == 1
    assert other.list_objects_v2(Bucket=s3_bucket, Prefix="in/")["KeyCount"] == 1
    refused: dict[str, Callable[[], object]] = {
        "get": lambda: other.get_object(Bucket=s3_bucket, Key="out/a"),
        "missing": lambda: other.get_object(Bucket=s3_bucket, Key="in/missing"),
        "list": lambda: other.list_objects_v2(Bucket=s3_bucket),
        "put": lambda: other.put_object(Bucket=s3_bucket, Key="in/b", Body=b""),
        "copy": lambda: other.copy_object(
            Bucket=s3_bucket, Key="in/b", CopySource=f"{s3_bucket}/in/a"
        ),
        "policy": lambda: other.get_bucket_policy(Bucket=s3_bucket),
        "tags": lambda: other.get_object_tagging(Bucket=s3_bucket, Key="in/a"),
    }
    assert {name: code_of(call) for name, call in refused.items()} == dict.fromkeys(
        refused, "AccessDenied"
    )
    deleted = other.delete_objects(
        Bucket=s3_bucket, Delete={"Objects": [{"Key": "in/a"}, {"Key": "out/a"}]}
    )
    assert [each["Key"] for each in deleted["Deleted"]] == ["in/a"]
    assert [(each["Key"], each["Code"]) for each in deleted["Errors"]] == [
        ("out/a", "AccessDenied")
    ]


def test_copy_from_a_bucket_of_another_user(clients: Clients, s3_bucket: str, bucket: str) -> None:
    owner, other = clients["owner"], clients["other"]
    target = f"{bucket}-other"
    other.create_bucket(Bucket=target)
    owner.put_object(Bucket=s3_bucket, Key="a", Body=b"1")
    copy = {"Bucket": target, "Key": "b", "CopySource": f"{s3_bucket}/a"}
    assert code_of(lambda: other.copy_object(**copy)) == "AccessDenied"
    user = {"AWS": OTHER.owner}
    put_policy(owner, s3_bucket, statement("Allow", user, "s3:GetObject", f"{s3_bucket}/*"))
    other.copy_object(**copy)
    assert other.get_object(Bucket=target, Key="b")["Body"].read() == b"1"
    other.delete_object(Bucket=target, Key="b")
    other.delete_bucket(Bucket=target)


def test_anonymous_reader(clients: Clients, s3_bucket: str) -> None:
    owner, anonymous = clients["owner"], clients["anonymous"]
    owner.put_object(Bucket=s3_bucket, Key="a", Body=b"1")
    get = {"Bucket": s3_bucket, "Key": "a"}
    assert code_of(lambda: anonymous.get_object(**get)) == "AccessDenied"
    public = statement("Allow", "*", "s3:GetObject", f"{s3_bucket}/*")
    put_policy(owner, s3_bucket, public)
    assert owner.get_bucket_policy_status(Bucket=s3_bucket)["PolicyStatus"]["IsPublic"]
    assert anonymous.get_object(**get)["Body"].read() == b"1"
    assert code_of(lambda: anonymous.put_object(**get, Body=b"")) == "AccessDenied"
    flags = {
        "BlockPublicAcls": False, "IgnorePublicAcls": False,
        "BlockPublicPolicy": True, "RestrictPublicBuckets": True,
    }  # fmt: skip
    owner.put_public_access_block(Bucket=s3_bucket, PublicAccessBlockConfiguration=flags)
    assert code_of(lambda: anonymous.get_object(**get)) == "AccessDenied"
    assert code_of(lambda: put_policy(owner, s3_bucket, public)) == "AccessDenied"


def test_denied_owner(clients: Clients, s3_bucket: str) -> None:
    """The owner is denied, too, but can always change the policy."""
    owner = clients["owner"]
    owner.put_object(Bucket=s3_bucket, Key="a", Body=b"1")
    over_http = {"Bool": {"aws:SecureTransport": "false"}}
    put_policy(
        owner, s3_bucket,
        statement("Deny", "*", "s3:*", f"{s3_bucket}/*", Condition=over_http),
        statement("Deny", "*", "s3:*", s3_bucket, Condition=over_http),
    )  # fmt: skip
    refused: dict[str, Callable[[], object]] = {
        "get": lambda: owner.get_object(Bucket=s3_bucket, Key="a"),
        "put": lambda: owner.put_object(Bucket=s3_bucket, Key="a", Body=b""),
        "list": lambda: owner.list_objects_v2(Bucket=s3_bucket),
        "delete": lambda: owner.delete_bucket(Bucket=s3_bucket),
        "tags": lambda: owner.get_bucket_tagging(Bucket=s3_bucket),
        "rename": lambda: owner.rename_object(
            Bucket=s3_bucket, Key="b", RenameSource=f"/{s3_bucket}/a"
        ),
    }
    assert {name: code_of(call) for name, call in refused.items()} == dict.fromkeys(
        refused, "AccessDenied"
    )
    owner.delete_bucket_policy(Bucket=s3_bucket)
    assert owner.get_object(Bucket=s3_bucket, Key="a")["Body"].read() == b"1"


def test_put_with_an_acl_needs_both_actions(clients: Clients, s3_bucket: str) -> None:
    owner, other = clients["owner"], clients["other"]
    user = {"AWS": OTHER.owner}
    put_policy(owner, s3_bucket, statement("Allow", user, "s3:PutObject", f"{s3_bucket}/*"))
    put = {"Bucket": s3_bucket, "Key": "a", "Body": b"1"}
    other.put_object(**put)
    assert code_of(lambda: other.put_object(**put, ACL="public-read")) == "AccessDenied"
    assert code_of(lambda: other.put_object(**put, Tagging="a=b")) == "AccessDenied"
