"""The records of uploads: each list has every part that was acknowledged before."""

from __future__ import annotations

import asyncio
import datetime
import logging

import pytest

import jetstow
from jetstow._upload_records import UPLOAD_RECORDS, list_keys
from jetstow.s3 import keep_uploads
from jetstow.s3.multipart.model import Part, Upload
from jetstow.s3.multipart.records import Records
from jetstow.s3.objects import Attributes
from tests.support.leaderless import PREFIX, leaderless
from tests.support.servers import NatsServer

NOW = datetime.datetime.now(datetime.UTC)
CLIENTS, ROUNDS, PARTS = 32, 30, (1, 2, 10)


def new_upload(bucket: str, number: str) -> Upload:
    return Upload(f"u{number}", bucket, 0.0, "a", NOW, "owner", Attributes(), nuid=f"nuid{number}")


async def test_lists_are_complete_under_load(server: NatsServer, bucket: str) -> None:
    """Neither a part nor an upload is missing in a list, and no list leaves a consumer."""
    async with await jetstow.connect(server.url) as nc:
        js = nc.jetstream()
        records = Records(js)
        keep = keep_uploads(js, bucket)

        async def run(client: int) -> None:
            for count in range(ROUNDS):
                upload = new_upload(bucket, f"{client}x{count}")
                await records.create(upload, 1)
                for number in PARTS:
                    await records.put_part(upload, Part(number, 1, "0" * 32, NOW, {}))
                assert tuple(await records.parts(upload)) == PARTS
                if count % 10 == 0:
                    assert await keep([upload.nuid, "other"]) == {upload.nuid}
                await records.remove(upload)

        await asyncio.gather(*map(run, range(CLIENTS)))
        assert await js.consumers_info(f"KV_{UPLOAD_RECORDS}") == []


async def test_parts_from_a_number_on(server: NatsServer, bucket: str) -> None:
    async with await jetstow.connect(server.url) as nc:
        records, upload = Records(nc.jetstream()), new_upload(bucket, "1")
        await records.create(upload, 1)
        for number in range(1, 101):
            await records.put_part(upload, Part(number, number, "0" * 32, NOW, {}))
        for number in (3, 5):
            await records.remove_part(upload, Part(number, number, "", NOW, {}))
        assert list(await records.parts(upload, after=2, limit=3)) == [4, 6, 7]
        assert list(await records.parts(upload, after=99)) == [100]
        assert await records.parts(upload, after=100) == {}
        assert len(await records.parts(upload)) == 98
        await records.remove(upload)
        assert await records.parts(upload) == {}


async def test_removed_upload_is_not_listed(server: NatsServer, bucket: str) -> None:
    """A delete marker is no record."""
    async with await jetstow.connect(server.url) as nc:
        js = nc.jetstream()
        records, upload = Records(js), new_upload(bucket, "1")
        await records.create(upload, 1)
        assert await records.list(bucket) == [upload]
        kv = await js.key_value(UPLOAD_RECORDS)
        await kv.delete(f"{bucket}.{upload.id}.0")
        assert await list_keys(js, f"{bucket}.*.0") != []
        assert await records.list(bucket) == []
        assert await records.find(bucket, upload.id) is None
        assert await keep_uploads(js, bucket)([upload.nuid]) == set()


async def test_list_without_a_leader_is_read_again(server: NatsServer, bucket: str) -> None:
    """It was taken as empty, so that `gc` removed the chunks of running uploads."""
    async with jetstow.connect(server.url) as nc, leaderless(nc, f"KV_{UPLOAD_RECORDS}") as wrong:
        upload = new_upload(bucket, "1")
        await Records(nc.jetstream()).create(upload, 1)
        js = nc.jetstream(prefix=PREFIX)
        assert await keep_uploads(js, bucket)([upload.nuid]) == {upload.nuid}
        assert wrong


async def test_record_waits_for_a_leader(
    server: NatsServer, bucket: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A stream without a leader receives no messages: the gateway answered 500."""
    caplog.set_level(logging.INFO, "jetstow.retry")
    async with jetstow.connect(server.url) as nc:
        js = nc.jetstream()
        records, upload = Records(js), new_upload(bucket, "1")
        await records.create(upload, 1)
        config = (await js.stream_info(f"KV_{UPLOAD_RECORDS}")).config
        await js.delete_stream(f"KV_{UPLOAD_RECORDS}")
        async with asyncio.timeout(30), asyncio.TaskGroup() as group:
            group.create_task(records.create(upload, 1))
            while not caplog.records:
                await asyncio.sleep(0.01)
            await js.add_stream(config)
        assert await records.list(bucket) == [upload]
