"""How uploads end: conditions, repeated and concurrent requests, abort, restarts, garbage."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest
from botocore.exceptions import ClientError

import jetstow
from jetstow._upload_records import list_keys, read_records
from jetstow.s3.multipart.records import Records
from tests.support.cli import Cli
from tests.support.gateway import RunningGateway
from tests.support.multipart import MIB, Peek, Upload, multipart_etag
from tests.support.s3_http import send_signed
from tests.support.servers import NatsServer

PART = os.urandom(5 * MIB)
UNALIGNED = os.urandom(5 * MIB + 1001)


@pytest.fixture
def peek(server: NatsServer) -> Iterator[Peek]:
    with Peek(server.url) as peek:
        yield peek


@pytest.fixture
def second(server: NatsServer) -> Iterator[RunningGateway]:
    """Another gateway: a worker of the first, or the first after a restart."""
    with RunningGateway(server.url) as gateway:
        yield gateway


def begin(s3: Any, bucket: str, *parts: bytes) -> Upload:
    upload = Upload(s3, bucket, "a")
    for number, data in enumerate(parts, 1):
        upload.put(number, data)
    return upload


def read_object(s3: Any, bucket: str) -> bytes:
    return bytes(s3.get_object(Bucket=bucket, Key="a")["Body"].read())


def error_code(caught: pytest.ExceptionInfo[ClientError]) -> str:
    return str(caught.value.response["Error"]["Code"])


def test_conditions(s3: Any, s3_bucket: str) -> None:
    """An upload whose condition does not hold stays, and can be completed later."""
    upload = begin(s3, s3_bucket, PART, b"end")
    with pytest.raises(ClientError) as caught:
        upload.complete(IfMatch='"missing"')
    assert error_code(caught) == "NoSuchKey"
    etag = s3.put_object(Bucket=s3_bucket, Key="a", Body=b"other")["ETag"]
    for condition in ({"IfNoneMatch": "*"}, {"IfMatch": '"other"'}):
        with pytest.raises(ClientError) as caught:
            upload.complete(**condition)
        assert error_code(caught) == "PreconditionFailed"
    assert read_object(s3, s3_bucket) == b"other"
    upload.put(2, b"END")
    upload.complete(IfMatch=etag)
    assert read_object(s3, s3_bucket) == PART + b"END"


def test_only_one_of_concurrent_writers_creates_the_object(
    s3: Any, s3_bucket: str, peek: Peek
) -> None:
    """The others can still complete their uploads."""
    uploads = [begin(s3, s3_bucket, b"%d" % number) for number in range(6)]

    def complete(upload: Upload) -> str:
        try:
            upload.complete(IfNoneMatch="*")
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        return "done"

    with ThreadPoolExecutor(len(uploads)) as pool:
        results = list(pool.map(complete, uploads))
    assert results.count("done") == 1
    assert set(results) <= {"done", "PreconditionFailed", "ConditionalRequestConflict"}
    assert read_object(s3, s3_bucket) == b"%d" % results.index("done")
    loser = (results.index("done") + 1) % len(uploads)
    uploads[loser].complete()
    assert read_object(s3, s3_bucket) == b"%d" % loser
    for number, upload in enumerate(uploads):
        if number != loser and results[number] != "done":
            upload.abort()
    assert peek.garbage(s3_bucket) == 0


def test_repeated_complete(s3: Any, s3_bucket: str, second: RunningGateway) -> None:
    """A client that lost the response sends the request again, here or to another worker."""
    upload = begin(s3, s3_bucket, PART, b"end")
    first = upload.complete(IfNoneMatch="*")
    again = upload.complete(IfNoneMatch="*")
    elsewhere = upload.at(second.client()).complete()
    for done in (first, again, elsewhere):
        assert done["ETag"] == multipart_etag([PART, b"end"])
        assert done["ChecksumCRC64NVME"] == first["ChecksumCRC64NVME"]
    s3.put_object(Bucket=s3_bucket, Key="a", Body=b"newer")
    with pytest.raises(ClientError) as caught:
        upload.complete()
    assert error_code(caught) == "NoSuchUpload"


def test_concurrent_completes(s3: Any, s3_bucket: str, second: RunningGateway, peek: Peek) -> None:
    upload = begin(s3, s3_bucket, UNALIGNED, PART, b"end")
    elsewhere = upload.at(second.client())
    with ThreadPoolExecutor(4) as pool:
        calls = [pool.submit(each.complete) for each in (upload, elsewhere) * 2]
        etags = {each.result()["ETag"] for each in calls}
    assert etags == {multipart_etag([UNALIGNED, PART, b"end"])}
    assert read_object(s3, s3_bucket) == UNALIGNED + PART + b"end"
    peek.collect(s3_bucket, keep=False)
    assert read_object(s3, s3_bucket) == UNALIGNED + PART + b"end"


def test_abort_after_complete_does_not_hurt(
    s3: Any, s3_bucket: str, second: RunningGateway, peek: Peek
) -> None:
    upload = begin(s3, s3_bucket, PART, b"end")
    upload.complete()
    for each in (upload, upload.at(second.client())):
        with pytest.raises(ClientError) as caught:
            each.abort()
        assert error_code(caught) == "NoSuchUpload"
    peek.collect(s3_bucket, keep=False)
    assert read_object(s3, s3_bucket) == PART + b"end"


def test_aborted_upload_leaves_nothing(
    s3: Any, s3_bucket: str, second: RunningGateway, peek: Peek
) -> None:
    for elsewhere in (False, True):
        upload = begin(s3, s3_bucket, UNALIGNED, PART)
        upload.put(1, PART)
        assert peek.spooled(upload) == 1
        (upload.at(second.client()) if elsewhere else upload).abort()
        assert peek.spooled(upload) == peek.garbage(s3_bucket) == 0
        with pytest.raises(ClientError) as caught:
            upload.put(3, b"end")
        assert error_code(caught) == "NoSuchUpload"
        assert peek.garbage(s3_bucket) == 0
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=s3_bucket)


def test_upload_goes_on_at_another_gateway(
    s3: Any, s3_bucket: str, second: RunningGateway, peek: Peek
) -> None:
    upload = begin(s3, s3_bucket, UNALIGNED, PART)
    elsewhere = upload.at(second.client())
    elsewhere.put(3, UNALIGNED)
    elsewhere.put(4, b"end")
    assert [part["PartNumber"] for part in upload.list_parts()["Parts"]] == [1, 2, 3, 4]
    elsewhere.complete()
    parts = [UNALIGNED, PART, UNALIGNED, b"end"]
    assert read_object(s3, s3_bucket) == b"".join(parts)
    assert peek.spooled(upload) == peek.garbage(s3_bucket) == 0
    assert s3.head_object(Bucket=s3_bucket, Key="a")["ETag"] == multipart_etag(parts)


def test_tail_of_the_parts_in_order(
    s3: Any, s3_bucket: str, second: RunningGateway, server: NatsServer
) -> None:
    """Each part kept the bytes behind its last chunk in its record: up to 1.3 GB an upload."""

    async def recorded_bytes(upload: Upload) -> int:
        async with await jetstow.connect(server.url) as client:
            js = client.jetstream()
            keys = await list_keys(js, f"{s3_bucket}.{upload.id}.>")
            return sum([len(record.value) async for record in read_records(js, keys)])

    parts = {number: os.urandom(5 * MIB + number * 1001) for number in range(1, 9)}
    upload = Upload(s3, s3_bucket, "a")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(upload.put, parts, parts.values()))
    for number in range(9, 99):
        upload.put(number, bytes(128 * 1024 - 1))
    assert asyncio.run(recorded_bytes(upload)) < 2 * 128 * 1024
    upload.at(second.client()).complete(*parts)
    assert read_object(s3, s3_bucket) == b"".join(parts.values())
    assert asyncio.run(recorded_bytes(upload)) == 0


def test_last_part_in_order_that_is_sent_again(
    s3: Any, s3_bucket: str, second: RunningGateway
) -> None:
    """No chunk has the last bytes of the part before it."""
    upload = begin(s3, s3_bucket, UNALIGNED, b"end")
    upload.put(2, b"END")
    upload.at(second.client()).complete()
    assert read_object(s3, s3_bucket) == UNALIGNED + b"END"
    upload = begin(s3, s3_bucket, UNALIGNED, PART, bytes(128 * 1024 - 1001), b"end")
    upload.at(second.client()).complete(1, 2)  # the third fills the chunk
    assert read_object(s3, s3_bucket) == UNALIGNED + PART


def test_garbage_collection_keeps_the_chunks_of_uploads(
    s3: Any, s3_bucket: str, second: RunningGateway, peek: Peek, server: NatsServer
) -> None:
    upload = begin(s3, s3_bucket, UNALIGNED, PART)
    Cli(server).run("gc", s3_bucket, "--grace", "0")
    upload.at(second.client()).complete()
    assert read_object(s3, s3_bucket) == UNALIGNED + PART


def test_parts_whose_chunks_are_gone(
    s3: Any,
    s3_bucket: str,
    second: RunningGateway,
    peek: Peek,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A collection that spares no upload: the parts have to be sent again."""
    monkeypatch.setattr("jetstow._core.write.chunk_publisher._COUNT_AFTER", 0.0)
    for elsewhere in (False, True):
        upload = begin(s3, s3_bucket, UNALIGNED, PART)
        peek.collect(s3_bucket, keep=False)
        completing = upload.at(second.client()) if elsewhere else upload
        with pytest.raises(ClientError) as caught:
            completing.complete()
        assert error_code(caught) == "InvalidPart"
        for number, data in ((1, UNALIGNED), (2, PART)):
            upload.put(number, data)
        completing.complete()
        assert read_object(s3, s3_bucket) == UNALIGNED + PART


