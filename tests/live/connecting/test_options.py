"""Options of `connect`: names, prefixes, reconnect settings and callbacks."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import nats
import nats.errors
import pytest
from nats.aio.client import Client

import jetstow
from jetstow.errors import ConnectionLostError, NoServersError
from tests.live.connecting.checks import check_jetstream
from tests.support.servers import NatsServer, free_port


async def test_name_and_inbox_prefix(plain: NatsServer) -> None:
    async with jetstow.connect(plain.url, name="me", inbox_prefix="_MINE.too") as nc:
        assert nc.new_inbox().startswith("_MINE.too.")
        await check_jetstream(nc.jetstream())
        subscribed = {sub.subject for sub in nc._subs.values()}
        assert subscribed
        assert all(subject.startswith("_MINE.too.") for subject in subscribed)
        connections = plain.monitor("connz")["connections"]
        assert "me" in {connection.get("name") for connection in connections}


async def test_inbox_prefix_required_by_permissions() -> None:
    users = (
        'authorization { users: [ { user: joe, password: pw, permissions { subscribe: "_MINE.>", '
        'publish: ["$JS.API.>", "$O.>"] } } ] }'
    )
    with NatsServer(config=users) as strict:
        async with jetstow.connect(
            strict.url, user="joe", password="pw", inbox_prefix="_MINE"
        ) as nc:
            await check_jetstream(nc.jetstream())


async def test_small_buffers(plain: NatsServer) -> None:
    async with jetstow.connect(
        plain.url, pending_size=1024, flusher_queue_size=2, no_echo=True, verbose=False,
        pedantic=True, ping_interval=1, connect_timeout=5, drain_timeout=5,
    ) as nc:  # fmt: skip
        await check_jetstream(nc.jetstream())


async def test_reconnect_defaults_are_those_of_nats_py(plain: NatsServer) -> None:
    theirs = await nats.connect(plain.url)
    async with jetstow.connect(plain.url) as ours:
        assert ours.options == theirs.options
        assert ours.options["max_reconnect_attempts"] == 60
        assert ours.options["reconnect_time_wait"] == 2
    await theirs.close()


@pytest.mark.parametrize(
    "reconnect",
    [
        {"max_reconnect_attempts": 7},
        {"reconnect_time_wait": 0.3},
        {"max_reconnect_attempts": -1, "reconnect_time_wait": 1},
    ],
)
async def test_reconnect_options(plain: NatsServer, reconnect: dict[str, Any]) -> None:
    defaults = {"max_reconnect_attempts": 60, "reconnect_time_wait": 2}
    async with jetstow.connect(plain.url, **reconnect) as nc:
        assert {key: nc.options[key] for key in defaults} == defaults | reconnect


async def test_reconnect_options_apply_to_the_first_connection() -> None:
    failures: list[Exception] = []

    async def on_error(error: Exception) -> None:
        failures.append(error)

    with pytest.raises(NoServersError):
        await jetstow.connect(
            f"nats://127.0.0.1:{free_port()}", max_reconnect_attempts=4,
            reconnect_time_wait=0.01, error_cb=on_error,
        )  # fmt: skip
    assert len(failures) == 5


# -- callbacks ----------------------------------------------------------------------------------


class Listener:
    """Callbacks of nats-py; `events` has their calls in order, except those for errors."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.errors: list[Exception] = []
        self.reconnected = asyncio.Event()
        self.closed = asyncio.Event()

    def options(self) -> dict[str, Any]:
        async def on_error(error: Exception) -> None:
            self.errors.append(error)

        async def on_disconnected() -> None:
            self.events.append("disconnected")

        async def on_reconnected() -> None:
            self.events.append("reconnected")
            self.reconnected.set()

        async def on_closed() -> None:
            self.events.append("closed")
            self.closed.set()

        return {
            "error_cb": on_error,
            "disconnected_cb": on_disconnected,
            "reconnected_cb": on_reconnected,
            "closed_cb": on_closed,
            "reconnect_time_wait": 0.05,
        }


Connect = Callable[..., Awaitable[Client]]
SHORT: dict[str, Any] = {"max_reconnect_attempts": 1, "reconnect_time_wait": 0.01}


