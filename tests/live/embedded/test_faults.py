"""The embedded server after kills, with wrong files, with failing starts, and cancellations."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import nats
import pytest

from jetstow import _embedded
from jetstow._embedded import locate, process, server
from jetstow._embedded.file_lock import FileLock
from jetstow._embedded.home_dir import HomeDir
from jetstow.errors import EmbeddedServerError
from tests.live.embedded.processes import ChildProcess, ends, is_running, is_stopped

# -- kills -------------------------------------------------------------------------------


def test_server_of_a_killed_process_is_joined(start: Callable[..., ChildProcess]) -> None:
    owner = start()
    pid = owner.server_pid()
    owner.kill()
    other = start()
    assert other.server_pid() == pid
    other.finish()
    assert _embedded.status() is None


async def test_process_killed_while_it_starts_the_server(
    start: Callable[..., ChildProcess], replace_binary: Callable[[str], None], tmp_path: Path
) -> None:
    started, proceed = tmp_path / "started", tmp_path / "proceed"
    os.mkfifo(started)
    os.mkfifo(proceed)
    replace_binary(f'echo $$ > "{started}"; read _ < "{proceed}"; exec $SERVER $1')
    owner = start()
    pid = int(await asyncio.to_thread(started.read_text))
    owner.kill()
    acquire = asyncio.create_task(_embedded.acquire())
    await asyncio.to_thread(proceed.write_text, "\n")
    async with await acquire as lease:
        assert lease.endpoint.pid == pid


async def test_killed_server_is_restarted_at_the_same_url(home: HomeDir) -> None:
    reconnected = asyncio.Event()

    async def on_reconnect() -> None:
        reconnected.set()

    async def ignore(_: Exception) -> None: ...

    async with await _embedded.acquire() as lease:
        client = await nats.connect(
            lease.endpoint.url, token=lease.endpoint.token, reconnect_time_wait=0.05,
            reconnected_cb=on_reconnect, error_cb=ignore, max_reconnect_attempts=-1,
        )  # fmt: skip
        await client.jetstream().add_stream(name="stored", subjects=["stored"])
        os.kill(lease.endpoint.pid, signal.SIGKILL)
        async with await _embedded.acquire() as second:
            assert second.endpoint.pid != lease.endpoint.pid
            assert second.endpoint.url == lease.endpoint.url
            await reconnected.wait()
            assert (await client.jetstream().stream_info("stored")).config.name == "stored"
        # The first lease also keeps the new server running.
        assert _embedded.status() == second.endpoint
        await client.close()
    assert not process.is_alive(home)


async def test_stopped_server_process_is_replaced(
    home: HomeDir, orphan: _embedded.Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "REPLY_TIMEOUT", 0.2)
    os.kill(orphan.pid, signal.SIGSTOP)
    while not is_stopped(orphan.pid):  # the signal takes effect later
        await asyncio.sleep(0.01)
    assert _embedded.status() is None
    async with await _embedded.acquire() as lease:
        assert lease.endpoint.pid != orphan.pid
        assert ends(orphan.pid)


async def test_server_of_a_deleted_home_is_killed(home: HomeDir) -> None:
    first, second = await _embedded.acquire(), await _embedded.acquire()
    shutil.rmtree(home.path)
    async with await _embedded.acquire() as new:
        await first.arelease()
        assert is_running(first.endpoint.pid)
        await second.arelease()
        assert ends(first.endpoint.pid)
        assert _embedded.status() == new.endpoint


# -- wrong files --------------------------------------------------------------------------


@pytest.mark.parametrize("running", [True, False])
@pytest.mark.parametrize("text", ["", "garbage", "other process"])
async def test_wrong_pid_file(
    home: HomeDir, orphan: _embedded.Endpoint, text: str, running: bool
) -> None:
    if not running:
        os.kill(orphan.pid, signal.SIGKILL)
    with subprocess.Popen(["sleep", "600"]) as other:
        home.pid_file.write_text(str(other.pid) if text == "other process" else text)
        async with await _embedded.acquire() as lease:
            assert (lease.endpoint.pid == orphan.pid) is running
        assert not process.is_alive(home)
        assert other.poll() is None
        other.kill()


@pytest.mark.parametrize("running", [True, False])
@pytest.mark.parametrize("damage", ["", "{", "another token"])
async def test_damaged_configuration_is_replaced(
    home: HomeDir, orphan: _embedded.Endpoint, damage: str, running: bool
) -> None:
    if not running:
        os.kill(orphan.pid, signal.SIGKILL)
    intact = home.config_file.read_text()
    damaged = intact.replace(orphan.token, "x") if damage == "another token" else damage
    home.config_file.write_text(damaged)
    async with await _embedded.acquire() as lease:
        assert lease.endpoint.pid != orphan.pid
        assert ends(orphan.pid)


async def test_server_in_use_is_not_replaced(
    home: HomeDir, start: Callable[..., ChildProcess]
) -> None:
    pid = start().server_pid()
    home.config_file.write_text("garbage")
    with pytest.raises(EmbeddedServerError, match=r"in use by other processes, but .* is damaged"):
        await _embedded.acquire()
    assert is_running(pid)


async def test_server_in_another_container(home: HomeDir, monkeypatch: pytest.MonkeyPatch) -> None:
    """Containers can share a home, but do not see each other's processes."""
    monkeypatch.setattr(server, "REPLY_TIMEOUT", 0.2)
    monkeypatch.setattr(process, "TERM_TIMEOUT", 0.1)
    monkeypatch.setattr(process, "KILL_TIMEOUT", 0.1)
    home.create()
    with FileLock(home.server_lock) as server_lock, FileLock(home.users_lock) as users_lock:
        assert server_lock.try_exclusive()
        assert users_lock.try_shared()
        with pytest.raises(EmbeddedServerError, match="other processes, but its process is not"):
            await _embedded.acquire()
        users_lock.close()
        with pytest.raises(EmbeddedServerError, match="cannot be stopped: its process is not"):
            await _embedded.acquire()


