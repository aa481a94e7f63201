"""The embedded server is killed repeatedly under load: acknowledged objects are not lost."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

import jetstow
from jetstow import ObjectMeta, ObjectMetaOptions, _embedded
from jetstow._embedded.home_dir import HomeDir
from tests.support.samples import some_bytes

WRITERS = 4
ROUNDS = 3
CHUNKS = ObjectMeta(options=ObjectMetaOptions(max_chunk_size=5_000))


def kill_server() -> int:
    endpoint = _embedded.status()
    assert endpoint is not None
    os.kill(endpoint.pid, signal.SIGKILL)
    return endpoint.pid


@pytest.mark.usefixtures("home")
async def test_acknowledged_objects_survive_crashes() -> None:
    stored: dict[str, bytes] = {}
    latest: dict[str, bytes] = {}
    put_returned = asyncio.Event()

    async def write(writer: int) -> None:
        """Put objects continuously, so that some chunks are always in flight."""
        async with await jetstow.connect(reconnect_time_wait=0.05, max_reconnect_attempts=-1) as nc:
            store = await nc.jetstream().create_object_store("b")
            for number in range(10_000):
                name = f"{writer}-{number % 5}"
                data = some_bytes(number * 977 % 200_000, writer)
                latest[name] = data
                await store.put(name, data, CHUNKS)
                stored[name] = data
                put_returned.set()

    async with asyncio.TaskGroup() as group:
        writers = [group.create_task(write(writer)) for writer in range(WRITERS)]
        for _ in range(ROUNDS):
            for _ in range(12):
                put_returned.clear()
                await put_returned.wait()
            killed_pid = kill_server()
            # This connection starts the server, and the writers reconnect to it.
            async with await jetstow.connect() as nc:
                assert nc.is_connected
                endpoint = _embedded.status()
                assert endpoint is not None
                assert endpoint.pid != killed_pid
        put_returned.clear()
        await put_returned.wait()
        kill_server()
        for writer in writers:
            writer.cancel()
    assert len(stored) > WRITERS
    await check_stored(stored, latest)


async def check_stored(stored: dict[str, bytes], latest: dict[str, bytes]) -> None:
    async with await jetstow.connect() as nc:
        store = await nc.jetstream().object_store("b")
        for name, data in stored.items():
            # The last put of each writer was cancelled, perhaps after its commit.
            assert (await store.get(name)).data in (data, latest[name])
        result = await store.verify()
        assert result.ok, result


@pytest.mark.usefixtures("home")
async def test_upload_continues_after_a_crash(home: HomeDir, tmp_path: Path) -> None:
    data = some_bytes(2_000_000)
    async with await jetstow.connect(reconnect_time_wait=0.05, max_reconnect_attempts=-1) as nc:
        store = await nc.jetstream().create_object_store("b")
        async with store.open("a", "wb", CHUNKS) as file:
            await file.write(data[:1_000_000])
            kill_server()
            async with await jetstow.connect():
                await file.write(data[1_000_000:])
        await store.get_file("a", tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == data
    assert home.store_dir.is_dir()