def test_white_space_while_parts_are_copied(
    gateway: RunningGateway, s3: Any, s3_bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jetstow.s3.keep_alive.RESPONSE_TIMEOUT", 0.0)
    monkeypatch.setattr("jetstow.s3.keep_alive.INTERVAL", 0.001)
    upload = begin(s3, s3_bucket, PART, b"end")
    upload.put(1, UNALIGNED)
    part = "<Part><PartNumber>{}</PartNumber><ETag>{}</ETag></Part>"
    parts = "".join(part.format(*each) for each in upload.etags.items())
    body = f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>"
    target = f"/{s3_bucket}/a?uploadId={upload.id}"
    wrong = body.replace(upload.etags[2], "0" * 32)
    response = send_signed(gateway, "POST", target, body=wrong.encode())
    assert (response.status, response.code) == (200, "InvalidPart")
    assert response.field("RequestId") == response.headers["x-amz-request-id"]
    response = send_signed(gateway, "POST", target, body=body.encode())
    assert response.status == 200
    assert response.body.startswith(b'<?xml version="1.0" encoding="UTF-8"?>\n ')
    assert b"CompleteMultipartUploadResult" in response.body
    assert read_object(s3, s3_bucket) == UNALIGNED + b"end"


def test_upload_that_another_gateway_completes(
    s3: Any, s3_bucket: str, second: RunningGateway, peek: Peek, server: NatsServer
) -> None:
    """It may be about to give the chunks of the parts a name: only a collection may purge them."""

    async def mark(upload: Upload) -> None:
        async with await jetstow.connect(server.url) as client:
            records = Records(client.jetstream())
            found = await records.find(s3_bucket, upload.id)
            assert found is not None
            record, revision = found
            marked = msgspec.structs.replace(record, is_completing=True)
            assert await records.change(marked, revision)

    upload = begin(s3, s3_bucket, UNALIGNED, PART)
    asyncio.run(mark(upload))
    upload.at(second.client()).complete()
    assert read_object(s3, s3_bucket) == UNALIGNED + PART
    assert peek.collect(s3_bucket, keep=False) == 1
    upload = begin(s3, s3_bucket, UNALIGNED, PART)
    asyncio.run(mark(upload))
    upload.at(second.client()).abort()
    assert peek.garbage(s3_bucket) == 1
    assert read_object(s3, s3_bucket) == UNALIGNED + PART
