"""The embedded server between processes: started once, shared, stopped; who may use it."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import nats
import pytest
from nats.aio.client import Client

from jetstow import _embedded
from jetstow._embedded import process
from jetstow._embedded.home_dir import Folder
from tests.live.embedded.processes import User, is_running

# -- coming and going --------------------------------------------------------------------


def test_the_first_starts_it_and_the_last_stops_it(start: Callable[..., User]) -> None:
    first = start()
    pid = first.holds()
    second, third = start(), start()
    assert second.holds() == third.holds() == pid
    for user in (first, second):
        user.leave()
        running = _embedded.status()
        assert running is not None
        assert running.pid == pid
    third.leave()
    assert _embedded.status() is None
    assert not is_running(pid)


def test_processes_that_start_together_share_one(start: Callable[..., User]) -> None:
    users = [start() for _ in range(4)]
    assert len({user.holds() for user in users}) == 1


async def test_processes_that_come_and_go_never_miss_it(folder: Folder) -> None:
    # The last one out stops the server at the very moment when the next one comes.
    async def use() -> None:
        for _ in range(5):
            async with await _embedded.acquire() as hold:
                client = await nats.connect(hold.endpoint.url, token=hold.endpoint.token)
                await client.jetstream().account_info()
                await client.close()

    await asyncio.gather(*(use() for _ in range(3)))
    assert not process.alive(folder)


async def test_several_holds_in_one_process(folder: Folder) -> None:
    first, second = await _embedded.acquire(), await _embedded.acquire()
    assert first.endpoint == second.endpoint
    await first.arelease()
    first.release()
    assert _embedded.status() == second.endpoint
    releasing = [Thread(target=second.release) for _ in range(4)]
    for thread in releasing:
        thread.start()
    for thread in releasing:
        thread.join()
    assert _embedded.status() is None


async def test_two_homes_are_two_servers(folder: Folder, tmp_path: Path) -> None:
    async with await _embedded.acquire() as one, await _embedded.acquire(tmp_path / "2") as other:
        assert one.endpoint.url != other.endpoint.url
        assert one.endpoint.token != other.endpoint.token
        assert _embedded.stop()
        assert _embedded.status(tmp_path / "2") == other.endpoint


async def test_what_is_stored_stays(folder: Folder) -> None:
    async with await _embedded.acquire() as hold:
        client = await nats.connect(hold.endpoint.url, token=hold.endpoint.token)
        await client.jetstream().add_stream(name="kept", subjects=["kept"])
        await client.jetstream().publish("kept", b"bytes")
        await client.close()
        assert any(hold.endpoint.store_dir.rglob("*.blk"))
    async with await _embedded.acquire() as hold:
        client = await nats.connect(hold.endpoint.url, token=hold.endpoint.token)
        assert (await client.jetstream().get_msg("kept", 1)).data == b"bytes"
        await client.close()


async def test_stop_and_status(folder: Folder, start: Callable[..., User]) -> None:
    assert _embedded.status() is None
    assert _embedded.stop() is False
    assert not folder.path.exists()
    pid = start().holds()
    assert _embedded.stop() is True
    assert not is_running(pid)
    assert _embedded.stop() is False
    async with await _embedded.acquire() as hold:
        assert hold.endpoint.pid != pid


def test_a_process_that_ends_without_a_word_releases(start: Callable[..., User]) -> None:
    user = start(
        "import asyncio\n"
        "from jetstow import embedded\n"
        "print(asyncio.run(embedded.acquire()).endpoint.pid)\n"
    )
    pid = user.holds()
    user.leave()
    assert not is_running(pid)


def test_a_forked_child_releases_nothing(start: Callable[..., User]) -> None:
    user = start(
        "import asyncio, os\n"
        "from jetstow import embedded\n"
        "hold = asyncio.run(embedded.acquire())\n"
        "if child := os.fork():\n"
        "    os.waitpid(child, 0)\n"
        "    print(embedded.status() == hold.endpoint)\n"
        "else:\n"
        "    hold.release()\n"  # and at its exit, once more
    )
    assert user.says() == "True"
    user.leave()
    assert _embedded.status() is None


# -- who may know, who may read -------------------------------------------------------------


async def test_the_token_is_nowhere_but_in_its_file(folder: Folder) -> None:
    async with await _embedded.acquire() as hold:
        token = hold.endpoint.token
        assert re.fullmatch(r"nats://127\.0\.0\.1:\d+", hold.endpoint.url)
        assert token not in repr(hold)
        of_server = Path(f"/proc/{hold.endpoint.pid}")
        for file in (of_server / "cmdline", of_server / "environ", folder.log):
            assert token.encode() not in file.read_bytes(), file
        holders = [path for path in folder.path.rglob("*") if path.is_file()
                   and token.encode() in path.read_bytes()]  # fmt: skip
        assert holders == [folder.config]


async def test_without_the_token_nobody_comes_in(folder: Folder) -> None:
    async with await _embedded.acquire() as hold:
        for token in (None, "another"):
            client = Client()
            with pytest.raises(nats.errors.Error, match="Authorization Violation"):
                await client.connect(hold.endpoint.url, token=token, allow_reconnect=False)
            await client.close()


async def test_modes(folder: Folder) -> None:
    async with await _embedded.acquire():
        paths = [folder.path, *folder.path.rglob("*")]
        modes = {path: path.stat().st_mode & 0o777 for path in paths}
        assert {mode for path, mode in modes.items() if path.is_dir()} == {0o700}
        assert not {path for path, mode in modes.items() if path.is_file() and mode & 0o077}
        assert modes[folder.config] == 0o600


async def test_the_server_has_a_life_of_its_own(folder: Folder) -> None:
    async with await _embedded.acquire() as hold:
        # Ctrl-C goes to the terminal's session,
        assert os.getsid(hold.endpoint.pid) == hold.endpoint.pid
        # and of all files that were open when it was started, it has one lock.
        links = {file.readlink() for file in Path(f"/proc/{hold.endpoint.pid}/fd").iterdir()}
        inside = {link for link in links if folder.path in link.parents}
        assert inside == {folder.server, folder.log}
        assert Path("/dev/null") in links
