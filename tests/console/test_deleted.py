"""Deleted objects of a versioned bucket: the list, undelete, and the counts of versions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.support import object_builder
from tests.support.console import error_code
from tests.support.gateway import OTHER, READER, WRITER

if TYPE_CHECKING:
    from nats.aio.client import Client

    from tests.support.console import ConsoleClient, RunningConsole


@pytest.fixture
def versioned(s3: Any, s3_bucket: str) -> str:
    """A bucket of OWNER with versions."""
    s3.put_bucket_versioning(Bucket=s3_bucket, VersioningConfiguration={"Status": "Enabled"})
    return s3_bucket


def put(s3: Any, bucket: str, *names: str, size: int = 1) -> None:
    for name in names:
        s3.put_object(Bucket=bucket, Key=name, Body=bytes(size))


def delete(s3: Any, bucket: str, *names: str) -> None:
    for name in names:
        s3.delete_object(Bucket=bucket, Key=name)


def deleted(client: ConsoleClient, bucket: str, **query: Any) -> dict[str, Any]:
    response = client.get(f"buckets/{bucket}/deleted", params=query)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


def labels(client: ConsoleClient, bucket: str, **query: Any) -> list[str]:
    return [row["label"] for row in deleted(client, bucket, **query)["rows"]]


def undelete(client: ConsoleClient, bucket: str, **selection: Any) -> list[dict[str, Any]]:
    response = client.post(f"buckets/{bucket}/undelete", json=selection)
    assert response.status_code == 200, response.text
    return [json.loads(line) for line in response.text.splitlines()]


def test_deleted_objects(client: ConsoleClient, s3: Any, versioned: str) -> None:
    put(s3, versioned, "a/1", "a/b/2", "<b>", "stays")
    put(s3, versioned, "a/b/2", size=20)
    delete(s3, versioned, "a/1", "<b>", "a/b/2", "never there")
    found = deleted(client, versioned)
    assert (found["total"], found["objects"], found["folders"], found["bytes"]) == (3, 3, 0, 22)
    assert [row["name"] for row in found["rows"]] == ["<b>", "a/1", "a/b/2"]
    listed = s3.list_object_versions(Bucket=versioned, Prefix="a/b/2")
    (marker,) = listed["DeleteMarkers"]
    row = found["rows"][-1]
    assert (row["type"], row["size"], row["version"]) == ("deleted", 20, marker["VersionId"])
    assert row["modified"][:19] == marker["LastModified"].strftime("%Y-%m-%dT%H:%M:%S")
    assert labels(client, versioned, prefix="a/") == ["1", "b/2"]
    assert labels(client, versioned, prefix="a/", filter="B/") == ["b/2"]
    assert labels(client, versioned, sort="size", order="desc")[0] == "a/b/2"
    assert labels(client, versioned, sort="modified") == ["a/1", "<b>", "a/b/2"]
    assert labels(client, versioned, offset=1, limit=1) == ["a/1"]

    # The list follows undeletes, new objects and removed versions.
    s3.delete_object(Bucket=versioned, Key="a/b/2", VersionId=marker["VersionId"])
    put(s3, versioned, "a/1")
    assert labels(client, versioned) == ["<b>"]
    for version in s3.list_object_versions(Bucket=versioned, Prefix="<b>")["Versions"]:
        s3.delete_object(Bucket=versioned, Key="<b>", VersionId=version["VersionId"])
    assert labels(client, versioned) == []


def test_undelete(client: ConsoleClient, s3: Any, versioned: str) -> None:
    put(s3, versioned, "a/1", "a/2", "b", "back", "kept", size=3)
    delete(s3, versioned, "a/1", "a/2", "a/2", "b", "back", "marker")
    put(s3, versioned, "back")
    first, *_, last = undelete(client, versioned, names=["a/2", "back", "marker", "none"])
    assert first == {"done": 0, "total": 4}
    assert (last["undeleted"], last["failed_count"]) == (1, 3)
    failed = {failure["name"]: failure["code"] for failure in last["failed"]}
    assert failed == {"back": "NotDeleted", "marker": "NoSuchVersion", "none": "NoSuchKey"}
    assert s3.head_object(Bucket=versioned, Key="a/2")["ContentLength"] == 3, "deleted twice"
    assert labels(client, versioned) == ["a/1", "b"]
    outside = client.post(
        f"buckets/{versioned}/undelete", json={"prefix": "a/", "names": ["a/1", "b"]}
    )
    assert error_code(outside) == "InvalidArgument"
    expected = {"undeleted": 1, "failed": [], "failed_count": 0}
    assert undelete(client, versioned, prefix="a/")[-1] == expected
    assert undelete(client, versioned)[-1] == expected
    assert labels(client, versioned) == []
    assert undelete(client, versioned)[-1]["undeleted"] == 0
    listed = s3.list_objects_v2(Bucket=versioned)["Contents"]
    assert [each["Key"] for each in listed] == ["a/1", "a/2", "b", "back", "kept"]


def test_bucket_without_versions(client: ConsoleClient, s3: Any, s3_bucket: str) -> None:
    put(s3, s3_bucket, "a")
    delete(s3, s3_bucket, "a")
    assert labels(client, s3_bucket) == []
    assert undelete(client, s3_bucket)[-1]["undeleted"] == 0
    assert client.get(f"buckets/{s3_bucket}").json()["versions"] is None


def test_permissions(console: RunningConsole, s3: Any, versioned: str) -> None:
    """A key that may only read sees what is deleted. A policy decides as for S3's operations."""
    put(s3, versioned, "kept/a", "b")
    delete(s3, versioned, "kept/a", "b")
    with console.sign_in(READER) as reader:
        assert labels(reader, versioned) == ["b", "kept/a"]
        assert reader.get(f"buckets/{versioned}").json()["versions"]["markers"] == 2
        refused = reader.post(f"buckets/{versioned}/undelete", json={})
        assert error_code(refused) == "AccessDenied"
    for key in (WRITER, OTHER):
        with console.sign_in(key) as other:
            assert error_code(other.get(f"buckets/{versioned}/deleted")) == "AccessDenied"
            refused = other.post(f"buckets/{versioned}/undelete", json={"names": ["b"]})
            assert error_code(refused) == "AccessDenied"
    denied = {
        "Effect": "Deny", "Principal": "*", "Action": "s3:DeleteObjectVersion",
        "Resource": f"arn:aws:s3:::{versioned}/kept/*",
    }  # fmt: skip
    policy = {"Version": "2012-10-17", "Statement": [denied]}
    s3.put_bucket_policy(Bucket=versioned, Policy=json.dumps(policy))
    with console.sign_in() as owner:
        last = undelete(owner, versioned)[-1]
        assert (last["undeleted"], last["failed_count"]) == (1, 1)
        assert (last["failed"][0]["name"], last["failed"][0]["code"]) == ("kept/a", "AccessDenied")
    denied |= {"Action": "s3:ListBucketVersions", "Resource": f"arn:aws:s3:::{versioned}"}
    s3.put_bucket_policy(Bucket=versioned, Policy=json.dumps(policy))
    with console.sign_in() as owner:
        assert error_code(owner.get(f"buckets/{versioned}/deleted")) == "AccessDenied"
        assert owner.get(f"buckets/{versioned}").json()["versions"] is None
    s3.delete_bucket_policy(Bucket=versioned)


