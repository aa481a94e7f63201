"""The embedded server is killed under load, again and again: what it acknowledged, it has kept."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

import jetstow
from jetstow import ObjectMeta, ObjectMetaOptions, _embedded
from jetstow._embedded.home_dir import Folder
from tests.support.samples import some_bytes

WRITERS = 4
ROUNDS = 3
CHUNKS = ObjectMeta(options=ObjectMetaOptions(max_chunk_size=5_000))


def kill() -> int:
    running = _embedded.status()
    assert running is not None
    os.kill(running.pid, signal.SIGKILL)
    return running.pid


@pytest.mark.usefixtures("folder")
async def test_every_acknowledged_object_reads_back() -> None:
    kept: dict[str, bytes] = {}
    asked: dict[str, bytes] = {}
    news = asyncio.Event()

    async def write(writer: int) -> None:
        """Goes on over every crash; there are always some chunks on their way."""
        async with await jetstow.connect(reconnect_time_wait=0.05) as nc:
            store = await nc.jetstream().create_object_store("b")
            for number in range(10_000):
                name = f"{writer}-{number % 5}"
                data = some_bytes(number * 977 % 200_000, writer)
                asked[name] = data
                await store.put(name, data, CHUNKS)
                kept[name] = data
                news.set()

    async with asyncio.TaskGroup() as group:
        writers = [group.create_task(write(writer)) for writer in range(WRITERS)]
        for _ in range(ROUNDS):
            for _ in range(12):
                news.clear()
                await news.wait()
            dead = kill()
            # The next one who connects starts it; those who were there find it again.
            async with await jetstow.connect() as nc:
                assert nc.is_connected
                running = _embedded.status()
                assert running is not None
                assert running.pid != dead
        news.clear()
        await news.wait()
        kill()
        for writer in writers:
            writer.cancel()
    async with await jetstow.connect() as nc:
        store = await nc.jetstream().object_store("b")
        assert len(kept) > WRITERS
        for name, data in kept.items():
            # The last put of each writer was cancelled, and may have got its name before that.
            assert (await store.get(name)).data in (data, asked[name])
        report = await store.verify()
        assert report.ok, report


@pytest.mark.usefixtures("folder")
async def test_a_transfer_outlives_the_server(folder: Folder, tmp_path: Path) -> None:
    data = some_bytes(2_000_000)
    async with await jetstow.connect(reconnect_time_wait=0.05) as nc:
        store = await nc.jetstream().create_object_store("b")
        async with store.open("a", "wb", CHUNKS) as file:
            await file.write(data[:1_000_000])
            kill()
            async with await jetstow.connect():
                await file.write(data[1_000_000:])
        await store.get_file("a", tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == data
    assert folder.store.is_dir()
