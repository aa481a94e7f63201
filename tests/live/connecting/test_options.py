"""What else nats-py can be told: names, prefixes, patience, and whom to call."""

from __future__ import annotations

import asyncio
import gc
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
from tests.live.connecting.proof import works
from tests.support.servers import NatsServer, free_port


async def test_name_and_inbox_prefix(plain: NatsServer) -> None:
    async with await jetstow.connect(plain.url, name="me", inbox_prefix="_MINE.too") as nc:
        assert nc.new_inbox().startswith("_MINE.too.")
        await works(nc.jetstream())
        subscribed = {sub.subject for sub in nc._subs.values()}
        assert subscribed
        assert all(subject.startswith("_MINE.too.") for subject in subscribed)
        connections = plain.monitor("connz")["connections"]
        assert "me" in {connection.get("name") for connection in connections}


async def test_an_inbox_prefix_that_permissions_demand() -> None:
    users = (
        'authorization { users: [ { user: joe, password: pw, permissions { subscribe: "_MINE.>", '
        'publish: ["$JS.API.>", "$O.>"] } } ] }'
    )
    with NatsServer(config=users) as strict:
        async with await jetstow.connect(
            strict.url, user="joe", password="pw", inbox_prefix="_MINE"
        ) as nc:
            await works(nc.jetstream())


async def test_small_buffers(plain: NatsServer) -> None:
    async with await jetstow.connect(
        plain.url, pending_size=1024, flusher_queue_size=2, no_echo=True, verbose=False,
        pedantic=True, ping_interval=1, connect_timeout=5, drain_timeout=5,
    ) as nc:  # fmt: skip
        await works(nc.jetstream())


async def test_patience_by_default_is_that_of_nats_py(plain: NatsServer) -> None:
    theirs = await nats.connect(plain.url)
    async with await jetstow.connect(plain.url) as ours:
        assert ours.options == theirs.options
        assert ours.options["max_reconnect_attempts"] == 60
        assert ours.options["reconnect_time_wait"] == 2
    await theirs.close()


@pytest.mark.parametrize(
    "patience",
    [
        {"max_reconnect_attempts": 7},
        {"reconnect_time_wait": 0.3},
        {"max_reconnect_attempts": -1, "reconnect_time_wait": 1},
    ],
)
async def test_patience_that_the_user_wants(plain: NatsServer, patience: dict[str, Any]) -> None:
    defaults = {"max_reconnect_attempts": 60, "reconnect_time_wait": 2}
    async with await jetstow.connect(plain.url, **patience) as nc:
        assert {key: nc.options[key] for key in defaults} == defaults | patience


async def test_patience_that_the_user_wants_counts_for_the_first_try() -> None:
    tries: list[Exception] = []

    async def note(error: Exception) -> None:
        tries.append(error)

    with pytest.raises(NoServersError):
        await jetstow.connect(
            f"nats://127.0.0.1:{free_port()}", max_reconnect_attempts=4,
            reconnect_time_wait=0.01, error_cb=note,
        )  # fmt: skip
    assert len(tries) == 5


# -- callbacks ----------------------------------------------------------------------------------


