"""Which server `connect` selects, and the lifetime of the embedded server."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import Self, get_type_hints

import nats.errors
import pytest

import jetstow
from jetstow import _embedded
from jetstow.errors import AuthorizationError, ContextError, NoServersError
from tests.live.connecting.checks import check_jetstream, server_name
from tests.live.connecting.conftest import Save
from tests.support.servers import NatsServer, free_port

# -- the `servers` argument --------------------------------------------------------------------


async def test_one_server(server: NatsServer) -> None:
    async with jetstow.connect(server.url) as nc:
        assert isinstance(nc, jetstow.Client)
        assert nc.is_connected
        await check_jetstream(nc.jetstream())
    assert nc.is_closed


def test_client_context_manager_type() -> None:
    """With nats-py's annotation, type checkers took the client for nats-py's own."""
    assert get_type_hints(jetstow.Client.__aenter__)["return"] is Self


async def test_url_without_a_scheme(plain: NatsServer) -> None:
    async with jetstow.connect(f"127.0.0.1:{plain.port}") as nc:
        await check_jetstream(nc.jetstream())


async def test_one_of_several_servers_runs(plain: NatsServer) -> None:
    refused = f"nats://127.0.0.1:{free_port()}"
    async with jetstow.connect([refused, plain.url], dont_randomize=True) as nc:
        assert server_name(nc) == "plain"
        await check_jetstream(nc.jetstream())


# -- NATS_URL ----------------------------------------------------------------------------------


async def test_nats_url(plain: NatsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NATS_URL", plain.url)
    async with jetstow.connect() as nc:
        assert server_name(nc) == "plain"
        await check_jetstream(nc.jetstream())


@pytest.mark.parametrize("text", ["{0},{1}", " {0}, {1} ", "{0},{1},"])
async def test_nats_url_with_several_servers(
    plain: NatsServer, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    refused = f"nats://127.0.0.1:{free_port()}"
    monkeypatch.setenv("NATS_URL", text.format(refused, plain.url))
    async with jetstow.connect() as nc:
        assert server_name(nc) == "plain"
        assert len(nc.servers) == 2


async def test_nats_url_with_a_password(
    guarded: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NATS_URL", guarded.url.replace("//", "//joe:sesame@"))
    async with jetstow.connect() as nc:
        await check_jetstream(nc.jetstream())


async def test_nats_url_and_options(guarded: NatsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NATS_URL", guarded.url)
    async with jetstow.connect(user="joe", password="sesame", name="test") as nc:
        assert server_name(nc) == "guarded"


# -- precedence -------------------------------------------------------------------------------


async def test_servers_argument_comes_first(
    plain: NatsServer, guarded: NatsServer, save: Save, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NATS_URL", guarded.url)
    save(url=guarded.url, user="joe", password="sesame", jetstream_domain="elsewhere")
    async with jetstow.connect(plain.url) as nc:
        assert server_name(nc) == "plain"
        assert nc.options["user"] is None
        await check_jetstream(nc.jetstream())


async def test_nats_url_before_the_context(
    plain: NatsServer, guarded: NatsServer, save: Save, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(url=guarded.url, user="joe", password="sesame", jetstream_domain="elsewhere")
    monkeypatch.setenv("NATS_CONTEXT", "demo")
    monkeypatch.setenv("NATS_URL", plain.url)
    async with jetstow.connect() as nc:
        assert server_name(nc) == "plain"
        assert nc.options["user"] is None
        await check_jetstream(nc.jetstream())


async def test_empty_nats_url_is_ignored(
    plain: NatsServer, save: Save, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(url=plain.url)
    monkeypatch.setenv("NATS_URL", "")
    async with jetstow.connect() as nc:
        assert server_name(nc) == "plain"


async def test_context_before_the_embedded_server(
    plain: NatsServer, save: Save, home: Path
) -> None:
    save(url=plain.url)
    async with jetstow.connect() as nc:
        assert server_name(nc) == "plain"
    assert not home.exists()


async def test_failing_server_has_no_fallback(
    save: Save, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(url=f"nats://127.0.0.1:{free_port()}")
    with pytest.raises(NoServersError):
        await jetstow.connect()
    save(url=["damaged"])
    with pytest.raises(ContextError):
        await jetstow.connect()
    monkeypatch.setenv("NATS_URL", f"nats://127.0.0.1:{free_port()}")
    with pytest.raises(NoServersError):
        await jetstow.connect()
    assert not home.exists()


# -- the embedded server ----------------------------------------------------------------------


async def test_embedded_server_stops_with_the_client(home: Path) -> None:
    async with jetstow.connect() as nc:
        running = _embedded.status()
        assert running is not None
        assert nc.connected_url is not None
        assert running.url == nc.connected_url.geturl()
        await check_jetstream(nc.jetstream())
        store = await nc.jetstream().create_object_store("kept")
        await store.put("a", b"bytes")
    assert _embedded.status() is None
    async with jetstow.connect() as nc:
        store = await nc.jetstream().object_store("kept")
        assert (await store.get("a")).data == b"bytes"
    assert (home / "jetstream").is_dir()


async def test_clients_share_the_embedded_server() -> None:
    first, second = await asyncio.gather(jetstow.connect(), jetstow.connect())
    assert first.connected_url == second.connected_url
    store = await first.jetstream().create_object_store("b")
    await store.put("a", b"x")
    await first.close()
    assert (await (await second.jetstream().object_store("b")).get("a")).data == b"x"
    await second.drain()
    assert second.is_closed
    assert _embedded.status() is None


async def test_close_twice() -> None:
    nc = await jetstow.connect()
    await nc.close()
    await nc.close()
    assert nc.is_closed


async def test_invalid_option_stops_the_embedded_server() -> None:
    """Closing the client, which had not started to connect, failed: the server was not stopped."""
    with pytest.raises(nats.errors.InvalidCallbackTypeError):
        await jetstow.connect(closed_cb=lambda: None)  # type: ignore[arg-type,return-value]
    assert _embedded.status() is None


async def test_wrong_token_stops_the_embedded_server() -> None:
    with pytest.raises(AuthorizationError):
        await jetstow.connect(token="another")
    assert _embedded.status() is None


async def test_failing_callback_stops_the_embedded_server() -> None:
    """The lease was released after the callback, and so not if the callback raised."""

    async def closed() -> None:
        raise RuntimeError("failed")

    nc = await jetstow.connect(closed_cb=closed)
    with pytest.raises(RuntimeError, match="failed"):
        await nc.close()
    assert _embedded.status() is None


async def test_cancelled_connect_stops_the_embedded_server() -> None:
    attempted = asyncio.Event()

    async def refused(_: Exception) -> None:
        attempted.set()
        await asyncio.Event().wait()

    connecting = asyncio.create_task(jetstow.connect(token="another", error_cb=refused))
    await attempted.wait()
    assert _embedded.status() is not None
    connecting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await connecting
    assert _embedded.status() is None


async def test_cancelled_at_different_moments() -> None:
    for moment in range(8):
        connecting = asyncio.create_task(jetstow.connect())
        await asyncio.wait([connecting], timeout=moment * 0.02)
        connecting.cancel()
        with suppress(asyncio.CancelledError):
            await (await connecting).close()
        assert _embedded.status() is None


async def test_lost_connection_releases_the_embedded_server() -> None:
    closed = asyncio.Event()

    async def on_closed() -> None:
        closed.set()

    nc = await jetstow.connect(
        max_reconnect_attempts=1, reconnect_time_wait=0.05, closed_cb=on_closed
    )
    running = _embedded.status()
    assert running is not None
    os.kill(running.pid, signal.SIGKILL)
    await closed.wait()
    # The last lease stops the server. This would not be the last if the first were still held.
    async with jetstow.connect():
        pass
    assert _embedded.status() is None
    assert nc.is_closed
