"""The disk of the server is full, although the limits of JetStream allow more."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import nats
import pytest

import jetstow
from jetstow.errors import BucketFullError
from tests.support import raw_stream
from tests.support.samples import some_bytes
from tests.support.servers import NatsServer
from tests.support.small_disk import small_disk

pytestmark = pytest.mark.one_path

DISK_SIZE = 12 * 1024 * 1024
OTHER_FILE = "other-file"
DATA = some_bytes(100_000)
TOO_LARGE = some_bytes(DISK_SIZE)

Action: TypeAlias = Callable[[jetstow.ObjectStore], Awaitable[Any]]

# What changes a bucket, and the object that its error names.
CHANGES: dict[str, tuple[Action, str | None]] = {
    "put": (lambda store: store.put("new", b"x"), "new"),
    "replace": (lambda store: store.put("a", b"x"), "a"),
    "delete": (lambda store: store.delete("a"), "a"),
    "delete_many": (lambda store: store.delete_many(["a"]), "a"),
    "rename": (lambda store: store.rename("a", "b"), "a"),
    "update_meta": (lambda store: store.update_meta("a", jetstow.ObjectMeta()), "a"),
    "copy": (lambda store: store.copy("a", "copy"), "copy"),
    "add_link": (lambda store: store.add_link("link", "a"), "link"),
    "collect_garbage": (lambda store: store.collect_garbage(grace=0), None),
}


@pytest.fixture
def small(request: pytest.FixtureRequest) -> Iterator[NatsServer]:
    """A server with a small disk, on which another program's file takes half of the space."""
    server = NatsServer(getattr(request, "param", NatsServer().version), jetstream="max_file: 1G")
    with small_disk(server.store_dir, DISK_SIZE):
        other_file(server).write_bytes(bytes(DISK_SIZE // 2))
        with server:
            yield server


def other_file(server: NatsServer) -> Path:
    return server.store_dir / OTHER_FILE


@pytest.fixture
async def store(small: NatsServer) -> AsyncIterator[jetstow.ObjectStore]:
    async with jetstow.connect(
        small.url, reconnect_time_wait=0.05, max_reconnect_attempts=-1
    ) as nc:
        store = await nc.jetstream(timeout=2).create_object_store("b")
        await store.put("a", DATA)
        yield store


async def fill(store: jetstow.ObjectStore) -> None:
    """Put an object that does not fit on the disk."""
    with pytest.raises(BucketFullError, match="server's disk is full") as caught:
        await store.put("large", TOO_LARGE)
    assert (caught.value.bucket, caught.value.name) == ("b", "large")


async def test_changes_report_the_full_disk(store: jetstow.ObjectStore) -> None:
    """Since 2.14, the server answers no message: each call ended after 10 s in `TimeoutError`."""
    await fill(store)
    for change, name in CHANGES.values():
        with pytest.raises(BucketFullError, match="server's disk is full") as caught:
            await change(store)
        assert (caught.value.bucket, caught.value.name) == ("b", name)
        assert "no space left on device" in str(caught.value)
    assert (await store.get("a")).data == DATA
    assert [info.name for info in await store.list()] == ["a"]


async def test_bucket_is_usable_after_a_restart(
    small: NatsServer, store: jetstow.ObjectStore
) -> None:
    await fill(store)
    other_file(small).unlink()
    small.restart()
    assert (await store.collect_garbage(grace=0)).uploads == 1
    assert (await store.verify()).ok
    assert (await store.get("a")).data == DATA
    await store.put("a", DATA[1:])
    await store.delete("a")
    assert (await store.status()).size < len(DATA)


@pytest.mark.parametrize("small", ["2.12.8"], indirect=True)
async def test_server_before_2_14_needs_no_restart(
    small: NatsServer, store: jetstow.ObjectStore
) -> None:
    """It answers with an error, and the failed put removes its chunks."""
    await fill(store)
    async with await nats.connect(small.url) as raw:
        assert len(await raw_stream.chunks(raw, "b")) == 1
    other_file(small).unlink()
    await store.put("b", DATA)
    assert (await store.verify()).ok
