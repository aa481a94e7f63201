"""Buckets of a hub, used over a leaf node that may have a bucket of the same name."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import nats
import pytest

import jetstow
from jetstow.errors import WrongStreamError
from tests.support import raw_stream
from tests.support.servers import NatsServer, free_port

pytestmark = pytest.mark.one_path

ACCOUNT = "accounts { A: { jetstream: enabled, users: [{user: a, password: a}] } }\nno_auth_user: a"


@pytest.fixture
def hub_and_leaf() -> Iterator[tuple[NatsServer, NatsServer]]:
    """Two servers with domains of their own, connected as hub and leaf node."""
    port = free_port()
    hub_config = f'{ACCOUNT}\nleafnodes {{ listen: "127.0.0.1:{port}" }}'
    remote = f'{{ url: "nats://a:a@127.0.0.1:{port}", account: A }}'
    leaf_config = f"{ACCOUNT}\nleafnodes {{ remotes: [{remote}] }}"
    with (
        NatsServer(name="hub", config=hub_config, jetstream="domain: hub") as hub,
        NatsServer(name="leaf", config=leaf_config, jetstream="domain: leaf") as leaf,
    ):
        yield hub, leaf


@pytest.fixture
async def leaf_client(
    hub_and_leaf: tuple[NatsServer, NatsServer],
) -> AsyncIterator[jetstow.Client]:
    """A connection to the leaf node, once it reaches the hub's JetStream."""
    async with jetstow.connect(hub_and_leaf[1].url) as nc:
        while True:
            try:
                await nc.request("$JS.hub.API.INFO", timeout=1)
                break
            except (nats.errors.NoRespondersError, nats.errors.TimeoutError):
                continue
        yield nc


async def test_bucket_of_the_hub(leaf_client: jetstow.Client) -> None:
    store = await leaf_client.jetstream(domain="hub").create_object_store("cfg")
    data = b"n" * 300_000
    await store.put("settings", data)
    await store.update_meta("settings", jetstow.ObjectMeta(name="other"))
    assert (await store.get("other")).data == data
    await store.delete("other")
    assert await store.list() == []


async def test_bucket_of_the_same_name_on_the_leaf(
    leaf_client: jetstow.Client, hub_and_leaf: tuple[NatsServer, NatsServer]
) -> None:
    """A put for the hub also overwrote the leaf's object, and lost the hub's chunks."""
    remote = await leaf_client.jetstream(domain="hub").create_object_store("cfg")
    async with jetstow.connect(hub_and_leaf[0].url) as hub:
        await (await hub.jetstream().object_store("cfg")).put("settings", b"hub")
    # Nothing is put here: it would reach the hub as well.
    local = await leaf_client.jetstream().create_object_store("cfg")
    with pytest.raises(WrongStreamError, match="'OBJ_cfg' in domain 'leaf'"):
        await remote.put("settings", b"n" * 100_000)
    with pytest.raises(WrongStreamError):
        await remote.delete("settings")
    with pytest.raises(WrongStreamError):
        await remote.add_bucket_link("link", "cfg")
    assert (await local.status()).stream_info.state.messages == 0
    assert (await remote.get("settings")).data == b"hub"


async def test_local_bucket_created_later(
    leaf_client: jetstow.Client, hub_and_leaf: tuple[NatsServer, NatsServer]
) -> None:
    """The acknowledgements show what the check at the first put could not."""
    hub, leaf = hub_and_leaf
    remote = await leaf_client.jetstream(domain="hub").create_object_store("cfg")
    await remote.put("a", b"before")
    await leaf_client.jetstream().create_object_store("cfg")
    hub.pause()  # else it may acknowledge first, and the put succeeds
    put = asyncio.create_task(remote.put("a", b"n" * 300_000))
    async with await nats.connect(leaf.url) as raw:
        while not await raw_stream.chunks(raw, "cfg"):
            await asyncio.sleep(0.01)
    hub.resume()
    with pytest.raises(WrongStreamError):
        await put
    assert (await remote.get("a")).data == b"before"
    async with await nats.connect(hub.url) as raw:
        assert sum((await raw_stream.chunks(raw, "cfg")).values()) == 1


async def test_metadata_that_a_stream_of_the_leaf_acknowledges(
    leaf_client: jetstow.Client, hub_and_leaf: tuple[NatsServer, NatsServer]
) -> None:
    """The put purged its chunks, although the hub had stored the metadata as well."""
    hub, leaf = hub_and_leaf
    remote = await leaf_client.jetstream(domain="hub").create_object_store("cfg")
    await remote.put("first", b"before")
    async with await nats.connect(leaf.url) as raw:
        await raw.jetstream().add_stream(
            name="names", subjects=["$O.cfg.M.>"], allow_rollup_hdrs=True
        )
    for name in map(str, range(1000)):
        try:
            await remote.put(name, b"new")  # succeeds if the hub acknowledges first
        except WrongStreamError:
            break
    else:
        pytest.fail("the leaf was never the first to acknowledge")
    async with jetstow.connect(hub.url) as nc:
        store = await nc.jetstream().object_store("cfg")
        while not await store.exists(name):
            await asyncio.sleep(0.01)
        assert (await store.get(name)).data == b"new"


@pytest.mark.parametrize("version", ["2.9.10", "2.12.8"])
async def test_domain_of_an_older_server(version: str) -> None:
    with NatsServer(version, jetstream="domain: hub") as server:
        async with jetstow.connect(server.url) as nc:
            for bucket, js in (("local", nc.jetstream()), ("domain", nc.jetstream(domain="hub"))):
                store = await js.create_object_store(bucket)
                await store.put("a", b"data")
                opened = await js.object_store(bucket)
                await opened.put("b", b"data")
                assert (await opened.get("a")).data == b"data"
                await (await js.update_object_store(bucket, description="new")).delete("a")
