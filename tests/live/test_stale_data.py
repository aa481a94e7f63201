"""Messages of a deleted bucket that a server restores are not in the recreated bucket."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from nats.aio.client import Client

import jetstow
from jetstow._core.bucket import stale_data
from tests.support import raw_stream
from tests.support.servers import NatsServer

# Before 2.10, servers restored no messages.
pytestmark = [pytest.mark.min_server("2.10"), pytest.mark.one_path]


def stream_dir(server: NatsServer, bucket: str) -> Path:
    """Return the directory of a bucket's stream."""
    return server.store_dir / "jetstream" / "$G" / "streams" / f"OBJ_{bucket}"


@pytest.fixture
async def restored_bucket(
    store: jetstow.ObjectStore, js: jetstow.JetStreamContext, server: NatsServer, tmp_path: Path
) -> str:
    """The name of a deleted bucket whose files still exist. A server leaves them in a race of two
    deletions in quick succession."""
    folder = stream_dir(server, store.bucket)
    for number in range(3):
        await store.put(f"old {number}", b"x" * 1000)
    shutil.copytree(folder, tmp_path / "kept")
    await js.delete_object_store(store.bucket)
    shutil.copytree(tmp_path / "kept", folder, dirs_exist_ok=True)
    return store.bucket


async def test_recreated_bucket_is_empty(
    restored_bucket: str,
    js: jetstow.JetStreamContext,
    raw: Client,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """`restore` into a recently deleted bucket reported that its objects existed."""
    store = await js.create_object_store(restored_bucket)
    assert "contains 6 old messages" in caplog.text, (
        "the server must restore messages for this test"
    )
    assert await store.list() == []
    assert await raw_stream.subjects(raw, restored_bucket) == {}
    await store.put("old 1", b"new", expected_revision=0)
    assert (await store.get("old 1")).data == b"new"


async def test_concurrent_put_is_kept(
    restored_bucket: str, js: jetstow.JetStreamContext, raw: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another client opens the bucket before it is purged."""
    clear = stale_data.purge_stale_data

    async def late(*args: Any) -> None:
        other = await js.object_store(restored_bucket)
        await other.put("theirs", b"theirs")
        await clear(*args)

    monkeypatch.setattr(stale_data, "purge_stale_data", late)
    store = await js.create_object_store(restored_bucket)
    assert [info.name for info in await store.list()] == ["theirs"]
    assert (await store.get("theirs")).data == b"theirs"


async def test_create_twice_keeps_the_objects(
    store: jetstow.ObjectStore, js: jetstow.JetStreamContext
) -> None:
    await store.put("a", b"x")
    again = await js.create_object_store(store.bucket)
    assert (await again.get("a")).data == b"x"


CREATED = "2026-11-23T06:41:01.864109910Z"


def stream_info(**other: Any) -> dict[str, Any]:
    """Return the info of a bucket created 2 ms before, with messages that are 1 s older."""
    state = {"messages": 3, "last_seq": 3, "last_ts": "2026-11-23T06:41:00.9Z"}
    return {"created": CREATED, "ts": "2026-11-23T06:41:01.866109910Z", "state": state} | other


@pytest.mark.parametrize(
    ("info", "elapsed"),
    [
        (stream_info(state={"messages": 0, "last_ts": "0001-01-01T00:00:00Z"}), 0.003),
        (stream_info(state={"messages": 3, "last_ts": "2026-11-23T06:41:01.8650Z"}), 0.003),
        (stream_info(state={"messages": 3, "last_ts": CREATED}), 0.003),
        (stream_info(), 0.001),
        (stream_info(ts="2026-11-23T06:41:00.866Z"), 0.003),
        (stream_info(ts=None), 0.003),
        (stream_info(cluster={"name": "c", "leader": "a"}), 0.003),
        ({"created": CREATED, "ts": CREATED}, 0.003),
    ],
    ids=["none", "newer", "as old", "made before", "clock set back", "no time", "cluster", "bare"],
)  # fmt: skip
def test_uncertain_answers_purge_nothing(info: dict[str, Any], elapsed: float) -> None:
    assert stale_data.has_stale_data(stream_info(), 0.003)
    assert not stale_data.has_stale_data(info, elapsed)


@pytest.mark.min_server("2.12")  # older servers do not remove the file
async def test_create_retries_if_the_directory_is_being_removed(
    js: jetstow.JetStreamContext, server: NatsServer, bucket: str
) -> None:
    """`error creating store for stream`: the server was removing the parent directory after it
    deleted the last bucket of the account. A file in place of the directory has the same effect,
    and the server removes it."""
    path = stream_dir(server, bucket)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    store = await js.create_object_store(bucket)
    assert any("Stream create failed" in line for line in server.log if bucket in line)
    await store.put("a", b"x")
    assert (await store.get("a")).data == b"x"
    await js.delete_object_store(bucket)
