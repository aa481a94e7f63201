"""Deletes of selected objects and folders."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

import jetstow
from jetstow.s3 import indexes
from tests.support.console import error_code
from tests.support.gateway import OTHER, READER, WRITER

if TYPE_CHECKING:
    from tests.support.console import ConsoleClient, RunningConsole


def delete(
    client: ConsoleClient, bucket: str, revision: int = 10**9, **selection: list[str]
) -> list[dict[str, Any]]:
    json_body = {"created": client.created(bucket), "revision": revision, **selection}
    return lines(client, f"buckets/{bucket}/delete", json_body)


def undo(client: ConsoleClient, bucket: str, markers: dict[str, str]) -> dict[str, Any]:
    return lines(client, f"buckets/{bucket}/delete/undo", {"markers": markers})[-1]


def rows_revision(client: ConsoleClient, bucket: str) -> int:
    return int(client.get(f"buckets/{bucket}/rows").json()["revision"])


def lines(client: ConsoleClient, path: str, json_body: dict[str, Any]) -> list[dict[str, Any]]:
    response = client.post(path, json=json_body)
    assert response.status_code == 200, response.text
    return [json.loads(line) for line in response.text.splitlines()]


async def test_delete(client: ConsoleClient, store: jetstow.ObjectStore) -> None:
    for name in ("a/1", "a/2/3", "a/", "ab", "b", "../<x>", "stays"):
        await store.put(name, b"x")
    names, prefixes = ["b", "../<x>", "ab", "a/1", "gone"], ["a/"]
    first, *between, last = delete(client, store.bucket, names=names, prefixes=prefixes)
    assert first == {"done": 0, "total": 7}
    assert all(line["total"] == 7 for line in between)
    assert last == {
        "deleted": 7, "kept": [], "kept_count": 0, "failed": [], "failed_count": 0, "markers": {},
    }  # fmt: skip
    assert [info.name for info in await store.list()] == ["stays"]
    assert delete(client, store.bucket)[-1]["deleted"] == 0
    everything = {"created": client.created(store.bucket), "revision": 1, "prefixes": [""]}
    refused = client.post(f"buckets/{store.bucket}/delete", json=everything)
    assert (refused.status_code, error_code(refused)) == (400, "InvalidArgument")


def test_delete_with_undo(client: ConsoleClient, s3: Any, s3_bucket: str) -> None:
    """In a bucket with versions, the markers are what undoes the delete."""
    s3.put_bucket_versioning(Bucket=s3_bucket, VersioningConfiguration={"Status": "Enabled"})
    for name in ("a/1", "a/2"):
        s3.put_object(Bucket=s3_bucket, Key=name, Body=name.encode())
    last = delete(client, s3_bucket, prefixes=["a/"])[-1]
    assert set(last["markers"]) == {"a/1", "a/2"}
    assert s3.list_objects_v2(Bucket=s3_bucket)["KeyCount"] == 0
    undone = undo(client, s3_bucket, last["markers"])
    assert undone == {"restored": 2, "failed": [], "failed_count": 0}
    assert s3.get_object(Bucket=s3_bucket, Key="a/1")["Body"].read() == b"a/1"


def test_undo_of_what_has_changed(client: ConsoleClient, s3: Any, s3_bucket: str) -> None:
    """Undo removed a marker below a newer version, and said that it restored the object."""
    s3.put_bucket_versioning(Bucket=s3_bucket, VersioningConfiguration={"Status": "Enabled"})
    for name in ("again", "back", "new", "marked"):
        s3.put_object(Bucket=s3_bucket, Key=name, Body=b"old")
    markers = delete(client, s3_bucket, names=["again", "back", "new", "marked"])[-1]["markers"]
    version = s3.put_object(Bucket=s3_bucket, Key="new", Body=b"new")["VersionId"]
    s3.delete_object(Bucket=s3_bucket, Key="marked")
    undo(client, s3_bucket, {"again": markers["again"]})
    last = undo(client, s3_bucket, markers | {"other": version})
    assert last["restored"] == 1
    failed = {failure["name"]: failure["code"] for failure in last["failed"]}
    expected = {"again": "NotDeleted", "new": "NewerVersion", "marked": "NewerVersion"}
    assert failed == expected | {"other": "NotDeleted"}
    refused = undo(client, s3_bucket, {"new": version})["failed"]
    assert [failure["code"] for failure in refused] == ["NotDeleted"], "it is no marker"
    assert s3.get_object(Bucket=s3_bucket, Key="new")["Body"].read() == b"new"
    assert s3.get_object(Bucket=s3_bucket, Key="back")["Body"].read() == b"old"
    listed = s3.list_object_versions(Bucket=s3_bucket)["DeleteMarkers"]
    assert {each["Key"] for each in listed} == {"new", "marked"}, "those that are not current stay"

    s3.put_bucket_versioning(Bucket=s3_bucket, VersioningConfiguration={"Status": "Suspended"})
    s3.put_object(Bucket=s3_bucket, Key="null", Body=b"gone for good")
    markers = delete(client, s3_bucket, names=["back", "null"])[-1]["markers"]
    last = undo(client, s3_bucket, markers)
    assert (last["restored"], last["failed"][0]["code"]) == (1, "NoSuchVersion")
    assert s3.get_object(Bucket=s3_bucket, Key="back")["Body"].read() == b"old"


async def test_delete_keeps_what_is_newer(
    client: ConsoleClient, store: jetstow.ObjectStore
) -> None:
    """A delete that waited for its undo deleted what was uploaded in the meantime."""
    for name in ("one", "two", "folder/old", "folder/replaced"):
        await store.put(name, b"old")
    revision = rows_revision(client, store.bucket)
    for name in ("two", "folder/replaced", "folder/new", "later"):
        await store.put(name, b"new")
    names, prefixes = ["one", "two", "later"], ["folder/"]
    last = delete(client, store.bucket, revision, names=names, prefixes=prefixes)[-1]
    assert (last["deleted"], last["kept_count"], last["failed"]) == (2, 4, [])
    assert sorted(last["kept"]) == ["folder/new", "folder/replaced", "later", "two"]
    left = {info.name: (await store.get(info.name)).data for info in await store.list()}
    assert left == dict.fromkeys(last["kept"], b"new")


async def test_delete_in_another_bucket_of_the_same_name(
    client: ConsoleClient, js: jetstow.JetStreamContext, store: jetstow.ObjectStore
) -> None:
    """A delete that waited for its undo deleted an object of a bucket that was created later."""
    await store.put("a", b"old")
    page = client.get(f"buckets/{store.bucket}/rows").json()
    shown = client.get(f"buckets/{store.bucket}/object", params={"name": "a"}).json()
    assert page["created"] == shown["bucket_created"] == client.created(store.bucket)
    await js.delete_object_store(store.bucket)
    await js.create_object_store(store.bucket)
    await store.put("a", b"new")
    selection = {"created": page["created"], "revision": page["revision"], "names": ["a"]}
    refused = client.post(f"buckets/{store.bucket}/delete", json=selection)
    assert (refused.status_code, error_code(refused)) == (409, "NewerBucket")
    assert (await store.get("a")).data == b"new"


async def test_delete_in_a_bucket_of_many_names(
    client: ConsoleClient, store: jetstow.ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its index keeps no names, and has no revision."""
    monkeypatch.setattr(indexes, "_MAX_NAMES", 1)
    for name in ("a/1", "a/2"):
        await store.put(name, b"old")
    revision = rows_revision(client, store.bucket)
    for name in ("a/2", "a/3"):
        await store.put(name, b"new")
    last = delete(client, store.bucket, revision, prefixes=["a/"])[-1]
    assert (last["deleted"], sorted(last["kept"])) == (1, ["a/2", "a/3"])


