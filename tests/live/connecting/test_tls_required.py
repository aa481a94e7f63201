"""TLS that was requested is used, or no connection is made and no credentials are sent.

With a server that did not offer TLS, nats-py sent the credentials in clear, on the first connection
and on each reconnect.
"""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

import pytest

import jetstow
from jetstow.errors import NoServersError
from tests.live.connecting.checks import check_jetstream
from tests.live.connecting.conftest import Save
from tests.live.connecting.test_transports import OLD_TIMEOUT
from tests.support.certs import Certificates
from tests.support.servers import NatsServer, free_port

JOE: dict[str, Any] = {"user": "joe", "password": "sesame"}


class Listener:
    """A server in clear that sends INFO without `tls_required`, and records what it receives.

    It accepts every user, so that a client that sends CONNECT is connected.
    """

    def __init__(self, port: int = 0, **info: object) -> None:
        self.port = port
        self.connections = 0
        self.received = b""
        self.reached = asyncio.Event()
        self._info = {"server_id": "X", "version": "2.15.1", "max_payload": 1 << 20, **info}
        self._server: asyncio.Server | None = None
        self._serving: dict[asyncio.Task[Any] | None, asyncio.StreamWriter] = {}

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.close()
        for _ in range(5):  # iterations of the loop: until accepted connections are served
            await asyncio.sleep(0)
        for writer in self._serving.values():
            writer.transport.abort()
        await asyncio.gather(*filter(None, self._serving))
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._serving[asyncio.current_task()] = writer
        with suppress(OSError):
            writer.write(b"INFO " + json.dumps(self._info).encode() + b"\r\n")
            while data := await reader.read(65536):
                self.received += data
                if b"PING" in data:
                    writer.write(b"PONG\r\n")
        self.reached.set()
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    def check_no_credentials(self) -> None:
        assert self.connections, "the client did not connect"
        assert b"CONNECT" not in self.received
        assert b"sesame" not in self.received


async def test_listener_receives_credentials_without_tls() -> None:
    """The listener is able to detect what the other tests exclude."""
    async with Listener() as listener:
        async with jetstow.connect(listener.url, **JOE):
            pass
        assert b"sesame" in listener.received


@pytest.mark.parametrize("source", ["url", "url of several", "context", "hostname", "first"])
async def test_first_connection(
    source: str, certificates: Certificates, caplog: pytest.LogCaptureFixture
) -> None:
    context = certificates.client_context()
    async with Listener() as listener:
        tls_url = listener.url.replace("nats", "tls")
        servers: Any = listener.url
        options: dict[str, Any] = {}
        match source:
            case "url":
                servers = tls_url
            case "url of several":
                # The credentials are the same for all, so the second one needs TLS, too.
                servers = [f"tls://127.0.0.1:{free_port()}", listener.url]
            case "context":
                options = {"tls": context}
            case "hostname":
                options = {"tls_hostname": "localhost"}
            case "first":
                options = {"tls": context, "tls_handshake_first": True}
        with pytest.raises(NoServersError) as caught:
            await jetstow.connect(servers, connect_timeout=0.5, **JOE, **options)
        listener.check_no_credentials()
        setting = "`handshake_first` in its `tls` block" if source == "first" else "a `tls` block"
        assert "check the address and the port, and that the server's" in str(caught.value)
        assert str(caught.value).endswith(f"has {setting}")
        assert str(listener.port) in str(caught.value)
    assert "sesame" not in f"{caught.value}{caplog.text}"


@pytest.mark.parametrize("field", ["url", "ca", "cert", "tls_first"])
async def test_nats_context(field: str, certificates: Certificates, save: Save) -> None:
    async with Listener() as listener:
        by_field: dict[str, dict[str, Any]] = {
            "url": {},
            "ca": {"ca": str(certificates.authority)},
            "cert": {"cert": str(certificates.client), "key": str(certificates.client_key)},
            "tls_first": {"tls_first": True},
        }
        url = listener.url.replace("nats", "tls") if field == "url" else listener.url
        save(url=url, **JOE, **by_field[field])
        with pytest.raises(NoServersError, match="TLS was requested"):
            await jetstow.connect(connect_timeout=0.5)
        listener.check_no_credentials()


