"""TLS and websockets over a slow link: bytes that leave or arrive are seen there, too."""

from __future__ import annotations

import pytest

import jetstow
from tests.live.connecting.test_transports import OLD_TIMEOUT
from tests.support.certs import Certificates
from tests.support.proxy import Proxy
from tests.support.samples import some_bytes
from tests.support.servers import NatsServer

DATA = some_bytes(250_000)
RATE = 120_000  # one chunk takes longer than the timeout


async def check_transfers(nc: jetstow.Client, bucket: str) -> None:
    store = await nc.jetstream(timeout=1).create_object_store(bucket)
    await store.put("a", DATA)
    assert (await store.get("a")).data == DATA
    counts = store._bucket.api.inbox._socket.read()
    assert min(counts.sent, counts.received) > len(DATA), "the counters are those of the socket"


async def test_slow_tls(tls_server: NatsServer, certificates: Certificates, bucket: str) -> None:
    async with Proxy(tls_server.port, rate=RATE) as proxy:
        context = certificates.client_context()
        async with jetstow.connect(proxy.url, tls=context) as nc:
            await check_transfers(nc, bucket)


@pytest.mark.filterwarnings(OLD_TIMEOUT)
async def test_slow_websocket(guarded: NatsServer, websocket_port: int, bucket: str) -> None:
    async with Proxy(websocket_port, rate=RATE) as proxy:
        url = f"ws://127.0.0.1:{proxy.port}"
        async with jetstow.connect(url, user="joe", password="sesame") as nc:
            await check_transfers(nc, bucket)
