"""Buckets in the console: list, create, change, seal, delete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jetstow
from tests.support.console import error_code
from tests.support.gateway import LIMITED, OTHER, OWNER, READER, WRITER

if TYPE_CHECKING:
    from tests.support.console import ConsoleClient, RunningConsole

NEW = {
    "owner": "The Owner", "owned": True, "replicas": 1, "storage": "file", "max_bytes": None,
    "max_age": None, "versioning": None, "sealed": False, "compressed": False,
    "object_lock": False, "description": None, "objects": 0,
}  # fmt: skip


def names(client: ConsoleClient) -> list[str]:
    return [bucket["name"] for bucket in client.get("buckets").json()["buckets"]]


def test_bucket_is_created_changed_and_deleted(client: ConsoleClient, s3: Any, bucket: str) -> None:
    response = client.post("buckets", json={"name": bucket})
    assert response.status_code == 201
    created = response.json()
    assert created["created"].endswith("Z")
    assert {key: created[key] for key in NEW} == NEW

    again = client.post("buckets", json={"name": bucket})
    assert (again.status_code, error_code(again)) == (409, "BucketAlreadyOwnedByYou")

    limits = {"description": "<b>text</b>", "max_bytes": 10**6, "max_age": 3600}
    assert client.patch(f"buckets/{bucket}", json=limits).json().items() >= limits.items()
    versioned = client.patch(f"buckets/{bucket}", json={"versioning": "enabled"})
    assert error_code(versioned) == "InvalidArgument", "versions would expire"
    changed = client.patch(
        f"buckets/{bucket}", json={"description": None, "max_age": None, "versioning": "enabled"}
    ).json()
    assert (changed["description"], changed["max_age"]) == (None, None)
    assert (changed["max_bytes"], changed["versioning"]) == (10**6, "enabled")

    for name in ("a", "b/c"):
        s3.put_object(Bucket=bucket, Key=name, Body=b"x")
    assert client.get(f"buckets/{bucket}").json()["objects"] == 2
    (listed,) = [b for b in client.get("buckets").json()["buckets"] if b["name"] == bucket]
    assert (listed["objects"], listed["versioning"]) == (None, "enabled")

    wrong = client.request("DELETE", f"buckets/{bucket}", json={"confirm": "x"})
    assert error_code(wrong) == "InvalidArgument"
    deleted = client.request("DELETE", f"buckets/{bucket}", json={"confirm": bucket})
    assert deleted.status_code == 204
    assert error_code(client.get(f"buckets/{bucket}")) == "NoSuchBucket"
    assert bucket not in names(client)


def test_options_of_a_new_bucket(client: ConsoleClient, bucket: str) -> None:
    options = {"description": "d", "storage": "memory", "max_bytes": 5_000, "max_age": 60.0}
    try:
        created = client.post("buckets", json={"name": bucket, **options}).json()
        assert created.items() >= options.items()
    finally:
        client.request("DELETE", f"buckets/{bucket}", json={"confirm": bucket})
    for wrong in (
        {"name": "UPPER"}, {"name": "JETSTOW_S3_LOCKS"}, {"name": "../x"}, {"name": ""}, {},
        {"name": bucket, "storage": "tape"}, {"name": bucket, "replicas": 9},
        {"name": bucket, "max_bytes": -5}, {"name": bucket, "max_age": -1},
        {"name": bucket, "unknown": 1}, {"name": bucket, "versioned": True, "max_age": 5},
    ):  # fmt: skip
        response = client.post("buckets", json=wrong)
        assert response.status_code == 400, (wrong, response.text)
    refused = client.post("buckets", json={"name": "ab_c"}).json()["error"]
    assert refused["code"] == "InvalidBucketName"
    assert "3 to 63 lower-case letters" in refused["message"]
    assert bucket not in names(client)


def test_sealed_bucket(client: ConsoleClient, s3: Any, s3_bucket: str) -> None:
    s3.put_object(Bucket=s3_bucket, Key="a", Body=b"x")
    assert error_code(client.post(f"buckets/{s3_bucket}/seal", json={"confirm": "a"}))
    sealed = client.post(f"buckets/{s3_bucket}/seal", json={"confirm": s3_bucket}).json()
    assert sealed["sealed"] is True
    shown = client.get(f"buckets/{s3_bucket}/object?name=a").json()
    assert shown["editable"] is False
    deleted = client.request("DELETE", f"buckets/{s3_bucket}", json={"confirm": s3_bucket})
    assert deleted.status_code == 204


def test_locked_versions_are_not_deleted_with_their_bucket(
    client: ConsoleClient, s3: Any, bucket: str
) -> None:
    """A delete of the bucket must not be a way around object lock."""
    created = client.post("buckets", json={"name": bucket, "object_lock": True}).json()
    assert (created["object_lock"], created["versioning"]) == (True, "enabled")
    s3.put_object(Bucket=bucket, Key="a", Body=b"x", ObjectLockLegalHoldStatus="ON")
    s3.delete_object(Bucket=bucket, Key="a")
    confirm = {"confirm": bucket}
    refused = client.request("DELETE", f"buckets/{bucket}", json=confirm)
    assert (refused.status_code, error_code(refused)) == (403, "AccessDenied")
    (version,) = s3.list_object_versions(Bucket=bucket)["Versions"]
    s3.put_object_legal_hold(
        Bucket=bucket, Key="a", VersionId=version["VersionId"], LegalHold={"Status": "OFF"}
    )
    assert client.request("DELETE", f"buckets/{bucket}", json=confirm).status_code == 204


def test_permissions(
    console: RunningConsole, client: ConsoleClient, s3: Any, s3_bucket: str
) -> None:
    confirm = {"confirm": s3_bucket}
    changes = (
        ("POST", "buckets", {"name": f"{s3_bucket}-x"}),
        ("PATCH", f"buckets/{s3_bucket}", {"description": "x"}),
        ("POST", f"buckets/{s3_bucket}/seal", confirm),
        ("DELETE", f"buckets/{s3_bucket}", confirm),
    )
    for key in (OTHER, READER, WRITER, LIMITED):
        with console.sign_in(key) as other:
            for method, path, body in changes[key is OTHER :]:
                refused = other.request(method, path, json=body)
                assert (refused.status_code, error_code(refused)) == (403, "AccessDenied"), path
            if key is not READER:
                assert error_code(other.get(f"buckets/{s3_bucket}")) == "AccessDenied"
            if key is WRITER:
                assert error_code(other.get("buckets")) == "AccessDenied"
            else:
                assert (s3_bucket in names(other)) is (key is READER)
    with console.sign_in(LIMITED) as limited:
        refused = limited.post("buckets", json={"name": "other-name"})
        assert error_code(refused) == "AccessDenied"
    # A bucket that its owner lets others list is shown to them, as not theirs.
    grants = {"GrantFullControl": f"id={OWNER.owner}", "GrantRead": f"id={OTHER.owner}"}
    s3.put_bucket_acl(Bucket=s3_bucket, **grants)
    with console.sign_in(OTHER) as other:
        (shown,) = [b for b in other.get("buckets").json()["buckets"] if b["name"] == s3_bucket]
        assert (shown["owned"], shown["owner"]) == (False, OWNER.display_name)
    # The owner may be denied the delete of an object: then the bucket stays, too.
    s3.put_object(Bucket=s3_bucket, Key="kept/a", Body=b"x")
    policy = (
        '{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", '
        f'"Action": "s3:DeleteObject", "Resource": "arn:aws:s3:::{s3_bucket}/kept/*"}}]}}'
    )
    s3.put_bucket_policy(Bucket=s3_bucket, Policy=policy)
    refused = client.request("DELETE", f"buckets/{s3_bucket}", json=confirm)
    assert error_code(refused) == "AccessDenied"
    s3.delete_bucket_policy(Bucket=s3_bucket)


async def test_buckets_of_other_clients(
    client: ConsoleClient, js: jetstow.JetStreamContext, store: jetstow.ObjectStore
) -> None:
    """They have no owner. The gateway's own buckets are not shown."""
    await store.put("a", b"x")
    (shown,) = [b for b in client.get("buckets").json()["buckets"] if b["name"] == store.bucket]
    assert (shown["owner"], shown["owned"]) == (None, True)
    assert any(name.startswith("JETSTOW_S3_") for name in await js.object_store_names())
    assert not any(name.startswith("JETSTOW_S3_") for name in names(client))
    hidden = client.get("buckets/JETSTOW_S3_LOCKS")
    assert (hidden.status_code, error_code(hidden)) == (404, "NoSuchBucket")