async def test_variable_and_embedded_server(
    certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(NoServersError, match="does not offer it"):
        await jetstow.connect(tls=certificates.client_context())  # the embedded server
    async with Listener() as listener:
        monkeypatch.setenv("NATS_URL", f"{listener.url},tls://joe:sesame@127.0.0.1:{listener.port}")
        with pytest.raises(NoServersError, match="does not offer it") as caught:
            await jetstow.connect()
        listener.check_no_credentials()
        assert "sesame" not in str(caught.value)


@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("by_url", [False, True])
async def test_reconnect(
    certificates: Certificates, first: bool, by_url: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    back = asyncio.Event()

    async def reconnected() -> None:
        back.set()

    config = certificates.server_config()
    if first:
        config = config.replace("verify:", "handshake_first: true, verify:")
    config += "\nauthorization { user: joe, password: sesame }"
    with NatsServer(config=config) as server:
        # The URL alone would use the authorities of the machine.
        url = server.url.replace("nats", "tls") if by_url else server.url
        async with jetstow.connect(
            url, **JOE, tls=certificates.client_context(), tls_handshake_first=first,
            connect_timeout=0.5, reconnect_time_wait=0.05, max_reconnect_attempts=-1,
            reconnected_cb=reconnected,
        ) as nc:  # fmt: skip
            await check_jetstream(nc.jetstream())
            server.kill()
            async with Listener(server.port) as listener:
                await listener.reached.wait()
            listener.check_no_credentials()
            assert not nc.is_connected
            assert "TLS was requested" in caplog.text
            server.restart()
            await back.wait()
            await check_jetstream(nc.jetstream())


async def test_reconnect_after_the_server_required_tls(
    certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a request for TLS, the first connection decides, as in nats.go."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.authority))
    with NatsServer(config=certificates.server_config()) as server:
        async with jetstow.connect(
            server.url, **JOE, reconnect_time_wait=0.05, max_reconnect_attempts=-1
        ) as nc:
            assert nc._is_tls_active
            server.kill()
            async with Listener(server.port) as listener:
                await listener.reached.wait()
            listener.check_no_credentials()


async def test_reconnect_to_an_announced_server(certificates: Certificates) -> None:
    """Servers that a server announces have no scheme, and nats-py takes `nats` for them."""
    async with Listener() as listener:
        config = f'{certificates.server_config()}\nclient_advertise: "127.0.0.1:{listener.port}"'
        with NatsServer(config=config) as server:
            async with jetstow.connect(
                server.url,
                tls=certificates.client_context(),
                reconnect_time_wait=0.05,
                max_reconnect_attempts=-1,
            ) as nc:
                assert nc.is_connected
                # As the cluster's INFO would.
                await nc._process_info({"connect_urls": [f"127.0.0.1:{listener.port}"]})
                server.kill()
                await listener.reached.wait()
                listener.check_no_credentials()


@pytest.mark.parametrize("scheme", ["nats", "tls"])
async def test_server_that_allows_clients_without_tls(
    server: NatsServer, certificates: Certificates, scheme: str
) -> None:
    """It offers TLS but does not require it: the client has to start it."""
    config = certificates.server_config() + "\nallow_non_tls: true"
    with NatsServer(server.version, config=config) as lax:
        url = lax.url.replace("nats", scheme)
        async with jetstow.connect(url, tls=certificates.client_context()) as nc:
            assert nc._is_tls_active
            await check_jetstream(nc.jetstream())
        async with jetstow.connect(lax.url) as nc:
            assert not nc._is_tls_active
        with pytest.raises(NoServersError, match="certificate verify failed"):
            await jetstow.connect(lax.url.replace("nats", "tls"))


@pytest.mark.filterwarnings(OLD_TIMEOUT)
async def test_websocket_in_clear(certificates: Certificates) -> None:
    """The HTTP request may have credentials in its headers, so it is not sent."""
    async with Listener() as listener:
        url = listener.url.replace("nats", "ws")
        with pytest.raises(NoServersError, match="does not offer it"):
            await jetstow.connect(url, **JOE, tls=certificates.client_context())
        assert listener.connections == 0
