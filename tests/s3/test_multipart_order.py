"""Parts in order go straight into the object; the others go to the spool, and nothing stalls."""

from __future__ import annotations

import asyncio
import os
import random
import socket
import threading
from collections.abc import AsyncGenerator, Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import Any

import pytest
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

from jetstow.s3.multipart.spool import Spool
from tests.support.cli import wait_until
from tests.support.gateway import RunningGateway
from tests.support.multipart import MIB, Peek, Upload, begin_part, multipart_etag
from tests.support.servers import NatsServer

PART = os.urandom(5 * MIB)
UNALIGNED = os.urandom(5 * MIB + 1001)


@pytest.fixture
def peek(server: NatsServer) -> Iterator[Peek]:
    with Peek(server.url) as peek:
        yield peek


@pytest.fixture
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts ahead of their turn give up soon."""
    monkeypatch.setattr("jetstow.s3.multipart.turns.MAX_STANDSTILL", 0.2)


def read_object(s3: Any, bucket: str) -> bytes:
    return bytes(s3.get_object(Bucket=bucket, Key="a")["Body"].read())


def test_transfer_manager_spools_nothing(
    s3: Any, s3_bucket: str, peek: Peek, monkeypatch: pytest.MonkeyPatch
) -> None:
    """10 parts at once, as boto3 sends them. On a busy machine, a client may pause."""
    monkeypatch.setattr("jetstow.s3.multipart.turns.MAX_STANDSTILL", 15)
    data = os.urandom(12 * 5 * MIB + 17)
    config = TransferConfig(
        multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB, max_concurrency=10
    )
    before = peek.spooled(ever=True)
    s3.upload_fileobj(BytesIO(data), s3_bucket, "a", Config=config)
    assert read_object(s3, s3_bucket) == data
    assert peek.spooled(ever=True) == before
    assert peek.garbage(s3_bucket) == 0


def test_parts_at_once_in_any_order(s3: Any, s3_bucket: str, peek: Peek) -> None:
    upload = Upload(s3, s3_bucket, "a")
    parts = {number: os.urandom(5 * MIB + number) for number in range(1, 9)}
    numbers = list(parts)
    random.shuffle(numbers)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: upload.put(number, parts[number]), numbers))
    assert upload.complete()["ETag"] == multipart_etag(parts.values())
    assert read_object(s3, s3_bucket) == b"".join(parts.values())
    assert peek.spooled(upload) == peek.garbage(s3_bucket) == 0


@pytest.mark.usefixtures("short_waits")
def test_part_whose_turn_never_comes(s3: Any, s3_bucket: str, peek: Peek) -> None:
    upload = Upload(s3, s3_bucket, "a")
    upload.put(3, PART)
    assert peek.spooled(upload) == 1
    upload.complete()
    assert read_object(s3, s3_bucket) == PART
    assert peek.spooled(upload) == 0


@pytest.mark.usefixtures("short_waits")
def test_first_part_that_stalls(
    gateway: RunningGateway, s3: Any, s3_bucket: str, peek: Peek
) -> None:
    upload = Upload(s3, s3_bucket, "a")
    with begin_part(gateway, upload, 1, len(PART)) as stalled:
        stalled.sendall(PART[: 2 * MIB])
        upload.put(2, UNALIGNED)
        upload.put(3, b"end")
    upload.put(1, PART)
    upload.complete()
    assert read_object(s3, s3_bucket) == PART + UNALIGNED + b"end"
    assert peek.garbage(s3_bucket) == 0


def test_later_part_that_breaks(
    gateway: RunningGateway, s3: Any, s3_bucket: str, peek: Peek
) -> None:
    """Its bytes are in the object's chunks: the object becomes a copy of the parts."""
    upload = Upload(s3, s3_bucket, "a")
    upload.put(1, UNALIGNED)
    with begin_part(gateway, upload, 2, len(PART), Expect="100-continue") as broken:
        assert b" 100 " in broken.recv(1024)
        broken.sendall(PART[: 3 * MIB])
        broken.shutdown(socket.SHUT_WR)
        assert not broken.recv(1024)
    upload.put(2, PART)
    upload.put(3, b"end")
    upload.complete()
    assert read_object(s3, s3_bucket) == UNALIGNED + PART + b"end"
    assert peek.garbage(s3_bucket) == 0


def test_client_sends_while_its_part_waits(
    gateway: RunningGateway, s3: Any, s3_bucket: str, peek: Peek
) -> None:
    """boto3 waits a second for each 100 Continue that does not come at once."""
    upload = Upload(s3, s3_bucket, "a")
    with begin_part(gateway, upload, 2, 3, Expect="100-continue") as waiting:
        assert waiting.recv(1024).startswith(b"HTTP/1.1 100 ")
        waiting.sendall(b"end")
        upload.put(1, PART)
        assert b" 200 " in waiting.recv(4096)
    assert peek.spooled(upload, ever=True) == 0
    listed = upload.list_parts()["Parts"]
    upload.etags = {part["PartNumber"]: part["ETag"] for part in listed}
    upload.complete()
    assert read_object(s3, s3_bucket) == PART + b"end"


