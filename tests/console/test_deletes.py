"""Deletes of selected objects and folders."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import jetstow
from tests.support.console import error_code
from tests.support.gateway import OTHER, READER, WRITER

if TYPE_CHECKING:
    from tests.support.console import ConsoleClient, RunningConsole


def delete(client: ConsoleClient, bucket: str, **selection: list[str]) -> list[dict[str, Any]]:
    response = client.post(f"buckets/{bucket}/delete", json=selection)
    assert response.status_code == 200, response.text
    return [json.loads(line) for line in response.text.splitlines()]


async def test_delete(client: ConsoleClient, store: jetstow.ObjectStore) -> None:
    for name in ("a/1", "a/2/3", "a/", "ab", "b", "../<x>", "stays"):
        await store.put(name, b"x")
    names, prefixes = ["b", "../<x>", "ab", "a/1", "gone"], ["a/"]
    first, *between, last = delete(client, store.bucket, names=names, prefixes=prefixes)
    assert first == {"done": 0, "total": 7}
    assert all(line["total"] == 7 for line in between)
    assert last == {"deleted": 7, "failed": [], "failed_count": 0, "markers": {}}
    assert [info.name for info in await store.list()] == ["stays"]
    assert delete(client, store.bucket)[-1]["deleted"] == 0
    refused = client.post(f"buckets/{store.bucket}/delete", json={"prefixes": [""]})
    assert (refused.status_code, error_code(refused)) == (400, "InvalidArgument")


def test_delete_with_undo(client: ConsoleClient, s3: Any, s3_bucket: str) -> None:
    """In a bucket with versions, the markers are what undoes the delete."""
    s3.put_bucket_versioning(Bucket=s3_bucket, VersioningConfiguration={"Status": "Enabled"})
    for name in ("a/1", "a/2"):
        s3.put_object(Bucket=s3_bucket, Key=name, Body=name.encode())
    last = delete(client, s3_bucket, prefixes=["a/"])[-1]
    assert set(last["markers"]) == {"a/1", "a/2"}
    assert s3.list_objects_v2(Bucket=s3_bucket)["KeyCount"] == 0
    for name, version in last["markers"].items():
        path = f"{s3_bucket}/{name.replace('/', '%2F')}?versionId={version}"
        assert client.s3("DELETE", path).status_code == 204
    assert s3.get_object(Bucket=s3_bucket, Key="a/1")["Body"].read() == b"a/1"


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
    for key in (READER,):
        with console.sign_in(key) as other:
            assert error_code(other.post(path, json={"names": ["a/b"]})) == "AccessDenied"
    with console.sign_in(OTHER) as other:
        (*_, last) = delete(other, s3_bucket, names=["a/b"])
        assert [failure["code"] for failure in last["failed"]] == ["AccessDenied"]
        assert error_code(other.post(path, json={"prefixes": ["a/"]})) == "AccessDenied"
    with console.sign_in(WRITER) as writer:
        refused = writer.post(path, json={"prefixes": ["a/"]})
        assert error_code(refused) == "AccessDenied", "it may not list"
        assert delete(writer, s3_bucket, names=["a/b"])[-1]["deleted"] == 1


async def test_client_that_goes_away(
    console: RunningConsole, client: ConsoleClient, store: jetstow.ObjectStore
) -> None:
    """The delete ends, and what it has not reached stays."""
    await asyncio.gather(*(store.put(f"{n:05}", b"") for n in range(3_000)))
    url = f"buckets/{store.bucket}/delete"
    with client.stream("POST", url, json={"names": [f"{n:05}" for n in range(3_000)]}) as response:
        assert json.loads(next(response.iter_lines())) == {"done": 0, "total": 3_000}
    assert console.gateway is not None
    async with asyncio.timeout(20):
        before = -1
        while before != (before := len(await store.list())):
            await asyncio.sleep(0.3)
    assert before > 0
