"""JetStream contexts: on connections of nats-py, with domains, and across accounts."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta

import nats
import nats.errors
import nats.js.client
import pytest
from nats.aio.client import Client

import jetstow
from jetstow.errors import (
    ConnectionLostError,
    InvalidOptionError,
    JetStreamUnavailableError,
    TimeoutError,
)
from tests.live.connecting.checks import check_jetstream
from tests.support.samples import some_bytes
from tests.support.servers import NatsServer, free_port

DATA = some_bytes(300_000)


async def test_context_is_a_nats_py_context(nc: jetstow.Client, bucket: str) -> None:
    js = nc.jetstream(timeout=3)
    assert isinstance(js, jetstow.JetStreamContext)
    assert isinstance(js, nats.js.client.JetStreamContext)
    await js.add_stream(name=bucket, subjects=[bucket])
    assert (await js.publish(bucket, b"x")).seq == 1
    await js.delete_stream(bucket)
    assert (await nc.jsm().account_info()).api.total


async def test_context_on_a_nats_py_connection(raw: Client) -> None:
    js = jetstow.jetstream(raw, timeout=3)
    assert isinstance(js, jetstow.JetStreamContext)
    await check_jetstream(js)
    await check_jetstream(js)
    assert raw.is_connected


async def test_two_contexts_on_one_connection(raw: Client, bucket: str) -> None:
    one, other = jetstow.jetstream(raw), jetstow.jetstream(raw, timeout=9)
    store = await one.create_object_store(bucket)
    same = await other.object_store(bucket)
    await asyncio.gather(*(store.put(f"one {n}", DATA) for n in range(3)),
                         *(same.put(f"other {n}", DATA) for n in range(3)))  # fmt: skip
    assert len(await store.list()) == 6
    assert (await store.get("other 2")).data == (await same.get("one 2")).data == DATA
    ours = [sub.subject for sub in raw._subs.values() if sub.subject.endswith(".>")]
    assert len(ours) == 1, "both contexts share one inbox"
    await one.delete_object_store(bucket)


async def test_context_of_nats_py_on_the_same_connection(raw: Client, bucket: str) -> None:
    store = await jetstow.jetstream(raw).create_object_store(bucket)
    await store.put("a", DATA)
    theirs = await raw.jetstream().object_store(bucket)
    assert (await theirs.get("a")).data == DATA
    assert (await store.get("a")).data == DATA
    await jetstow.jetstream(raw).delete_object_store(bucket)


async def test_drain(server: NatsServer, store: jetstow.ObjectStore) -> None:
    await store.put("a", DATA)
    for connect in (jetstow.connect, nats.connect):
        nc = await connect(server.url, drain_timeout=5)
        mine = await jetstow.jetstream(nc).object_store(store.bucket)
        assert (await mine.get("a")).data == DATA
        await nc.drain()
        assert nc.is_closed
        with pytest.raises(ConnectionLostError):
            await mine.get("a")


@pytest.mark.parametrize("kind", [Client, jetstow.Client])
async def test_context_before_connect_and_after_close(
    server: NatsServer, kind: type[Client]
) -> None:
    """The inbox subscription of a closed connection was taken for an active one."""
    events: list[str] = []

    async def closed() -> None:
        events.append("closed")

    nc = kind()
    js = jetstow.jetstream(nc, timeout=2)
    for times in (1, 2, 3):
        await nc.connect(server.url, closed_cb=closed, reconnect_time_wait=0)
        await check_jetstream(js)
        await nc.close()
        assert events == ["closed"] * times
        with pytest.raises(ConnectionLostError):
            await js.object_store("b")


async def test_timeout_per_context(server: NatsServer) -> None:
    with NatsServer(server.version) as own:
        async with jetstow.connect(own.url) as nc:
            await nc.jetstream().create_object_store("b")
            own.pause()
            with pytest.raises(TimeoutError, match=r"within 0\.3 seconds"):
                await nc.jetstream(timeout=0.3).object_store("b")
            with pytest.raises(TimeoutError, match=r"within 0\.5 seconds"):
                await nc.jetstream(timeout=0.5).object_store("b")
            own.resume()


async def test_timeout_that_is_not_above_zero(server: NatsServer) -> None:
    """-1 was accepted, and a text raised a TypeError in the first call."""
    async with jetstow.connect(server.url) as nc:
        for timeout in (0, -1, timedelta(0), "5"):
            with pytest.raises(InvalidOptionError, match="timeout must be a number of seconds"):
                nc.jetstream(timeout=timeout)  # type: ignore[arg-type]


# -- domains ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def leaf() -> Iterator[NatsServer]:
    """A leaf node with its own JetStream; the domain of its hub is `hub`."""
    port = free_port()
    with (
        NatsServer(
            name="hub", jetstream="domain: hub",
            config=f'leafnodes {{ listen: "127.0.0.1:{port}" }}',
        ),
        NatsServer(
            name="leaf", jetstream="domain: leaf",
            config=f'leafnodes {{ remotes: [ {{ url: "nats://127.0.0.1:{port}" }} ] }}',
        ) as started,
    ):  # fmt: skip
        yield started


async def wait_for_hub(leaf: NatsServer, nc: jetstow.Client) -> None:
    """Wait until the leaf node is connected to its hub."""
    while leaf.monitor("leafz")["leafnodes"] == 0:
        await asyncio.sleep(0.02)
    while True:
        try:
            await nc.jetstream(domain="hub").account_info()
        except nats.errors.Error:
            await asyncio.sleep(0.02)
        else:
            return


async def test_buckets_in_two_domains(leaf: NatsServer) -> None:
    async with jetstow.connect(leaf.url) as nc:
        await wait_for_hub(leaf, nc)
        here, hub = nc.jetstream(), nc.jetstream(domain="hub")
        await check_jetstream(here)
        await check_jetstream(hub)
        far = await hub.create_object_store("far")
        assert await hub.object_store_names() == ["far"]
        assert await here.object_store_names() == []
        await far.put("a", DATA)
        async with await far.watch() as watcher:
            first = await watcher.updates()
            assert first is not None
            assert first.name == "a"
        assert await far.get_range("a", 200_000, 10) == DATA[200_000:200_010]
        await hub.delete_object_store("far")
        with pytest.raises(JetStreamUnavailableError):
            await nc.jetstream(domain="elsewhere").create_object_store("b")


# -- accounts ----------------------------------------------------------------------------------

IMPORTED = """
accounts {
  OWNER {
    jetstream: enabled
    users: [ { user: owner, password: pw } ]
    exports: [
      { service: "$JS.API.>", response_type: stream }
      { service: "$O.>" }
    ]
  }
  GUEST {
    users: [ { user: guest, password: pw } ]
    imports: [
      { service: { account: OWNER, subject: "$JS.API.>" }, to: "JS.owner.API.>" }
      { service: { account: OWNER, subject: "$O.>" } }
    ]
  }
}
"""


@pytest.fixture(scope="module")
def two_accounts() -> Iterator[NatsServer]:
    with NatsServer(config=IMPORTED) as started:
        yield started


async def test_prefix_of_another_account(two_accounts: NatsServer) -> None:
    async with (
        await jetstow.connect(two_accounts.url, user="guest", password="pw") as guest,
        await jetstow.connect(two_accounts.url, user="owner", password="pw") as owner,
    ):
        js = guest.jetstream(prefix="JS.owner.API")
        await check_jetstream(js)
        theirs = await owner.jetstream().create_object_store("b")
        await theirs.put("a", DATA)
        assert (await (await js.object_store("b")).get("a")).data == DATA
        with pytest.raises(JetStreamUnavailableError):
            await guest.jetstream().object_store("b")