def test_last_of_two_attempts_to_finish_counts(
    gateway: RunningGateway, s3: Any, s3_bucket: str, peek: Peek
) -> None:
    upload = Upload(s3, s3_bucket, "a")
    with begin_part(gateway, upload, 1, len(PART), Expect="100-continue") as slow:
        slow.recv(1024)
        slow.sendall(PART[:MIB])
        first = upload.put(1, UNALIGNED)["ETag"]
        assert upload.list_parts()["Parts"][0]["ETag"] == first
        slow.sendall(PART[MIB:])
        assert b" 200 " in slow.recv(4096)
    part = upload.list_parts()["Parts"][0]
    assert part["Size"] == len(PART)
    with pytest.raises(ClientError) as caught:
        upload.complete()
    assert caught.value.response["Error"]["Code"] == "InvalidPart"
    upload.etags[1] = part["ETag"]
    upload.complete()
    assert read_object(s3, s3_bucket) == PART
    assert peek.spooled(upload) == peek.garbage(s3_bucket) == 0


def test_part_sent_again_is_kept_once(s3: Any, s3_bucket: str, peek: Peek) -> None:
    """A client that lost the response sends the same bytes: they are in the object already."""
    upload = Upload(s3, s3_bucket, "a")
    for number, data in ((1, PART), (1, PART), (2, UNALIGNED), (1, PART), (3, b"end")):
        upload.put(number, data)
    assert peek.spooled(upload) == 0
    upload.complete()
    assert read_object(s3, s3_bucket) == PART + UNALIGNED + b"end"


def test_part_sent_again_with_other_bytes(s3: Any, s3_bucket: str, peek: Peek) -> None:
    upload = Upload(s3, s3_bucket, "a")
    for number, data in ((1, PART), (2, PART), (1, UNALIGNED), (3, b"end")):
        upload.put(number, data)
    assert peek.spooled(upload) == 1
    upload.complete()
    assert read_object(s3, s3_bucket) == UNALIGNED + PART + b"end"
    assert peek.spooled(upload) == peek.garbage(s3_bucket) == 0


@pytest.mark.usefixtures("short_waits")
def test_turn_of_a_waiting_part_comes_in_time(s3: Any, s3_bucket: str, peek: Peek) -> None:
    """Parts 3 and 2 wait; part 1 is sent while they do."""
    upload = Upload(s3, s3_bucket, "a")
    sent = threading.Event()

    def send(number: int, data: bytes) -> None:
        sent.set()
        upload.put(number, data)

    with ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(send, 2, UNALIGNED), pool.submit(send, 3, b"end")]
        sent.wait()
        upload.put(1, PART)
        for each in waiting:
            each.result()
    upload.complete()
    assert read_object(s3, s3_bucket) == PART + UNALIGNED + b"end"
    assert peek.spooled(upload) == 0


@pytest.mark.usefixtures("short_waits")
def test_object_catches_up_with_the_spool(s3: Any, s3_bucket: str, peek: Peek) -> None:
    """Parts that were early move into the object, and those that follow go there at once."""
    upload = Upload(s3, s3_bucket, "a")
    upload.put(1, PART)
    upload.put(4, PART)
    upload.put(3, UNALIGNED)
    assert peek.spooled(upload) == 2
    upload.put(2, UNALIGNED)
    wait_until(lambda: peek.spooled(upload) == 0)
    upload.put(5, b"end")
    assert peek.spooled(upload, ever=True) == 2
    assert [part["Size"] for part in upload.list_parts()["Parts"]][2] == len(UNALIGNED)
    upload.complete()
    assert read_object(s3, s3_bucket) == PART + UNALIGNED + UNALIGNED + PART + b"end"
    assert peek.garbage(s3_bucket) == 0


@pytest.mark.usefixtures("short_waits")
def test_complete_while_the_object_catches_up(s3: Any, s3_bucket: str, peek: Peek) -> None:
    upload = Upload(s3, s3_bucket, "a")
    for number in (3, 2, 1):
        upload.put(number, PART)
    upload.complete()
    assert read_object(s3, s3_bucket) == PART * 3
    assert peek.spooled(upload) == peek.garbage(s3_bucket) == 0


@pytest.mark.usefixtures("short_waits")
def test_part_sent_again_while_complete_reads_it(
    s3: Any, s3_bucket: str, peek: Peek, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An attempt that the client gave up may arrive late: what it replaces is still needed."""
    upload, reads, goes_on = Upload(s3, s3_bucket, "a"), threading.Event(), threading.Event()
    stream = Spool.stream

    async def stopped(spool: Spool, name: str, *key: Any) -> AsyncGenerator[bytes, None]:
        reads.set()
        await asyncio.to_thread(goes_on.wait)
        async for piece in stream(spool, name, *key):
            yield piece

    upload.put(2, PART)
    monkeypatch.setattr(Spool, "stream", stopped)
    with ThreadPoolExecutor(1) as pool:
        completing = pool.submit(upload.complete, 2)
        assert reads.wait(30)
        s3.upload_part(**upload.place, PartNumber=2, Body=b"late")
        goes_on.set()
        completing.result()
    assert read_object(s3, s3_bucket) == PART
    assert peek.spooled(upload) == peek.garbage(s3_bucket) == 0