@pytest.mark.parametrize("connect", [nats.connect, jetstow.connect])
@pytest.mark.parametrize("used", [True, False])
async def test_callbacks_as_in_nats_py(connect: Connect, used: bool) -> None:
    listener = Listener()
    with NatsServer() as own:
        nc = await connect(own.url, **listener.options())
        for lost in (1, 2):
            if used:  # the object store uses the same callbacks
                await check_jetstream(jetstow.jetstream(nc))
            listener.reconnected.clear()
            own.restart(kill=True)
            await listener.reconnected.wait()
            assert listener.events == ["disconnected", "reconnected"] * lost
            assert listener.errors
        if used:
            await check_jetstream(jetstow.jetstream(nc))
        await nc.close()
    assert listener.events[4:] == ["disconnected", "closed"]


@pytest.mark.parametrize("connect", [nats.connect, jetstow.connect])
async def test_closed_callback_after_the_last_attempt(connect: Connect) -> None:
    listener = Listener()
    with NatsServer() as own:
        nc = await connect(own.url, **listener.options(), max_reconnect_attempts=2)
        await check_jetstream(jetstow.jetstream(nc))
        own.kill()
        await listener.closed.wait()
    assert Counter(listener.events) == {"disconnected": 2, "closed": 1}
    with pytest.raises(ConnectionLostError):
        await jetstow.jetstream(nc).object_store("b")


async def test_failed_connection_calls_only_error_cb() -> None:
    """`disconnected_cb` and `closed_cb` were called without a connection."""
    listener = Listener()
    with pytest.raises(NoServersError):
        await jetstow.connect(f"nats://127.0.0.1:{free_port()}", **listener.options() | SHORT)
    assert listener.events == []
    assert len(listener.errors) == 2


async def test_errors_of_reconnects_are_not_stored() -> None:
    """A client that could not reconnect stored every error, without limit."""
    enough, back = asyncio.Event(), asyncio.Event()
    refused = 0

    async def on_error(error: Exception) -> None:
        nonlocal refused
        refused += isinstance(error, ConnectionRefusedError)
        if refused == 5:
            enough.set()

    async def on_reconnected() -> None:
        back.set()

    with NatsServer() as own:
        async with jetstow.connect(
            own.url,
            error_cb=on_error,
            reconnected_cb=on_reconnected,
            reconnect_time_wait=0.02,
            max_reconnect_attempts=-1,
        ):
            own.kill()
            await enough.wait()
            own.start()
            await back.wait()
            gc.collect()
            stored = [obj for obj in gc.get_objects() if isinstance(obj, ConnectionRefusedError)]
            assert len(stored) <= 1, "nats-py stores the last one"


async def test_without_a_callback_each_failure_is_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Each attempt to connect printed "[Errno 111] ..." on stderr, also before an exception."""
    caplog.set_level(logging.INFO, "jetstow.client")
    with pytest.raises(NoServersError):
        await jetstow.connect(f"nats://127.0.0.1:{free_port()}", **SHORT)
    attempts = asyncio.Semaphore(0)
    with NatsServer() as own:
        back = asyncio.Event()

        async def reconnected() -> None:
            back.set()

        async with jetstow.connect(
            own.url, reconnected_cb=reconnected, max_reconnect_attempts=-1, reconnect_time_wait=0.01
        ) as nc:
            on_error = nc._error_cb

            async def count(error: Exception) -> None:
                await on_error(error)
                attempts.release()

            nc._error_cb = count
            for _ in range(2):
                own.kill()
                for _ in range(4):
                    await attempts.acquire()
                own.start()
                await back.wait()
                back.clear()
    refused = [record for record in caplog.records if "Connection refused" in record.message]
    assert [record.levelname for record in refused] == ["INFO"] * 3
    assert {record.levelname for record in caplog.records} == {"INFO"}
    assert refused[-1].message == (
        f"the connection to NATS at 127.0.0.1:{own.port} failed: Connection refused"
    )


@pytest.mark.parametrize(
    "name",
    ["error_cb", "disconnected_cb", "closed_cb", "reconnected_cb", "discovered_server_cb",
     "lame_duck_mode_cb"],
)  # fmt: skip
async def test_callback_that_is_not_a_coroutine_function(plain: NatsServer, name: str) -> None:
    callback: Any = lambda *_: None  # noqa: E731
    with pytest.raises(nats.errors.InvalidCallbackTypeError):
        await jetstow.connect(plain.url, **{name: callback})


async def test_lame_duck_mode_callback() -> None:
    ducks = asyncio.Event()

    async def lame_duck() -> None:
        ducks.set()

    config = 'lame_duck_grace_period: "1s", lame_duck_duration: "30s"'
    with NatsServer(config=config) as own:
        async with jetstow.connect(own.url, lame_duck_mode_cb=lame_duck, **SHORT):
            own._running().send_signal(signal.SIGUSR2)
            await ducks.wait()