class Listener:
    """Every callback of nats-py; what it has heard, but for errors, in order."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.errors: list[Exception] = []
        self.reconnected = asyncio.Event()
        self.closed = asyncio.Event()

    def options(self) -> dict[str, Any]:
        async def on_error(error: Exception) -> None:
            self.errors.append(error)

        async def on_disconnected() -> None:
            self.heard.append("disconnected")

        async def on_reconnected() -> None:
            self.heard.append("reconnected")
            self.reconnected.set()

        async def on_closed() -> None:
            self.heard.append("closed")
            self.closed.set()

        return {
            "error_cb": on_error,
            "disconnected_cb": on_disconnected,
            "reconnected_cb": on_reconnected,
            "closed_cb": on_closed,
            "reconnect_time_wait": 0.05,
        }


Connect = Callable[..., Awaitable[Client]]
SHORT = {"max_reconnect_attempts": 1, "reconnect_time_wait": 0.01}


@pytest.mark.parametrize("connect", [nats.connect, jetstow.connect])
@pytest.mark.parametrize("used", [True, False])
async def test_callbacks_are_called_as_nats_py_does(connect: Connect, used: bool) -> None:
    listener = Listener()
    with NatsServer() as own:
        nc = await connect(own.url, **listener.options())
        for lost in (1, 2):
            if used:  # the object store listens to the same callbacks
                await works(jetstow.jetstream(nc))
            listener.reconnected.clear()
            own.restart(kill=True)
            await listener.reconnected.wait()
            assert listener.heard == ["disconnected", "reconnected"] * lost
            assert listener.errors
        if used:
            await works(jetstow.jetstream(nc))
        await nc.close()
    assert listener.heard[4:] == ["disconnected", "closed"]


@pytest.mark.parametrize("connect", [nats.connect, jetstow.connect])
async def test_closed_is_called_when_the_tries_are_over(connect: Connect) -> None:
    listener = Listener()
    with NatsServer() as own:
        nc = await connect(own.url, **listener.options(), max_reconnect_attempts=2)
        await works(jetstow.jetstream(nc))
        own.kill()
        await listener.closed.wait()
    assert Counter(listener.heard) == {"disconnected": 2, "closed": 1}
    with pytest.raises(ConnectionLostError):
        await jetstow.jetstream(nc).object_store("b")


async def test_a_connection_never_made_calls_error_only() -> None:
    # Giving up called `disconnected_cb` and `closed_cb` of what had never been connected.
    listener = Listener()
    with pytest.raises(NoServersError):
        await jetstow.connect(f"nats://127.0.0.1:{free_port()}", **listener.options() | SHORT)
    assert listener.heard == []
    assert len(listener.errors) == 2


async def test_errors_after_the_first_connection_are_not_kept() -> None:
    # A client that could not reconnect for days kept every failure that it had told of.
    enough, back = asyncio.Event(), asyncio.Event()
    told = 0

    async def on_error(error: Exception) -> None:
        nonlocal told
        told += isinstance(error, ConnectionRefusedError)
        if told == 5:
            enough.set()

    async def on_reconnected() -> None:
        back.set()

    with NatsServer() as own:
        async with await jetstow.connect(
            own.url, error_cb=on_error, reconnected_cb=on_reconnected, reconnect_time_wait=0.02
        ):
            own.kill()
            await enough.wait()
            own.start()
            await back.wait()
            gc.collect()
            kept = [one for one in gc.get_objects() if isinstance(one, ConnectionRefusedError)]
            assert len(kept) <= 1, "nats-py has the last one"


async def test_without_a_callback_errors_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    with NatsServer() as own:
        back = asyncio.Event()

        async def reconnected() -> None:
            back.set()

        async with await jetstow.connect(
            own.url, reconnected_cb=reconnected, reconnect_time_wait=0.05
        ):
            own.restart(kill=True)
            await back.wait()
    assert {record.name for record in caplog.records} == {"jetstow.client"}


@pytest.mark.parametrize(
    "name",
    ["error_cb", "disconnected_cb", "closed_cb", "reconnected_cb", "discovered_server_cb",
     "lame_duck_mode_cb"],
)  # fmt: skip
async def test_a_callback_that_is_no_coroutine(plain: NatsServer, name: str) -> None:
    with pytest.raises(nats.errors.InvalidCallbackTypeError):
        await jetstow.connect(plain.url, **{name: lambda *_: None})


async def test_lame_duck_mode_reaches_the_user() -> None:
    ducks = asyncio.Event()

    async def lame_duck() -> None:
        ducks.set()

    config = 'lame_duck_grace_period: "1s", lame_duck_duration: "30s"'
    with NatsServer(config=config) as own:
        async with await jetstow.connect(own.url, lame_duck_mode_cb=lame_duck, **SHORT):
            own._running().send_signal(signal.SIGUSR2)
            await ducks.wait()