async def test_port_taken_by_another_program(home: HomeDir, orphan: _embedded.Endpoint) -> None:
    _embedded.stop()
    with socket.create_server(("127.0.0.1", int(orphan.url.rpartition(":")[2]))) as listener:
        async with await _embedded.acquire() as lease:
            assert lease.endpoint.url != orphan.url
        # No connection was attempted, so the token was not sent.
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            listener.accept()


# -- failing starts --------------------------------------------------------------------------


# The real server with a changed configuration.
EDIT_CONFIG = "sed -i '{}' ${{1#--config=}}; exec $SERVER $1"


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo oh dear >&2; exit 1", "exited during its start: oh dear"),
        ("exit 0", "exited during its start: its log has no error"),
        (
            EDIT_CONFIG.format(r's|"store_dir": ".*"|"store_dir": "/proc/x"|'),
            "create storage directory",
        ),
        (
            EDIT_CONFIG.format(r's|"sync_interval": "always"|"enabled": false|'),
            "JetStream is not enabled",
        ),
    ],
)
async def test_server_that_does_not_start(
    home: HomeDir, replace_binary: Callable[[str], None], script: str, reason: str
) -> None:
    replace_binary(script)
    with pytest.raises(EmbeddedServerError, match=reason) as caught:
        await _embedded.acquire()
    settings = home.read_settings()
    assert settings
    assert settings.token not in str(caught.value)
    assert not process.is_alive(home)


async def test_missing_and_invalid_binary(
    home: HomeDir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(locate.BINARY_VARIABLE, "/missing")
    with pytest.raises(EmbeddedServerError, match="is not an executable file: /missing"):
        await _embedded.acquire()
    (tmp_path / "garbage").write_bytes(b"\x7fELF")
    (tmp_path / "garbage").chmod(0o755)
    monkeypatch.setenv(locate.BINARY_VARIABLE, str(tmp_path / "garbage"))
    with pytest.raises(EmbeddedServerError, match="Exec format error"):
        await _embedded.acquire()
    assert not process.is_alive(home)


@pytest.mark.parametrize("path", ["a file", "a file/inside", "/proc/jetstow", "/dev/null/x"])
async def test_home_that_cannot_be_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a file").touch()
    with pytest.raises(EmbeddedServerError, match=r"cannot use .*: .*; set JETSTOW_HOME"):
        await _embedded.acquire(Path(path))


def test_file_size_limit(home: HomeDir, start: Callable[..., ChildProcess]) -> None:
    child = start(
        "import asyncio, resource\n"
        "from jetstow import _embedded, errors\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n"
        "try:\n"
        "    asyncio.run(_embedded.acquire())\n"
        "except errors.EmbeddedServerError as error:\n"
        "    print(error)\n"
    )
    assert child.read_line() == (
        f"the embedded server cannot use {home.path}: File too large; "
        "set JETSTOW_HOME to use another folder"
    )


# -- cancellation ----------------------------------------------------------------------------


async def test_cancelled_start_stops_the_server(
    home: HomeDir, replace_binary: Callable[[str], None], tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "started")
    replace_binary(f"echo $$ > {tmp_path / 'started'}; exec sleep 600")
    acquire = asyncio.create_task(_embedded.acquire())
    pid = int(await asyncio.to_thread((tmp_path / "started").read_text))
    acquire.cancel()
    with pytest.raises(asyncio.CancelledError):
        await acquire
    assert ends(pid)
    assert not process.is_alive(home)
    assert _embedded.stop() is False


async def test_cancelled_wait_for_a_concurrent_start(
    home: HomeDir, replace_binary: Callable[[str], None], tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "started")
    replace_binary(f"echo . > {tmp_path / 'started'}; exec sleep 600")
    first = asyncio.create_task(_embedded.acquire())
    await asyncio.to_thread((tmp_path / "started").read_text)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(_embedded.acquire(), 0.01)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_cancellation_after_any_delay(home: HomeDir) -> None:
    for step in range(12):
        acquire = asyncio.create_task(_embedded.acquire())
        await asyncio.wait([acquire], timeout=step * 0.005)
        acquire.cancel()
        with suppress(asyncio.CancelledError):
            (await acquire).release()
        assert not process.is_alive(home)
