"""TLS and websockets."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator

import pytest

import jetstow
from jetstow.errors import NoServersError
from tests.live.connecting.checks import check_jetstream, full_text
from tests.support.certs import Certificates
from tests.support.servers import NatsServer, free_port

# nats-py passes a float to aiohttp, which has deprecated that.
OLD_TIMEOUT = "ignore:parameter 'timeout' of type 'float':DeprecationWarning"


# -- TLS ------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["nats", "tls"])
async def test_tls(tls_server: NatsServer, certificates: Certificates, scheme: str) -> None:
    url = tls_server.url.replace("nats", scheme)
    async with jetstow.connect(url, tls=certificates.client_context()) as nc:
        await check_jetstream(nc.jetstream())


async def test_mutual_tls(mutual_server: NatsServer, certificates: Certificates) -> None:
    context = certificates.client_context(certificate=True)
    async with jetstow.connect(mutual_server.url, tls=context) as nc:
        await check_jetstream(nc.jetstream())


async def test_tls_handshake_first(
    tls_first_server: NatsServer, certificates: Certificates
) -> None:
    async with jetstow.connect(
        tls_first_server.url, tls=certificates.client_context(), tls_handshake_first=True
    ) as nc:
        await check_jetstream(nc.jetstream())


async def test_tls_hostname(tls_server: NatsServer, certificates: Certificates) -> None:
    context = certificates.client_context()
    async with jetstow.connect(tls_server.url, tls=context, tls_hostname="localhost") as nc:
        await check_jetstream(nc.jetstream())
    with pytest.raises(NoServersError, match="certificate verify failed"):
        await jetstow.connect(tls_server.url, tls=context, tls_hostname="elsewhere")


@pytest.mark.parametrize("first", [False, True])
async def test_certificate_that_does_not_verify(
    tls_server: NatsServer, tls_first_server: NatsServer, first: bool
) -> None:
    """After a failed handshake, nats-py waited without limit for its stream to close."""
    server = tls_first_server if first else tls_server
    with pytest.raises(NoServersError, match="certificate verify failed") as caught:
        await jetstow.connect(
            server.url, tls=ssl.create_default_context(), tls_handshake_first=first
        )
    assert f"127.0.0.1:{server.port}" in str(caught.value)


async def test_cancelled_handshake(certificates: Certificates) -> None:
    started = asyncio.Event()

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b'INFO {"tls_required": true}\r\n')
        await reader.read(1)
        started.set()
        await reader.read()
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as listener:
        port = listener.sockets[0].getsockname()[1]
        connecting = asyncio.create_task(
            jetstow.connect(f"nats://127.0.0.1:{port}", tls=certificates.client_context())
        )
        await started.wait()
        connecting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await connecting


async def test_missing_client_certificate(
    mutual_server: NatsServer, certificates: Certificates
) -> None:
    with pytest.raises(NoServersError, match="cannot connect"):
        await jetstow.connect(mutual_server.url, tls=certificates.client_context())


async def test_tls_after_a_reconnect(certificates: Certificates) -> None:
    back = asyncio.Event()

    async def reconnected() -> None:
        back.set()

    with NatsServer(config=certificates.server_config()) as own:
        async with jetstow.connect(
            own.url, tls=certificates.client_context(),
            reconnect_time_wait=0.05, max_reconnect_attempts=-1, reconnected_cb=reconnected,
        ) as nc:  # fmt: skip
            await check_jetstream(nc.jetstream())
            own.restart(kill=True)
            await back.wait()
            await check_jetstream(nc.jetstream())


# -- websockets -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def secure_websocket(certificates: Certificates) -> Iterator[str]:
    port = free_port()
    config = (
        f"websocket {{ port: {port}, host: 127.0.0.1, "
        f'tls {{ cert_file: "{certificates.server}", key_file: "{certificates.server_key}" }} }}'
    )
    with NatsServer(config=config):
        yield f"wss://127.0.0.1:{port}"


@pytest.mark.filterwarnings(OLD_TIMEOUT)
async def test_websocket(guarded: NatsServer, websocket_port: int) -> None:
    async with jetstow.connect(
        f"ws://127.0.0.1:{websocket_port}", user="joe", password="sesame",
        ws_connection_headers={"X-Test": ["jetstow"]},
    ) as nc:  # fmt: skip
        await check_jetstream(nc.jetstream())


@pytest.mark.filterwarnings(OLD_TIMEOUT)
async def test_websocket_over_tls(secure_websocket: str, certificates: Certificates) -> None:
    async with jetstow.connect(secure_websocket, tls=certificates.client_context()) as nc:
        await check_jetstream(nc.jetstream())


# aiohttp may close the socket of a failed handshake after the end of the loop.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings(OLD_TIMEOUT)
async def test_failing_websockets(
    guarded: NatsServer, websocket_port: int, secure_websocket: str
) -> None:
    for url in (f"ws://joe:sesame@127.0.0.1:{free_port()}", f"ws://joe:sesame@{guarded.url[7:]}"):
        with pytest.raises(NoServersError, match=r"at 127\.0\.0\.1:") as caught:
            await jetstow.connect(url)
        assert "sesame" not in full_text(caught.value)
    with pytest.raises(NoServersError, match="certificate verify failed"):
        await jetstow.connect(secure_websocket)
