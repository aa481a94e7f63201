"""A consumer on a replica that does not catch up, and sends heartbeats nevertheless.

Here, a mirror with the first of two objects has the consumer instead of the stream.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest
from nats.aio.msg import Msg

import jetstow
from tests.support import raw_stream

pytestmark = pytest.mark.one_path

CREATE = ".CONSUMER.CREATE.OBJ_{}"


@pytest.fixture
async def store(nc: jetstow.Client, bucket: str) -> AsyncIterator[jetstow.ObjectStore]:
    """The bucket with the object "a". Its first consumer is on the replica that is stuck."""
    await (await nc.jetstream().create_object_store(bucket)).put("a", b"a")
    stuck = f"OBJ_{bucket}_stuck"
    source = {"name": f"OBJ_{bucket}", "filter_subject": raw_stream.meta_subject(bucket, "a")}
    mirror = {"name": stuck, "mirror": source, "storage": "memory"}
    assert "error" not in await raw_stream.request(nc, f"STREAM.CREATE.{stuck}", mirror)
    while (await raw_stream.request(nc, f"STREAM.INFO.{stuck}"))["state"]["messages"] < 1:
        pass
    is_stuck = True

    async def forward(message: Msg) -> None:
        nonlocal is_stuck
        api, data = message.subject.removeprefix("STUCK.API"), message.data
        if api == CREATE.format(bucket) and is_stuck:
            is_stuck = False
            api = f".CONSUMER.CREATE.{stuck}"
            data = json.dumps(json.loads(data) | {"stream_name": stuck}).encode()
        reply = await nc.request(f"$JS.API{api}", data)
        if api == f".STREAM.INFO.OBJ_{bucket}":
            info = json.loads(reply.data)
            info["config"]["num_replicas"] = 3
            reply.data = json.dumps(info).encode()
        await message.respond(reply.data)

    await nc.subscribe("STUCK.API.>", cb=forward)
    yield await nc.jetstream(prefix="STUCK.API").object_store(bucket)
    await raw_stream.request(nc, f"STREAM.DELETE.{stuck}")


async def test_watch_has_all_current_objects(
    nc: jetstow.Client, store: jetstow.ObjectStore
) -> None:
    """It reported the end of the current objects, and lacked one whose put had returned."""
    await (await nc.jetstream().object_store(store.bucket)).put("b", b"b")
    async with await store.watch() as watcher:
        changes = [await watcher.updates(timeout=20) for _ in range(3)]
    assert [change and change.name for change in changes] == ["a", "b", None]


async def test_watch_reports_changes(nc: jetstow.Client, store: jetstow.ObjectStore) -> None:
    """It waited for as long as the replica was stuck."""
    async with await store.watch() as watcher:
        changes = [await watcher.updates(timeout=20) for _ in range(2)]
        assert [change and change.name for change in changes] == ["a", None]
        await (await nc.jetstream().object_store(store.bucket)).put("b", b"b")
        change = await watcher.updates(timeout=20)
        assert change is not None
        assert change.name == "b"
