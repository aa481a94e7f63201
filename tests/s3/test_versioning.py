"""Versions of objects through the gateway, as boto3 uses them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

import jetstow.sync as jetstow
from tests.support.gateway import OTHER
from tests.support.multipart import MIB

if TYPE_CHECKING:
    from tests.support.gateway import RunningGateway
    from tests.support.servers import NatsServer


@pytest.fixture
def versioned(s3: Any, bucket: str) -> Iterator[str]:
    """A new bucket with versions. It is deleted with all of them."""
    s3.create_bucket(Bucket=bucket)
    enable(s3, bucket)
    yield bucket
    for kind, key, version in listed(s3, bucket):
        assert kind
        s3.delete_object(Bucket=bucket, Key=key, VersionId=version)
    s3.delete_bucket(Bucket=bucket)


def enable(s3: Any, bucket: str, status: str = "Enabled") -> None:
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": status})


def put(s3: Any, bucket: str, body: bytes, key: str = "a", **options: Any) -> str | None:
    """Put an object. Return the id of its version, None if there is none."""
    response: dict[str, str] = s3.put_object(Bucket=bucket, Key=key, Body=body, **options)
    return response.get("VersionId")


def body(s3: Any, bucket: str, version: str | None = None, key: str = "a") -> bytes:
    options = {} if version is None else {"VersionId": version}
    data: bytes = s3.get_object(Bucket=bucket, Key=key, **options)["Body"].read()
    return data


def listed(s3: Any, bucket: str, **options: Any) -> list[tuple[str, str, str]]:
    """All versions: "latest", "older" or "marker", the key, and the id; markers last."""
    found = []
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, **options):
        for each in page.get("Versions", ()):
            kind = "latest" if each["IsLatest"] else "older"
            found.append((kind, each["Key"], each["VersionId"]))
        markers = page.get("DeleteMarkers", ())
        found += [("marker", each["Key"], each["VersionId"]) for each in markers]
    return found


def failure(call: Any, **arguments: Any) -> tuple[int, str, dict[str, str]]:
    """Return the status, the code and the headers of a call that fails."""
    with pytest.raises(ClientError) as raised:
        call(**arguments)
    response = raised.value.response
    metadata = response["ResponseMetadata"]
    return metadata["HTTPStatusCode"], response["Error"]["Code"], metadata["HTTPHeaders"]


def test_state_of_versioning(s3: Any, s3_bucket: str) -> None:
    assert "Status" not in s3.get_bucket_versioning(Bucket=s3_bucket)
    for status in ("Suspended", "Enabled", "Suspended"):
        enable(s3, s3_bucket, status)
        assert s3.get_bucket_versioning(Bucket=s3_bucket)["Status"] == status
    wrong = {"Status": "Disabled"}
    put_versioning = s3.put_bucket_versioning
    number, code, _ = failure(put_versioning, Bucket=s3_bucket, VersioningConfiguration=wrong)
    assert (number, code) == (400, "MalformedXML")
    s3.put_bucket_tagging(Bucket=s3_bucket, Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    assert s3.get_bucket_versioning(Bucket=s3_bucket)["Status"] == "Suspended"


def test_put_get_delete(s3: Any, versioned: str) -> None:
    first, second = put(s3, versioned, b"1"), put(s3, versioned, b"22")
    assert first != second
    assert body(s3, versioned) == b"22"
    assert body(s3, versioned, first) == b"1"
    head = s3.head_object(Bucket=versioned, Key="a", VersionId=first)
    assert (head["VersionId"], head["ContentLength"]) == (first, 1)
    assert s3.head_object(Bucket=versioned, Key="a")["VersionId"] == second
    deleted = s3.delete_object(Bucket=versioned, Key="a")
    marker = deleted["VersionId"]
    assert deleted["DeleteMarker"]
    assert listed(s3, versioned) == [
        ("older", "a", second), ("older", "a", first), ("marker", "a", marker),
    ]  # fmt: skip
    assert body(s3, versioned, second) == b"22"

    get = s3.get_object
    status, code, headers = failure(get, Bucket=versioned, Key="a")
    assert (status, code) == (404, "NoSuchKey")
    assert (headers["x-amz-delete-marker"], headers["x-amz-version-id"]) == ("true", marker)
    status, code, headers = failure(get, Bucket=versioned, Key="a", VersionId=marker)
    assert (status, code) == (405, "MethodNotAllowed")
    assert (headers["x-amz-delete-marker"], headers["allow"]) == ("true", "DELETE")
    for wrong in ("unknown", "null", "a/b"):
        status, code, _ = failure(get, Bucket=versioned, Key="a", VersionId=wrong)
        assert (status, code) == (404, "NoSuchVersion")

    removed = s3.delete_object(Bucket=versioned, Key="a", VersionId=marker)
    assert (removed["DeleteMarker"], removed["VersionId"]) == (True, marker)
    assert body(s3, versioned) == b"22"
    s3.delete_object(Bucket=versioned, Key="a", VersionId=second)
    assert body(s3, versioned) == b"1"
    s3.delete_object(Bucket=versioned, Key="a", VersionId=first)
    s3.delete_object(Bucket=versioned, Key="a", VersionId=first)  # again
    assert listed(s3, versioned) == []


def test_null_versions(s3: Any, s3_bucket: str) -> None:
    assert put(s3, s3_bucket, b"before") is None
    enable(s3, s3_bucket)
    assert listed(s3, s3_bucket) == [("latest", "a", "null")]
    new = put(s3, s3_bucket, b"new") or ""
    assert body(s3, s3_bucket, "null") == b"before"
    enable(s3, s3_bucket, "Suspended")
    assert put(s3, s3_bucket, b"suspended") is None
    assert listed(s3, s3_bucket) == [("latest", "a", "null"), ("older", "a", new)]
    assert s3.get_object(Bucket=s3_bucket, Key="a", VersionId="null")["VersionId"] == "null"
    deleted = s3.delete_object(Bucket=s3_bucket, Key="a")
    assert (deleted["DeleteMarker"], deleted["VersionId"]) == (True, "null")
    assert listed(s3, s3_bucket) == [("older", "a", new), ("marker", "a", "null")]
    s3.delete_object(Bucket=s3_bucket, Key="a", VersionId="null")
    assert body(s3, s3_bucket) == b"new"
    _, code, _ = failure(s3.delete_bucket, Bucket=s3_bucket)
    assert code == "BucketNotEmpty"
    s3.delete_object(Bucket=s3_bucket, Key="a", VersionId=new)


def test_bucket_with_a_delete_marker_is_not_empty(s3: Any, versioned: str) -> None:
    s3.delete_object(Bucket=versioned, Key="missing")
    assert [kind for kind, *_ in listed(s3, versioned)] == ["marker"]
    _, code, _ = failure(s3.delete_bucket, Bucket=versioned)
    assert code == "BucketNotEmpty"


def test_pages_of_versions(s3: Any, versioned: str) -> None:
    for key in ("a", "b/1", "b/2", "c"):
        for number in range(3):
            put(s3, versioned, b"%d" % number, key)
    s3.delete_object(Bucket=versioned, Key="c")
    whole = [
        (each["Key"], each["VersionId"])
        for each in s3.list_object_versions(Bucket=versioned)["Versions"]
    ]
    assert len(whole) == 12
    found, options = [], dict[str, str]()
    while True:
        page = s3.list_object_versions(Bucket=versioned, MaxKeys=2, **options)
        found += [(each["Key"], each["VersionId"]) for each in page.get("Versions", ())]
        if not page["IsTruncated"]:
            break
        version = page["NextVersionIdMarker"]
        options = {"KeyMarker": page["NextKeyMarker"], "VersionIdMarker": version}
    assert found == whole
    grouped = s3.list_object_versions(Bucket=versioned, Delimiter="/")
    assert [each["Prefix"] for each in grouped["CommonPrefixes"]] == ["b/"]
    assert len(grouped["Versions"]) == 6
    assert len(listed(s3, versioned, Prefix="b/")) == 6
    status, code, _ = failure(s3.list_object_versions, Bucket=versioned, VersionIdMarker="null")
    assert (status, code) == (400, "InvalidArgument")


def test_delete_objects_by_version(s3: Any, versioned: str) -> None:
    first, second = put(s3, versioned, b"1"), put(s3, versioned, b"2")
    wanted = {"Objects": [{"Key": "a"}, {"Key": "a", "VersionId": first}, {"Key": "b"}]}
    deleted = s3.delete_objects(Bucket=versioned, Delete=wanted)["Deleted"]
    by_key = {(each["Key"], each.get("VersionId")): each for each in deleted}
    marker = by_key["a", None]["DeleteMarkerVersionId"]
    assert by_key["a", None]["DeleteMarker"]
    assert "DeleteMarker" not in by_key["a", first]
    assert by_key["b", None]["DeleteMarker"]  # there was no such object
    assert body(s3, versioned, second) == b"2"
    wanted = {"Objects": [{"Key": "a", "VersionId": marker}]}
    (removed,) = s3.delete_objects(Bucket=versioned, Delete=wanted)["Deleted"]
    assert (removed["DeleteMarker"], removed["DeleteMarkerVersionId"]) == (True, marker)
    assert body(s3, versioned) == b"2"


def test_tags_and_acls_of_versions(s3: Any, versioned: str) -> None:
    first, second = put(s3, versioned, b"1"), put(s3, versioned, b"2")
    tags = {"TagSet": [{"Key": "state", "Value": "old"}]}
    target = {"Bucket": versioned, "Key": "a", "VersionId": first}
    before = s3.head_object(**target)["LastModified"]
    assert s3.put_object_tagging(**target, Tagging=tags)["VersionId"] == first
    assert s3.get_object_tagging(**target)["TagSet"] == tags["TagSet"]
    assert s3.get_object_tagging(Bucket=versioned, Key="a")["TagSet"] == []
    assert s3.head_object(**target)["LastModified"] == before
    s3.delete_object_tagging(**target)
    assert s3.get_object_tagging(**target)["TagSet"] == []
    assert s3.get_object_acl(**target)["Owner"] == s3.get_object_acl(
        Bucket=versioned, Key="a"
    )["Owner"]  # fmt: skip
    attributes = s3.get_object_attributes(**target, ObjectAttributes=["ObjectSize"])
    assert (attributes["VersionId"], attributes["ObjectSize"]) == (first, 1)
    assert [version for _, _, version in listed(s3, versioned)] == [second, first]


def test_restore_by_copy(s3: Any, versioned: str) -> None:
    first = put(s3, versioned, b"1", Metadata={"n": "1"})
    s3.delete_object(Bucket=versioned, Key="a")
    source = {"Bucket": versioned, "Key": "a", "VersionId": first}
    copied = s3.copy_object(Bucket=versioned, Key="a", CopySource=source)
    assert copied["CopySourceVersionId"] == first
    assert copied["VersionId"] not in (None, first)
    restored = s3.get_object(Bucket=versioned, Key="a")
    assert (restored["Body"].read(), restored["Metadata"]) == (b"1", {"n": "1"})
    # Other metadata is a version of its own.
    itself = {"Bucket": versioned, "Key": "a"}
    s3.copy_object(**itself, CopySource=itself, Metadata={"n": "2"}, MetadataDirective="REPLACE")
    assert s3.head_object(**itself)["Metadata"] == {"n": "2"}
    assert len(listed(s3, versioned)) == 4
    _, code, _ = failure(
        s3.copy_object, Bucket=versioned, Key="b", CopySource=source | {"VersionId": "unknown"}
    )
    assert code == "NoSuchVersion"


def test_multipart_upload_is_a_version(s3: Any, versioned: str) -> None:
    first = put(s3, versioned, b"1")
    upload = s3.create_multipart_upload(Bucket=versioned, Key="a")["UploadId"]
    target = {"Bucket": versioned, "Key": "a", "UploadId": upload}
    parts = [
        {"PartNumber": n, "ETag": s3.upload_part(**target, PartNumber=n, Body=data)["ETag"]}
        for n, data in enumerate((bytes(5 * MIB), b"end"), 1)
    ]
    done = s3.complete_multipart_upload(**target, MultipartUpload={"Parts": parts})
    assert body(s3, versioned, done["VersionId"])[-3:] == b"end"
    assert body(s3, versioned, first) == b"1"
    put(s3, versioned, b"3")
    assert len(body(s3, versioned, done["VersionId"])) == 5 * MIB + 3


def test_conditions_concern_the_current_version(s3: Any, versioned: str) -> None:
    first = put(s3, versioned, b"1")
    etag = s3.head_object(Bucket=versioned, Key="a")["ETag"]
    put(s3, versioned, b"2")
    _, code, _ = failure(s3.put_object, Bucket=versioned, Key="a", Body=b"3", IfMatch=etag)
    assert code == "PreconditionFailed"
    got = s3.get_object(Bucket=versioned, Key="a", VersionId=first, IfMatch=etag)
    assert got["Body"].read() == b"1"
    s3.delete_object(Bucket=versioned, Key="a")
    put(s3, versioned, b"4", IfNoneMatch="*")  # the delete marker is no object


def test_policy_for_versions(s3: Any, versioned: str, gateway: RunningGateway) -> None:
    """A policy that let everyone read an object let them read its versions, too."""
    first, second = put(s3, versioned, b"secret"), put(s3, versioned, b"public")
    other = gateway.client(OTHER)

    def allow(*actions: str) -> None:
        statement = {
            "Effect": "Allow", "Principal": {"AWS": OTHER.owner}, "Action": actions,
            "Resource": f"arn:aws:s3:::{versioned}/*",
        }  # fmt: skip
        document = {"Version": "2012-10-17", "Statement": [statement]}
        s3.put_bucket_policy(Bucket=versioned, Policy=json.dumps(document))

    allow("s3:GetObject", "s3:DeleteObject")
    assert body(other, versioned) == b"public"
    target = {"Bucket": versioned, "Key": "a", "VersionId": first}
    for call in (other.get_object, other.head_object, other.delete_object):
        assert failure(call, **target)[0] == 403
    copy = failure(other.copy_object, Bucket=versioned, Key="b", CopySource=target)
    assert copy[:2] == (403, "AccessDenied")
    wanted = {"Objects": [{"Key": "a", "VersionId": first}]}
    result = other.delete_objects(Bucket=versioned, Delete=wanted)
    assert [each["Code"] for each in result["Errors"]] == ["AccessDenied"]
    allow("s3:GetObject*", "s3:DeleteObject*")
    assert body(other, versioned, first) == b"secret"
    other.delete_object(**target)
    assert [version for _, _, version in listed(s3, versioned)] == [second]
    s3.delete_bucket_policy(Bucket=versioned)


def test_library_and_gateway_share_versions(s3: Any, versioned: str, server: NatsServer) -> None:
    first = put(s3, versioned, b"1")
    s3.delete_object(Bucket=versioned, Key="a")
    with jetstow.connect(server.url) as nc:
        store = nc.jetstream().object_store(versioned)
        store.restore_version("a", first or "")
        versions = [info.version for info in store.versions("a")]
    assert versions[0] == first
    assert body(s3, versioned) == b"1"
    assert [version for _, _, version in listed(s3, versioned)] == versions
