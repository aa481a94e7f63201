"""connect: where it goes, and that it leaves nothing behind."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import Self, get_type_hints

import pytest

import jetstow
from jetstow import _embedded
from jetstow.errors import AuthorizationError, ContextError, NoServersError
from tests.live.connecting.conftest import Save
from tests.live.connecting.proof import name_of, works
from tests.support.servers import NatsServer, free_port

# -- named here ------------------------------------------------------------------------------


async def test_one_server(server: NatsServer) -> None:
    async with await jetstow.connect(server.url) as nc:
        assert isinstance(nc, jetstow.Client)
        assert nc.is_connected
        await works(nc.jetstream())
    assert nc.is_closed


def test_a_type_checker_sees_our_client() -> None:
    # nats-py's annotation made a nats-py client of it in `async with await jetstow.connect()`.
    assert get_type_hints(jetstow.Client.__aenter__)["return"] is Self


async def test_an_address_without_a_scheme(plain: NatsServer) -> None:
    async with await jetstow.connect(f"127.0.0.1:{plain.port}") as nc:
        await works(nc.jetstream())


async def test_several_servers_of_which_one_answers(plain: NatsServer) -> None:
    nobody = f"nats://127.0.0.1:{free_port()}"
    async with await jetstow.connect([nobody, plain.url], dont_randomize=True) as nc:
        assert name_of(nc) == "plain"
        await works(nc.jetstream())


# -- named by the environment -----------------------------------------------------------------


async def test_nats_url(plain: NatsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NATS_URL", plain.url)
    async with await jetstow.connect() as nc:
        assert name_of(nc) == "plain"
        await works(nc.jetstream())


@pytest.mark.parametrize("text", ["{0},{1}", " {0}, {1} ", "{0},{1},"])
async def test_nats_url_with_several(
    plain: NatsServer, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    nobody = f"nats://127.0.0.1:{free_port()}"
    monkeypatch.setenv("NATS_URL", text.format(nobody, plain.url))
    async with await jetstow.connect() as nc:
        assert name_of(nc) == "plain"
        assert len(nc.servers) == 2


async def test_nats_url_with_a_password(
    guarded: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NATS_URL", guarded.url.replace("//", "//joe:sesame@"))
    async with await jetstow.connect() as nc:
        await works(nc.jetstream())


async def test_nats_url_and_options(guarded: NatsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NATS_URL", guarded.url)
    async with await jetstow.connect(user="joe", password="sesame", name="test") as nc:
        assert name_of(nc) == "guarded"


# -- who comes first --------------------------------------------------------------------------


async def test_what_is_named_here_comes_first(
    plain: NatsServer, guarded: NatsServer, save: Save, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NATS_URL", guarded.url)
    save(url=guarded.url, user="joe", password="sesame", jetstream_domain="elsewhere")
    async with await jetstow.connect(plain.url) as nc:
        assert name_of(nc) == "plain"
        assert nc.options["user"] is None
        await works(nc.jetstream())


async def test_nats_url_comes_before_a_context(
    plain: NatsServer, guarded: NatsServer, save: Save, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(url=guarded.url, user="joe", password="sesame", jetstream_domain="elsewhere")
    monkeypatch.setenv("NATS_CONTEXT", "demo")
    monkeypatch.setenv("NATS_URL", plain.url)
    async with await jetstow.connect() as nc:
        assert name_of(nc) == "plain"
        assert nc.options["user"] is None
        await works(nc.jetstream())


async def test_an_empty_nats_url_is_none(
    plain: NatsServer, save: Save, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(url=plain.url)
    monkeypatch.setenv("NATS_URL", "")
    async with await jetstow.connect() as nc:
        assert name_of(nc) == "plain"


async def test_a_context_comes_before_the_embedded_server(
    plain: NatsServer, save: Save, home: Path
) -> None:
    save(url=plain.url)
    async with await jetstow.connect() as nc:
        assert name_of(nc) == "plain"
    assert not home.exists()


async def test_what_is_selected_and_fails_is_not_passed_over(
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


async def test_the_embedded_server_lives_as_long_as_the_client(home: Path) -> None:
    async with await jetstow.connect() as nc:
        running = _embedded.status()
        assert running is not None
        assert nc.connected_url is not None
        assert running.url == nc.connected_url.geturl()
        await works(nc.jetstream())
        store = await nc.jetstream().create_object_store("kept")
        await store.put("a", b"bytes")
    assert _embedded.status() is None
    async with await jetstow.connect() as nc:
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


async def test_closing_twice_is_no_error() -> None:
    nc = await jetstow.connect()
    await nc.close()
    await nc.close()
    assert nc.is_closed


async def test_an_option_that_cannot_be_stops_the_embedded_server() -> None:
    # It was closed before nats-py had begun, which raised an AssertionError, and it ran on.
    with pytest.raises(TypeError, match="bogus"):
        await jetstow.connect(bogus=1)
    assert _embedded.status() is None


async def test_a_refusal_stops_the_embedded_server() -> None:
    with pytest.raises(AuthorizationError):
        await jetstow.connect(token="another")
    assert _embedded.status() is None


async def test_a_callback_that_raises_stops_the_embedded_server() -> None:
    # The server was given back after the callback, and not at all when it raised.
    async def closed() -> None:
        raise RuntimeError("mine")

    nc = await jetstow.connect(closed_cb=closed)
    with pytest.raises(RuntimeError, match="mine"):
        await nc.close()
    assert _embedded.status() is None


async def test_a_cancelled_connection_stops_the_embedded_server() -> None:
    trying = asyncio.Event()

    async def refused(_: Exception) -> None:
        trying.set()
        await asyncio.Event().wait()

    connecting = asyncio.create_task(jetstow.connect(token="another", error_cb=refused))
    await trying.wait()
    assert _embedded.status() is not None
    connecting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await connecting
    assert _embedded.status() is None


async def test_cancelled_at_any_moment() -> None:
    for moment in range(8):
        connecting = asyncio.create_task(jetstow.connect())
        await asyncio.wait([connecting], timeout=moment * 0.02)
        connecting.cancel()
        with suppress(asyncio.CancelledError):
            await (await connecting).close()
        assert _embedded.status() is None


async def test_a_client_that_gives_up_gives_the_embedded_server_back() -> None:
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
    # Another's last one out stops the server: it would not, if we still had a share.
    async with await jetstow.connect():
        pass
    assert _embedded.status() is None
    assert nc.is_closed