def test_counts(client: ConsoleClient, s3: Any, versioned: str) -> None:
    """The size of a bucket has its old versions: their number is shown, too."""
    put(s3, versioned, "a", "b", size=100)
    put(s3, versioned, "a", size=10)
    delete(s3, versioned, "b")
    shown = client.get(f"buckets/{versioned}").json()
    assert shown["objects"] == 1
    assert shown["versions"] == {"older": 2, "size": 200, "markers": 1}
    assert shown["size"] > 210


async def test_verification_of_an_older_version(
    client: ConsoleClient, s3: Any, versioned: str, raw: Client
) -> None:
    """The current version was verified, whichever was shown."""
    old = s3.put_object(Bucket=versioned, Key="a", Body=bytes(300_000))["VersionId"]
    put(s3, versioned, "a", size=5)
    path = f"buckets/{versioned}/verify?name=a"

    def result(version: str) -> dict[str, Any]:
        response = client.post(f"{path}&version={version}")
        assert response.status_code == 200, response.text
        found: dict[str, Any] = json.loads(response.text.splitlines()[-1])["result"]
        return found

    assert result(old) == {"chunks": 3, "size": 300_000, "findings": []}
    await object_builder.delete_chunks(raw, versioned, old, 1)
    (finding,) = result(old)["findings"]
    assert (finding["name"], finding["version"]) == ("a", old)
    assert json.loads(client.post(path).text.splitlines()[-1])["result"]["findings"] == []
    *_, last = client.post(f"buckets/{versioned}/verify").text.splitlines()
    whole = json.loads(last)["result"]
    assert (whole["objects"], len(whole["findings"])) == (2, 1)
    assert whole["findings"][0]["version"] == old
    delete(s3, versioned, "a")
    assert error_code(client.post(path)) == "NoSuchKey"
    assert error_code(client.post(f"{path}&version=none")) == "NoSuchVersion"
