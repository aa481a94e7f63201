"""What a server gives back of a deleted bucket does not come into the one made anew."""

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

# It is about how buckets are made, and before 2.10 nothing came back.
pytestmark = pytest.mark.min_server("2.10")


def folder_of(server: NatsServer, bucket: str) -> Path:
    """Where the server keeps a bucket."""
    return server.store_dir / "jetstream" / "$G" / "streams" / f"OBJ_{bucket}"


@pytest.fixture
async def came_back(
    store: jetstow.ObjectStore, js: jetstow.JetStreamContext, server: NatsServer, tmp_path: Path
) -> str:
    """A bucket that is deleted, and its files are there: what a server does in a moment of its own
    (two deletions, one close upon the other), done to it at leisure."""
    folder = folder_of(server, store.bucket)
    for number in range(3):
        await store.put(f"old {number}", b"x" * 1000)
    shutil.copytree(folder, tmp_path / "kept")
    await js.delete_object_store(store.bucket)
    shutil.copytree(tmp_path / "kept", folder, dirs_exist_ok=True)
    return store.bucket


async def test_a_bucket_made_anew_is_empty(
    came_back: str, js: jetstow.JetStreamContext, raw: Client, caplog: pytest.LogCaptureFixture
) -> None:
    """`restore` into a bucket deleted a moment ago said that its objects existed already."""
    store = await js.create_object_store(came_back)
    assert "was made with 6 old messages" in caplog.text, "or the test has nothing to show"
    assert await store.list() == []
    assert await raw_stream.subjects(raw, came_back) == {}
    await store.put("old 1", b"new", expected_revision=0)
    assert (await store.get("old 1")).data == b"new"


async def test_what_was_put_in_between_stays(
    came_back: str, js: jetstow.JetStreamContext, raw: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another client finds the bucket before it is cleared."""
    clear = stale_data.purge_stale_data

    async def late(*args: Any) -> None:
        other = await js.object_store(came_back)
        await other.put("theirs", b"theirs")
        await clear(*args)

    monkeypatch.setattr(stale_data, "purge_stale_data", late)
    store = await js.create_object_store(came_back)
    assert [info.name for info in await store.list()] == ["theirs"]
    assert (await store.get("theirs")).data == b"theirs"


async def test_made_twice_a_bucket_keeps_what_it_has(
    store: jetstow.ObjectStore, js: jetstow.JetStreamContext
) -> None:
    await store.put("a", b"x")
    again = await js.create_object_store(store.bucket)
    assert (await again.get("a")).data == b"x"


BEGUN = "2026-11-23T06:41:01.864109910Z"


def answered(**other: Any) -> dict[str, Any]:
    """The server's word of a bucket that was made 2 ms before, and has messages older by 1 s."""
    state = {"messages": 3, "last_seq": 3, "last_ts": "2026-11-23T06:41:00.9Z"}
    return {"created": BEGUN, "ts": "2026-11-23T06:41:01.866109910Z", "state": state} | other


@pytest.mark.parametrize(
    ("answer", "elapsed"),
    [
        (answered(state={"messages": 0, "last_ts": "0001-01-01T00:00:00Z"}), 0.003),
        (answered(state={"messages": 3, "last_ts": "2026-11-23T06:41:01.8650Z"}), 0.003),
        (answered(state={"messages": 3, "last_ts": BEGUN}), 0.003),
        (answered(), 0.001),
        (answered(ts="2026-11-23T06:41:00.866Z"), 0.003),
        (answered(ts=None), 0.003),
        (answered(cluster={"name": "c", "leader": "a"}), 0.003),
        ({"created": BEGUN, "ts": BEGUN}, 0.003),
    ],
    ids=["none", "newer", "as old", "made before", "clock set back", "no time", "cluster", "bare"],
)  # fmt: skip
def test_where_it_is_not_certain_nothing_is_dropped(answer: dict[str, Any], elapsed: float) -> None:
    assert stale_data.has_stale_data(answered(), 0.003)
    assert not stale_data.has_stale_data(answer, elapsed)


@pytest.mark.min_server("2.12")  # an older one leaves the file there
async def test_a_folder_that_cannot_be_made_is_made_a_moment_later(
    js: jetstow.JetStreamContext, server: NatsServer, bucket: str
) -> None:
    """`error creating store for stream`, when the account's last bucket was just deleted: the
    folder above was being removed. A file in its place has the same effect, and goes with it."""
    path = folder_of(server, bucket)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    store = await js.create_object_store(bucket)
    assert any("Stream create failed" in line for line in server.log if bucket in line)
    await store.put("a", b"x")
    assert (await store.get("a")).data == b"x"
    await js.delete_object_store(bucket)
