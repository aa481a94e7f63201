"""Ways around a bucket policy: renames, copies, links, forms, and keys of stored versions."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import httpx
import pytest

import jetstow
from jetstow import ObjectMeta, Retention
from tests.s3.test_bucket_policy import code_of, put_policy, statement
from tests.support.gateway import OTHER, OWNER, RunningGateway
from tests.support.s3_http import send_signed

if TYPE_CHECKING:
    from tests.support.servers import NatsServer

TAGS = "<Tagging><TagSet><Tag><Key>t</Key><Value>1</Value></Tag></TagSet></Tagging>"
USER = {"AWS": OTHER.owner}


@pytest.fixture(scope="module")
def public(server: NatsServer) -> Iterator[RunningGateway]:
    with RunningGateway(server.url, public_acls=True) as running:
        yield running


def test_rename_does_not_make_an_object_readable(s3: Any, s3_bucket: str) -> None:
    s3.put_object(Bucket=s3_bucket, Key="secret/a", Body=b"1")
    put_policy(s3, s3_bucket, statement("Deny", "*", "s3:GetObject", f"{s3_bucket}/secret/*"))
    rename = {"Bucket": s3_bucket, "Key": "b", "RenameSource": f"/{s3_bucket}/secret/a"}
    assert code_of(lambda: s3.rename_object(**rename)) == "AccessDenied"
    s3.delete_bucket_policy(Bucket=s3_bucket)
    s3.rename_object(**rename)
    assert s3.get_object(Bucket=s3_bucket, Key="b")["Body"].read() == b"1"


def test_copy_source_in_all_its_forms(gateway: RunningGateway, s3: Any, s3_bucket: str) -> None:
    s3.put_object(Bucket=s3_bucket, Key="secret/a", Body=b"1")
    like = {"StringLike": {"s3:x-amz-copy-source": f"{s3_bucket}/secret/*"}}
    put_policy(s3, s3_bucket, statement("Deny", "*", "s3:*", f"{s3_bucket}/*", Condition=like))
    for path in ("/secret/a", "/%73ecret/a", "/secret%2Fa", "/secret/a?versionId=null"):
        for start in ("", "/", "%2F"):
            source = {"x-amz-copy-source": f"{start}{s3_bucket}{path}"}
            answer = send_signed(gateway, "PUT", f"/{s3_bucket}/b", headers=source)
            assert (answer.status, answer.code) == (403, "AccessDenied"), source


def test_tags_of_a_source_that_may_not_be_read(
    gateway: RunningGateway, s3: Any, s3_bucket: str
) -> None:
    other = gateway.client(OTHER)
    s3.put_object(Bucket=s3_bucket, Key="a", Body=b"1", Tagging="t=1")
    actions = ["s3:GetObject", "s3:PutObject"]
    put_policy(s3, s3_bucket, statement("Allow", USER, actions, f"{s3_bucket}/*"))
    copy = {"Bucket": s3_bucket, "Key": "b", "CopySource": f"{s3_bucket}/a"}
    assert code_of(lambda: other.copy_object(**copy)) == "AccessDenied"
    other.copy_object(**copy, TaggingDirective="REPLACE")
    assert s3.get_object_tagging(Bucket=s3_bucket, Key="b")["TagSet"] == []
    actions.append("s3:GetObjectTagging")
    put_policy(s3, s3_bucket, statement("Allow", USER, actions, f"{s3_bucket}/*"))
    # The copy stores them: that needs the permission for a PUT with tags.
    assert code_of(lambda: other.copy_object(**copy)) == "AccessDenied"
    actions.append("s3:PutObjectTagging")
    put_policy(s3, s3_bucket, statement("Allow", USER, actions, f"{s3_bucket}/*"))
    other.copy_object(**copy)
    assert s3.get_object_tagging(Bucket=s3_bucket, Key="b")["TagSet"]


async def test_links(
    public: RunningGateway, js: jetstow.JetStreamContext, s3_bucket: str, bucket: str
) -> None:
    owner, other, anonymous = public.client(), public.client(OTHER), public.client(None)
    private = f"{bucket}-private"
    other.create_bucket(Bucket=private)
    other.put_object(Bucket=private, Key="a", Body=b"other")
    owner.put_object(Bucket=s3_bucket, Key="builds/1", Body=b"1")
    store = await js.object_store(s3_bucket)
    await store.add_link("there", await (await js.object_store(private)).get_info("a"))
    await store.add_link("latest", await store.get_info("builds/1"))
    # A NATS client made the links. One to a bucket of another user gives no access to it.
    there = {"Bucket": s3_bucket, "Key": "there"}
    copy = {"Bucket": s3_bucket, "Key": "b", "CopySource": there}
    assert code_of(lambda: owner.get_object(**there)) == "AccessDenied"
    assert code_of(lambda: owner.copy_object(**copy)) == "AccessDenied"
    user = {"AWS": "owner-id"}
    put_policy(other, private, statement("Allow", user, "s3:GetObject", f"{private}/*"))
    assert owner.get_object(**there)["Body"].read() == b"other"
    # One in the same bucket is enough to read it, if the policy does not deny that.
    allow = statement("Allow", "*", "s3:GetObject", f"{s3_bucket}/latest")
    put_policy(owner, s3_bucket, allow)
    latest = {"Bucket": s3_bucket, "Key": "latest"}
    assert anonymous.get_object(**latest)["Body"].read() == b"1"
    deny = statement("Deny", "*", "s3:GetObject", f"{s3_bucket}/builds/*")
    put_policy(owner, s3_bucket, allow, deny)
    assert code_of(lambda: anonymous.get_object(**latest)) == "AccessDenied"
    owner.delete_bucket_policy(Bucket=s3_bucket)
    # A rename over another object copied the bytes that a link leads to, unchecked.
    other.delete_bucket_policy(Bucket=private)
    owner.put_object(Bucket=s3_bucket, Key="b", Body=b"b")
    rename = {"Bucket": s3_bucket, "RenameSource": "there"}
    assert code_of(lambda: owner.rename_object(**rename, Key="b")) == "InvalidRequest"
    assert owner.get_object(Bucket=s3_bucket, Key="b")["Body"].read() == b"b"
    owner.rename_object(**rename, Key="c")
    assert code_of(lambda: owner.get_object(Bucket=s3_bucket, Key="c")) == "AccessDenied"
    other.delete_object(Bucket=private, Key="a")
    other.delete_bucket(Bucket=private)


def test_forms_with_tags_and_client_headers(public: RunningGateway, s3_bucket: str) -> None:
    owner, url = public.client(), f"{public.url}/{s3_bucket}"
    put_policy(
        owner, s3_bucket,
        statement("Allow", "*", "s3:PutObject", f"{s3_bucket}/*"),
        statement("Deny", "*", "s3:PutObjectTagging", f"{s3_bucket}/*"),
    )  # fmt: skip
    file = {"file": ("a", b"1")}
    assert httpx.post(url, data={"key": "a", "tagging": TAGS}, files=file).status_code == 403
    assert httpx.post(url, data={"key": "a"}, files=file).status_code == 204
    # The page that sends the form is in a header. A field cannot claim another one.
    referer = {"StringEquals": {"aws:Referer": "https://a.example/"}}
    allow = statement("Allow", "*", "s3:PutObject", f"{s3_bucket}/*", Condition=referer)
    put_policy(owner, s3_bucket, allow)
    claimed = {"key": "a", "referer": "https://a.example/"}
    assert httpx.post(url, data=claimed, files=file).status_code == 403
    headers = {"referer": "https://a.example/"}
    assert httpx.post(url, data={"key": "a"}, files=file, headers=headers).status_code == 204


def test_keys_of_stored_versions(gateway: RunningGateway, s3: Any, s3_bucket: str) -> None:
    hidden = ".jetstow/versions/a/1"
    s3.put_object(Bucket=s3_bucket, Key="a", Body=b"1")
    path = f"/{s3_bucket}/{hidden}"
    requests: list[tuple[str, str, dict[str, str]]] = [
        ("GET", path, {}),
        ("PUT", path, {}),
        ("DELETE", path, {}),
        ("POST", f"{path}?uploads", {}),
        ("PUT", f"/{s3_bucket}/%2Ejetstow%2Fversions/a/1?tagging", {}),
        ("PUT", path, {"x-amz-copy-source": f"{s3_bucket}/a"}),
        ("PUT", f"/{s3_bucket}/b", {"x-amz-copy-source": path}),
        ("PUT", f"{path}?renameObject", {"x-amz-rename-source": "a"}),
        ("PUT", f"/{s3_bucket}/b?renameObject", {"x-amz-rename-source": hidden}),
    ]
    for method, target, headers in requests:
        answer = send_signed(gateway, method, target, headers=headers)
        assert (answer.status, answer.code) == (400, "InvalidArgument"), (method, target, headers)
    errors = s3.delete_objects(Bucket=s3_bucket, Delete={"Objects": [{"Key": hidden}]})["Errors"]
    assert errors[0]["Code"] == "InvalidArgument"
    file = {"file": ("a", b"1")}
    form = s3.generate_presigned_post(s3_bucket, hidden)
    assert httpx.post(form["url"], data=form["fields"], files=file).status_code == 400
    assert [each["Key"] for each in s3.list_objects_v2(Bucket=s3_bucket)["Contents"]] == ["a"]


def test_versions_need_their_own_actions(gateway: RunningGateway, s3: Any, s3_bucket: str) -> None:
    other = gateway.client(OTHER)
    s3.put_bucket_versioning(Bucket=s3_bucket, VersioningConfiguration={"Status": "Enabled"})
    at = {"Bucket": s3_bucket, "Key": "a"}
    one = {**at, "VersionId": s3.put_object(**at, Body=b"1")["VersionId"]}
    both = {"Objects": [{"Key": "a", "VersionId": one["VersionId"]}]}
    copy = {"Bucket": s3_bucket, "Key": "b", "CopySource": one}
    reads: dict[str, Callable[[], object]] = {
        "get": lambda: other.get_object(**one),
        "attributes": lambda: other.get_object_attributes(**one, ObjectAttributes=["ETag"]),
        "tags": lambda: other.get_object_tagging(**one),
        "acl": lambda: other.get_object_acl(**one),
        "copy": lambda: other.copy_object(**copy),
        "delete": lambda: other.delete_object(**one),
    }

    def codes() -> set[str]:
        return {code_of(call) for call in reads.values()}

    actions = ["s3:GetObject", "s3:GetObjectAttributes", "s3:GetObjectTagging", "s3:GetObjectAcl",
               "s3:PutObject", "s3:DeleteObject"]  # fmt: skip
    put_policy(s3, s3_bucket, statement("Allow", USER, actions, f"{s3_bucket}/*"))
    assert other.get_object(**at)["Body"].read() == b"1"
    assert codes() == {"AccessDenied"}
    assert (
        other.delete_objects(Bucket=s3_bucket, Delete=both)["Errors"][0]["Code"] == "AccessDenied"
    )
    # A denial of the object holds for its versions.
    allow = statement("Allow", USER, "s3:*", f"{s3_bucket}/*")
    put_policy(s3, s3_bucket, allow, statement("Deny", USER, actions, f"{s3_bucket}/*"))
    assert codes() == {"AccessDenied"}
    put_policy(s3, s3_bucket, allow)
    assert codes() == {""}
    s3.delete_bucket_policy(Bucket=s3_bucket)
    for entry in s3.list_object_versions(Bucket=s3_bucket)["Versions"]:
        s3.delete_object(Bucket=s3_bucket, Key=entry["Key"], VersionId=entry["VersionId"])


def test_denial_without_versions(s3: Any, s3_bucket: str) -> None:
    """Without versioning, the version `null` is the object, and no way around a denial."""
    one = {"Bucket": s3_bucket, "Key": "a", "VersionId": "null"}
    s3.put_object(Bucket=s3_bucket, Key="a", Body=b"1")
    actions = ["s3:GetObject", "s3:DeleteObject", "s3:GetObjectTagging"]
    put_policy(s3, s3_bucket, statement("Deny", "*", actions, f"{s3_bucket}/*"))
    targets = {"Objects": [{"Key": "a", "VersionId": "null"}]}
    copy = {"Bucket": s3_bucket, "Key": "b", "CopySource": one}
    refused: list[Callable[[], object]] = [
        lambda: s3.get_object(**one),
        lambda: s3.get_object_tagging(**one),
        lambda: s3.copy_object(**copy),
        lambda: s3.delete_object(**one),
    ]
    assert {code_of(call) for call in refused} == {"AccessDenied"}
    errors = s3.delete_objects(Bucket=s3_bucket, Delete=targets)["Errors"]
    assert [error["Code"] for error in errors] == ["AccessDenied"]
    s3.delete_bucket_policy(Bucket=s3_bucket)


def test_governance_is_bypassed_with_permission_only(
    gateway: RunningGateway, s3: Any, bucket: str
) -> None:
    s3.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
    until = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=1)
    lock = {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": until}
    version = s3.put_object(Bucket=bucket, Key="a", Body=b"1", **lock)["VersionId"]
    one = {"Bucket": bucket, "Key": "a", "VersionId": version}
    deny = statement("Deny", "*", "s3:BypassGovernanceRetention", f"{bucket}/*")
    read = statement("Allow", USER, "s3:GetBucketObjectLockConfiguration", bucket)
    put_policy(s3, bucket, deny, read)
    bypass = {"BypassGovernanceRetention": True}
    assert code_of(lambda: s3.delete_object(**one, **bypass)) == "AccessDenied"
    targets = {"Objects": [{"Key": "a", "VersionId": version}]}
    errors = s3.delete_objects(Bucket=bucket, Delete=targets, **bypass)["Errors"]
    assert [error["Code"] for error in errors] == ["AccessDenied"]
    gateway.client(OTHER).get_object_lock_configuration(Bucket=bucket)
    s3.delete_bucket_policy(Bucket=bucket)
    s3.delete_object(**one, **bypass)
    s3.delete_bucket(Bucket=bucket)


async def test_retention_of_another_client(
    gateway: RunningGateway, s3: Any, s3_bucket: str, js: jetstow.JetStreamContext
) -> None:
    """Without object lock in S3's sense, the header alone bypassed the retention."""
    s3.put_bucket_versioning(Bucket=s3_bucket, VersioningConfiguration={"Status": "Enabled"})
    store = await js.object_store(s3_bucket)
    until = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=1)
    info = await store.put("a", b"1", ObjectMeta(retention=Retention("governance", until)))
    actions = ["s3:DeleteObject", "s3:DeleteObjectVersion"]
    put_policy(s3, s3_bucket, statement("Allow", USER, actions, f"{s3_bucket}/*"))
    other = gateway.client(OTHER)
    one = {"Bucket": s3_bucket, "Key": "a", "VersionId": info.version}
    bypass = {"BypassGovernanceRetention": True}
    assert code_of(lambda: other.delete_object(**one, **bypass)) == "AccessDenied"
    targets = {"Objects": [{"Key": "a", "VersionId": info.version}]}
    errors = other.delete_objects(Bucket=s3_bucket, Delete=targets, **bypass)["Errors"]
    assert [error["Code"] for error in errors] == ["AccessDenied"]
    s3.delete_object(**one, **bypass)
    assert "Versions" not in s3.list_object_versions(Bucket=s3_bucket)


