"""Errors of a dead server, a lost connection and a missing permission. No call hangs."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

import jetstow.sync as jetstow
from jetstow.errors import (
    AuthorizationError,
    ConnectionLostError,
    InvalidOptionError,
    NoServersError,
    PermissionDeniedError,
    TimeoutError,
)
from tests.support.servers import NatsServer, free_port

ONE_RETRY: dict[str, Any] = {"max_reconnect_attempts": 1, "reconnect_time_wait": 0.05}


@pytest.fixture
def own() -> Iterator[NatsServer]:
    """A server that the test may break."""
    with NatsServer() as server:
        yield server


def test_connection_refused() -> None:
    with pytest.raises(NoServersError):
        jetstow.connect(f"nats://127.0.0.1:{free_port()}")
    with pytest.raises(InvalidOptionError):
        jetstow.connect("nats://[")


def test_unknown_options(nc: jetstow.Client) -> None:
    options: dict[str, Any] = {"max_reconnect_attemps": 1}
    with pytest.raises(InvalidOptionError, match="did you mean 'max_reconnect_attempts'"):
        jetstow.connect(**options)
    with pytest.raises(InvalidOptionError, match="no option 'max_reconnect_attemps'"):
        nc.jetstream(**options)
    with pytest.raises(InvalidOptionError, match="no option 'max_reconnect_attemps'"):
        nc.jetstream().create_object_store("a", **options)


def test_killed_server(own: NatsServer) -> None:
    with jetstow.connect(own.url, **ONE_RETRY) as nc:
        store = nc.jetstream(timeout=2).create_object_store("a")
        store.put("a", bytes(1_000_000))
        reader, watcher, stream = store.open("a"), store.watch(), store.stream("a")
        writer = store.open("b", "wb")
        own.kill()
        for verb in (
            lambda: store.put("a", b"1"),
            lambda: store.get("a"),
            store.list,
            reader.read,
            lambda: list(stream),
            lambda: [next(watcher) for _ in range(5)],
            writer.close,
            lambda: nc.jetstream().object_store_names(),
        ):
            with pytest.raises(ConnectionLostError):
                verb()
        reader.close()
        watcher.stop()


def test_restarted_server(own: NatsServer) -> None:
    with jetstow.connect(own.url, reconnect_time_wait=0.05, max_reconnect_attempts=-1) as nc:
        store = nc.jetstream().create_object_store("a")
        store.put("a", b"1")
        own.restart()
        assert store.get("a").data == b"1"


def test_silent_server(own: NatsServer) -> None:
    with jetstow.connect(own.url) as nc:
        store = nc.jetstream(timeout=0.3).create_object_store("a")
        own.pause()
        try:
            with pytest.raises(TimeoutError):
                store.get_info("a")
        finally:
            own.resume()
        assert store.list() == []


def test_abort_while_another_thread_writes(own: NatsServer) -> None:
    """`abort` waited for the write, which waits for a server."""
    with jetstow.connect(own.url, max_reconnect_attempts=-1) as nc:
        store = nc.jetstream().create_object_store("a")
        file = store.open("a", "wb")
        file.write(bytes(300_000))
        own.kill()
        failed: list[BaseException] = []

        def write() -> None:
            try:
                while True:
                    file.write(bytes(1_000_000))
            except (ConnectionLostError, TimeoutError, ValueError) as error:
                failed.append(error)

        thread = threading.Thread(target=write)
        thread.start()
        while not file._is_sending:
            time.sleep(0.01)
        file.abort()
        assert file.closed
        own.restart()
        thread.join(30)
        assert failed
        assert not store.exists("a")


def test_close_in_another_thread(server: NatsServer, bucket: str) -> None:
    nc = jetstow.connect(server.url)
    watcher = nc.jetstream().create_object_store(bucket).watch()
    assert next(watcher) is None
    failed: list[BaseException] = []

    def watch() -> None:
        try:
            next(watcher)
        except ConnectionLostError as error:
            failed.append(error)

    thread = threading.Thread(target=watch)
    thread.start()
    nc.close()
    thread.join()
    assert failed
    with pytest.raises(ConnectionLostError):
        nc.jetstream().object_store_names()


def test_missing_permissions() -> None:
    config = """authorization { users: [
        { user: owner, password: pw },
        { user: reader, password: pw, permissions { publish { deny: ["$O.>"] } } } ] }"""
    with NatsServer(config=config) as server:
        with pytest.raises(AuthorizationError):
            jetstow.connect(server.url, user="owner", password="wrong")
        with jetstow.connect(server.url, user="owner", password="pw") as nc:
            nc.jetstream().create_object_store("a").put("a", b"1")
        with jetstow.connect(server.url, user="reader", password="pw") as nc:
            store = nc.jetstream().object_store("a")
            assert store.get("a").data == b"1"
            with pytest.raises(PermissionDeniedError):
                store.put("a", iter([b"2"]))
            with pytest.raises(PermissionDeniedError), store.open("a", "wb") as out:
                out.write(bytes(1_000_000))
            assert store.get("a").data == b"1"
