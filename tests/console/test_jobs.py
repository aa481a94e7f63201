"""Jobs: verify, garbage collection and mirror, their progress, and who may run them."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from jetstow.console import jobs_api
from jetstow.console.jobs import MAX_RUNNING, Line, Report, new_jobs
from tests.support import object_builder, raw_stream
from tests.support.cli import wait_until
from tests.support.console import ConsoleClient, RunningConsole, error_code
from tests.support.gateway import OTHER, READER, WRITER

if TYPE_CHECKING:
    from nats.aio.client import Client

CHUNK = 128 * 1024


def run(client: ConsoleClient, path: str, body: object = None) -> list[dict[str, Any]]:
    """Run a job, and return its lines."""
    response = client.post(path, json=body)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/x-ndjson"
    return [json.loads(line) for line in response.text.splitlines()]


async def test_verification(client: ConsoleClient, s3: Any, s3_bucket: str, raw: Client) -> None:
    data = bytes(8 * CHUNK)
    for name in ("a", "b/<c>"):
        s3.put_object(Bucket=s3_bucket, Key=name, Body=data)
    first, *_, last = run(client, f"buckets/{s3_bucket}/verify")
    assert first == {"done": 0, "total": None}
    assert last["result"] == {"objects": 2, "links": 0, "size": 2 * len(data), "findings": []}

    first, *between, last = run(client, f"buckets/{s3_bucket}/verify?name=b/%3Cc%3E")
    expected = {"chunk": 0, "chunks": 8, "size": CHUNK, "done": 0, "total": len(data)}
    assert first == expected
    for line in between:
        assert line == {**expected, "chunk": line["chunk"], "done": line["chunk"] * CHUNK}
    assert last == {"result": {"chunks": 8, "size": len(data), "findings": []}}

    nuid = (await raw_stream.metadata(raw, s3_bucket, "a"))["nuid"]
    await object_builder.delete_chunks(raw, s3_bucket, nuid, 3)
    for path in ("verify", "verify?name=a"):
        *_, last = run(client, f"buckets/{s3_bucket}/{path}")
        (finding,) = last["result"]["findings"]
        assert (finding["name"], finding["code"]) == ("a", "ChunksLostError")
        assert "of its 8 chunks" in finding["message"]
    missing = client.post(f"buckets/{s3_bucket}/verify?name=none")
    assert error_code(missing) == "NoSuchKey"


async def test_garbage_collection(
    client: ConsoleClient, s3: Any, s3_bucket: str, raw: Client
) -> None:
    """Garbage of the last hour is kept, and so are the parts of uploads."""
    upload = s3.create_multipart_upload(Bucket=s3_bucket, Key="a")
    await object_builder.write_chunks(raw, s3_bucket, [b"lost"])
    for body in ({"dry_run": True}, {"dry_run": False}, {}):
        first, last = run(client, f"buckets/{s3_bucket}/garbage", body)
        assert first == {"done": 0, "total": None}
        dry_run = body.get("dry_run", False)
        assert last["result"] == {
            "dry_run": dry_run, "uploads": 0, "messages": 0, "recent": 1, "names": 0,
            "markers": 0, "versions": 0, "findings": [],
        }  # fmt: skip
    s3.abort_multipart_upload(Bucket=s3_bucket, Key="a", UploadId=upload["UploadId"])
    response = client.post(f"buckets/{s3_bucket}/garbage", json={"grace": 0})
    assert error_code(response) == "InvalidArgument"


def test_mirror(client: ConsoleClient, s3: Any, s3_bucket: str) -> None:
    target = f"{s3_bucket}-copy"
    for name in ("a", "b"):
        s3.put_object(Bucket=s3_bucket, Key=name, Body=name.encode() * 10)
    missing = client.post(f"buckets/{s3_bucket}/mirror", json={"to": target})
    assert error_code(missing) == "NoSuchBucket"
    same = client.post(f"buckets/{s3_bucket}/mirror", json={"to": s3_bucket})
    assert error_code(same) == "InvalidRequest"
    s3.create_bucket(Bucket=target)
    s3.put_object(Bucket=target, Key="stays", Body=b"x")
    *_, last = run(client, f"buckets/{s3_bucket}/mirror", {"to": target})
    expected = {"copied": 2, "updated": 0, "unchanged": 0, "size": 20, "failed": []}
    assert last == {"result": expected}
    assert s3.get_object(Bucket=target, Key="b")["Body"].read() == b"b" * 10
    *_, last = run(client, f"buckets/{s3_bucket}/mirror", {"to": target})
    assert last == {"result": {**expected, "copied": 0, "unchanged": 2, "size": 0}}
    for name in ("a", "b", "stays"):
        s3.delete_object(Bucket=target, Key=name)
    s3.delete_bucket(Bucket=target)


def test_permissions(console: RunningConsole, s3: Any, s3_bucket: str) -> None:
    """A policy that allows all of S3 to another user does not make them run jobs."""
    arn = f"arn:aws:s3:::{s3_bucket}"
    statement = {
        "Effect": "Allow", "Principal": {"AWS": OTHER.owner}, "Action": "s3:*",
        "Resource": [arn, f"{arn}/*"],
    }  # fmt: skip
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    s3.put_bucket_policy(Bucket=s3_bucket, Policy=json.dumps(policy))
    s3.put_object(Bucket=s3_bucket, Key="a", Body=b"a")
    path, verify, one = f"buckets/{s3_bucket}", "verify", "verify?name=a"
    garbage, mirror = "garbage", "mirror"
    for key, allowed in ((READER, {verify, one}), (WRITER, set()), (OTHER, {one})):
        with console.sign_in(key) as client:
            for job in (verify, one, garbage, mirror):
                body = {"to": "elsewhere"} if job == mirror else {}
                status = client.post(f"{path}/{job}", json=body).status_code
                assert status == (200 if job in allowed else 403), (key.access_key, job)
    with console.sign_in() as client:
        del client.headers["x-csrf-token"]
        assert error_code(client.post(f"{path}/verify")) == "InvalidCsrfToken"


def test_cancelled_jobs(
    console: RunningConsole, client: ConsoleClient, s3_bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job ends when its client goes away. A key runs so many at the same time, and no more."""
    path = f"buckets/{s3_bucket}/verify"
    ended: list[None] = []

    async def endless(_: Report) -> Line:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(None)
        return {}

    with monkeypatch.context() as patched:
        patched.setattr(jobs_api, "verify_bucket", lambda _: endless)
        requests = [client.build_request("POST", path) for _ in range(MAX_RUNNING)]
        responses = [client.send(each, stream=True) for each in requests]
        # An iterator closes its response at its end.
        iterators = [response.iter_lines() for response in responses]
        assert {next(each) for each in iterators} == {'{"done":0,"total":null}'}
        (refused,) = run(client, path)
        assert refused["error"]["code"] == "TooManyRequests"
        with console.sign_in(READER) as other:
            request = other.build_request("POST", path)
            response = other.send(request, stream=True)
            iterators.append(response.iter_lines())
            assert next(iterators[-1]) == '{"done":0,"total":null}', "it is another key"
            assert not ended
            response.close()
        for response in responses:
            response.close()
        wait_until(lambda: len(ended) == MAX_RUNNING + 1)
    jobs = console.console.context.part(new_jobs)
    wait_until(lambda: not jobs._running.total())
    *_, last = run(client, path)
    assert last["result"]["objects"] == 0