def test_grant_to_write_is_not_for_versions_and_locks(
    gateway: RunningGateway, s3: Any, bucket: str
) -> None:
    """With it, others removed the owner's versions forever, and made theirs undeletable."""
    s3.create_bucket(
        Bucket=bucket, ObjectLockEnabledForBucket=True, ObjectOwnership="BucketOwnerPreferred",
        GrantWrite=f"id={OTHER.owner}", GrantFullControl=f"id={OWNER.owner}",
    )  # fmt: skip
    other, at = gateway.client(OTHER), {"Bucket": bucket, "Key": "a"}
    one = {**at, "VersionId": s3.put_object(**at, Body=b"1")["VersionId"]}
    targets = {"Objects": [{"Key": "a", "VersionId": one["VersionId"]}]}
    until = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=1)
    retention = {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": until}
    hold = {"ObjectLockLegalHoldStatus": "ON"}

    def codes() -> list[str]:
        refused: list[Callable[[], object]] = [
            lambda: other.delete_object(**one),
            lambda: other.put_object(**at, Body=b"2", **retention),
            lambda: other.put_object(**at, Body=b"2", **hold),
            lambda: other.copy_object(**at, CopySource=f"{own}/a", **hold),
            lambda: other.create_multipart_upload(**at, **retention),
        ]
        return [code_of(call) for call in refused]

    own = f"{bucket}-other"
    other.create_bucket(Bucket=own)
    other.put_object(Bucket=own, Key="a", Body=b"other")
    assert codes() == ["AccessDenied"] * 5
    errors = other.delete_objects(Bucket=bucket, Delete=targets)["Errors"]
    assert [error["Code"] for error in errors] == ["AccessDenied"]
    other.put_object(**at, Body=b"2")
    assert other.delete_object(**at)["DeleteMarker"]
    # A policy that allows to put objects does not allow to lock them.
    put_policy(s3, bucket, statement("Allow", USER, "s3:PutObject", f"{bucket}/*"))
    assert codes() == ["AccessDenied"] * 5
    put_policy(s3, bucket, statement("Allow", USER, "s3:*", f"{bucket}/*"))
    assert codes() == [""] * 5
    other.delete_object(Bucket=own, Key="a")
    other.delete_bucket(Bucket=own)
    for entry in s3.list_object_versions(Bucket=bucket)["Versions"]:
        version = {"Bucket": bucket, "Key": "a", "VersionId": entry["VersionId"]}
        s3.put_object_legal_hold(**version, LegalHold={"Status": "OFF"})
        s3.delete_object(**version, BypassGovernanceRetention=True)
    for entry in s3.list_object_versions(Bucket=bucket)["DeleteMarkers"]:
        s3.delete_object(Bucket=bucket, Key="a", VersionId=entry["VersionId"])
    s3.delete_bucket(Bucket=bucket)
