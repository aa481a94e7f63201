"""The embedded server between processes: started once, shared, stopped, and protected."""

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
from jetstow._embedded.home_dir import HomeDir
from tests.live.embedded.processes import ChildProcess, ends

# -- start and stop ----------------------------------------------------------------------


def test_first_process_starts_and_last_process_stops(start: Callable[..., ChildProcess]) -> None:
    first = start()
    pid = first.server_pid()
    second, third = start(), start()
    assert second.server_pid() == third.server_pid() == pid
    for child in (first, second):
        child.finish()
        endpoint = _embedded.status()
        assert endpoint is not None
        assert endpoint.pid == pid
    third.finish()
    assert _embedded.status() is None
    assert ends(pid)


def test_concurrent_starts_share_one_server(start: Callable[..., ChildProcess]) -> None:
    children = [start() for _ in range(4)]
    assert len({child.server_pid() for child in children}) == 1


async def test_concurrent_acquires_and_releases(home: HomeDir) -> None:
    """The last lease may be released, which stops the server, while another is acquired."""

    async def use() -> None:
        for _ in range(5):
            async with await _embedded.acquire() as lease:
                client = await nats.connect(lease.endpoint.url, token=lease.endpoint.token)
                await client.jetstream().account_info()
                await client.close()

    await asyncio.gather(*(use() for _ in range(3)))
    assert not process.is_alive(home)


async def test_several_leases_in_one_process(home: HomeDir) -> None:
    first, second = await _embedded.acquire(), await _embedded.acquire()
    assert first.endpoint == second.endpoint
    await first.arelease()
    first.release()
    assert _embedded.status() == second.endpoint
    threads = [Thread(target=second.release) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert _embedded.status() is None


async def test_two_homes_have_two_servers(home: HomeDir, tmp_path: Path) -> None:
    async with await _embedded.acquire() as one, await _embedded.acquire(tmp_path / "2") as other:
        assert one.endpoint.url != other.endpoint.url
        assert one.endpoint.token != other.endpoint.token
        assert _embedded.stop()
        assert _embedded.status(tmp_path / "2") == other.endpoint


async def test_data_survives_a_restart(home: HomeDir) -> None:
    async with await _embedded.acquire() as lease:
        client = await nats.connect(lease.endpoint.url, token=lease.endpoint.token)
        await client.jetstream().add_stream(name="stored", subjects=["stored"])
        await client.jetstream().publish("stored", b"bytes")
        await client.close()
        assert any(lease.endpoint.store_dir.rglob("*.blk"))
    async with await _embedded.acquire() as lease:
        client = await nats.connect(lease.endpoint.url, token=lease.endpoint.token)
        assert (await client.jetstream().get_msg("stored", 1)).data == b"bytes"
        await client.close()


async def test_stop_and_status(home: HomeDir, start: Callable[..., ChildProcess]) -> None:
    assert _embedded.status() is None
    assert _embedded.stop() is False
    assert not home.path.exists()
    pid = start().server_pid()
    assert _embedded.stop() is True
    assert ends(pid)
    assert _embedded.stop() is False
    async with await _embedded.acquire() as lease:
        assert lease.endpoint.pid != pid


def test_process_exit_releases_the_lease(start: Callable[..., ChildProcess]) -> None:
    child = start(
        "import asyncio\n"
        "from jetstow import _embedded\n"
        "print(asyncio.run(_embedded.acquire()).endpoint.pid)\n"
    )
    pid = child.server_pid()
    child.finish()
    assert ends(pid)


def test_forked_child_does_not_release_the_lease(start: Callable[..., ChildProcess]) -> None:
    child = start(
        "import asyncio, os\n"
        "from jetstow import _embedded\n"
        "lease = asyncio.run(_embedded.acquire())\n"
        "if child := os.fork():\n"
        "    os.waitpid(child, 0)\n"
        "    print(_embedded.status() == lease.endpoint)\n"
        "else:\n"
        "    lease.release()\n"  # its exit handler releases it a second time
    )
    assert child.read_line() == "True"
    child.finish()
    assert _embedded.status() is None


# -- access ---------------------------------------------------------------------------------


async def test_token_is_only_in_the_configuration(home: HomeDir) -> None:
    async with await _embedded.acquire() as lease:
        token = lease.endpoint.token
        assert re.fullmatch(r"nats://127\.0\.0\.1:\d+", lease.endpoint.url)
        assert token not in repr(lease)
        process_dir = Path(f"/proc/{lease.endpoint.pid}")
        for file in (process_dir / "cmdline", process_dir / "environ", home.log_file):
            assert token.encode() not in file.read_bytes(), file
        with_token = [path for path in home.path.rglob("*") if path.is_file()
                      and token.encode() in path.read_bytes()]  # fmt: skip
        assert with_token == [home.config_file]


async def test_connection_without_the_token_is_refused(home: HomeDir) -> None:
    async with await _embedded.acquire() as lease:
        for token in (None, "another"):
            client = Client()
            with pytest.raises(nats.errors.Error, match="Authorization Violation"):
                await client.connect(lease.endpoint.url, token=token, allow_reconnect=False)
            await client.close()


async def test_file_modes(home: HomeDir) -> None:
    async with await _embedded.acquire():
        paths = [home.path, *home.path.rglob("*")]
        modes = {path: path.stat().st_mode & 0o777 for path in paths}
        assert {mode for path, mode in modes.items() if path.is_dir()} == {0o700}
        assert not {path for path, mode in modes.items() if path.is_file() and mode & 0o077}
        assert modes[home.config_file] == 0o600


async def test_server_has_its_own_session_and_files(home: HomeDir) -> None:
    async with await _embedded.acquire() as lease:
        # Ctrl-C signals the processes of the terminal's session.
        assert os.getsid(lease.endpoint.pid) == lease.endpoint.pid
        # Of the files that were open when it was started, it inherits one lock.
        links = {file.readlink() for file in Path(f"/proc/{lease.endpoint.pid}/fd").iterdir()}
        home_files = {link for link in links if home.path in link.parents}
        assert home_files == {home.server_lock, home.log_file}
        assert Path("/dev/null") in links