async def test_delete_against_writers(client: ConsoleClient, store: jetstow.ObjectStore) -> None:
    """What is replaced while the delete runs is kept, however the two meet."""
    names = [f"{number:03}" for number in range(300)]
    await asyncio.gather(*(store.put(name, b"old") for name in names))
    revision = rows_revision(client, store.bucket)
    writes = [asyncio.create_task(store.put(name, b"new")) for name in names]
    *_, last = await asyncio.to_thread(delete, client, store.bucket, revision, names=names)
    await asyncio.gather(*writes)
    assert last["deleted"] + last["kept_count"] == 300
    left = {info.name: (await store.get(info.name)).data for info in await store.list()}
    assert left == dict.fromkeys(names, b"new")


def test_failures_are_listed(client: ConsoleClient, s3: Any, s3_bucket: str) -> None:
    for name in ("kept/a", "x"):
        s3.put_object(Bucket=s3_bucket, Key=name, Body=b"x")
    policy = (
        '{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", '
        f'"Action": "s3:DeleteObject", "Resource": "arn:aws:s3:::{s3_bucket}/kept/*"}}]}}'
    )
    s3.put_bucket_policy(Bucket=s3_bucket, Policy=policy)
    last = delete(client, s3_bucket, names=["x", "kept/a", ".jetstow/versions/x/y", "é" * 600])[-1]
    s3.delete_bucket_policy(Bucket=s3_bucket)
    assert (last["deleted"], last["failed_count"]) == (1, len(last["failed"]))
    failed = {failure["name"]: failure["code"] for failure in last["failed"]}
    assert failed["kept/a"] == "AccessDenied"
    assert failed["é" * 600] == "KeyTooLongError"
    assert s3.list_objects_v2(Bucket=s3_bucket)["KeyCount"] == 1


def test_permissions(console: RunningConsole, s3: Any, s3_bucket: str) -> None:
    s3.put_object(Bucket=s3_bucket, Key="a/b", Body=b"x")
    path = f"buckets/{s3_bucket}/delete"
    with console.sign_in(READER) as reader:
        state = {"created": reader.created(s3_bucket), "revision": 9}
        refused = reader.post(path, json={**state, "names": ["a/b"]})
        assert error_code(refused) == "AccessDenied"
    with console.sign_in(OTHER) as other:
        (*_, last) = delete(other, s3_bucket, names=["a/b"])
        assert [failure["code"] for failure in last["failed"]] == ["AccessDenied"]
        refused = other.post(path, json={**state, "prefixes": ["a/"]})
        assert error_code(refused) == "AccessDenied"
    with console.sign_in(WRITER) as writer:
        refused = writer.post(path, json={**state, "prefixes": ["a/"]})
        assert error_code(refused) == "AccessDenied", "it may not list"
        assert delete(writer, s3_bucket, names=["a/b"])[-1]["deleted"] == 1


async def test_client_that_goes_away(
    console: RunningConsole, client: ConsoleClient, store: jetstow.ObjectStore
) -> None:
    """The delete ends, and what it has not reached stays."""
    await asyncio.gather(*(store.put(f"{n:05}", b"") for n in range(3_000)))
    url = f"buckets/{store.bucket}/delete"
    names = [f"{n:05}" for n in range(3_000)]
    selection = {"created": client.created(store.bucket), "revision": 10**9, "names": names}
    with client.stream("POST", url, json=selection) as response:
        assert json.loads(next(response.iter_lines())) == {"done": 0, "total": 3_000}
    assert console.gateway is not None
    async with asyncio.timeout(20):
        before = -1
        while before != (before := len(await store.list())):
            await asyncio.sleep(0.3)
    assert before > 0
