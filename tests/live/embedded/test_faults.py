"""The embedded server when processes are killed, files lie, nothing works, or nobody waits."""

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
from jetstow._embedded.home_dir import Folder
from jetstow.errors import EmbeddedServerError
from tests.live.embedded.processes import User, is_running

# -- killed ------------------------------------------------------------------------------


def test_a_killed_owner_leaves_a_server_to_join(start: Callable[..., User]) -> None:
    owner = start()
    pid = owner.holds()
    owner.kill()
    heir = start()
    assert heir.holds() == pid
    heir.leave()
    assert _embedded.status() is None


async def test_an_owner_killed_while_it_starts_the_server(
    start: Callable[..., User], impostor: Callable[[str], None], tmp_path: Path
) -> None:
    started, go_on = tmp_path / "started", tmp_path / "go on"
    os.mkfifo(started)
    os.mkfifo(go_on)
    impostor(f'echo $$ > "{started}"; read _ < "{go_on}"; exec $SERVER $1')
    owner = start()
    pid = int(await asyncio.to_thread(started.read_text))
    owner.kill()
    joining = asyncio.create_task(_embedded.acquire())
    await asyncio.to_thread(go_on.write_text, "\n")
    async with await joining as hold:
        assert hold.endpoint.pid == pid


async def test_a_killed_server_comes_back_where_it_was(folder: Folder) -> None:
    back = asyncio.Event()

    async def reconnected() -> None:
        back.set()

    async def silent(_: Exception) -> None: ...

    async with await _embedded.acquire() as hold:
        client = await nats.connect(
            hold.endpoint.url, token=hold.endpoint.token, reconnect_time_wait=0.05,
            reconnected_cb=reconnected, error_cb=silent, max_reconnect_attempts=-1,
        )  # fmt: skip
        await client.jetstream().add_stream(name="kept", subjects=["kept"])
        os.kill(hold.endpoint.pid, signal.SIGKILL)
        async with await _embedded.acquire() as another:
            assert another.endpoint.pid != hold.endpoint.pid
            assert another.endpoint.url == hold.endpoint.url
            await back.wait()
            assert (await client.jetstream().stream_info("kept")).config.name == "kept"
        # The older hold, too, is one in the new server.
        assert _embedded.status() == another.endpoint
        await client.close()
    assert not process.alive(folder)


async def test_a_paused_server_is_replaced(
    folder: Folder, orphan: _embedded.Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "ANSWER_SECONDS", 0.2)
    os.kill(orphan.pid, signal.SIGSTOP)
    assert _embedded.status() is None
    async with await _embedded.acquire() as hold:
        assert hold.endpoint.pid != orphan.pid
        assert not is_running(orphan.pid)


async def test_a_deleted_home_takes_its_server_along(folder: Folder) -> None:
    hold, second = await _embedded.acquire(), await _embedded.acquire()
    shutil.rmtree(folder.path)
    async with await _embedded.acquire() as another:
        await hold.arelease()
        assert is_running(hold.endpoint.pid)
        await second.arelease()
        assert not is_running(hold.endpoint.pid)
        assert _embedded.status() == another.endpoint


# -- files that lie -----------------------------------------------------------------------


@pytest.mark.parametrize("running", [True, False])
@pytest.mark.parametrize("text", ["", "garbage", "of a stranger"])
async def test_the_pid_file_is_not_believed(
    folder: Folder, orphan: _embedded.Endpoint, text: str, running: bool
) -> None:
    if not running:
        os.kill(orphan.pid, signal.SIGKILL)
    with subprocess.Popen(["sleep", "600"]) as stranger:
        folder.pid_file.write_text(str(stranger.pid) if text == "of a stranger" else text)
        async with await _embedded.acquire() as hold:
            assert (hold.endpoint.pid == orphan.pid) is running
        assert not process.alive(folder)
        assert stranger.poll() is None
        stranger.kill()


@pytest.mark.parametrize("running", [True, False])
@pytest.mark.parametrize("damage", ["", "{", "another token"])
async def test_a_damaged_configuration_is_replaced(
    folder: Folder, orphan: _embedded.Endpoint, damage: str, running: bool
) -> None:
    if not running:
        os.kill(orphan.pid, signal.SIGKILL)
    intact = folder.config.read_text()
    damaged = intact.replace(orphan.token, "x") if damage == "another token" else damage
    folder.config.write_text(damaged)
    async with await _embedded.acquire() as hold:
        assert hold.endpoint.pid != orphan.pid
        assert not is_running(orphan.pid)


async def test_a_server_in_use_is_not_replaced(folder: Folder, start: Callable[..., User]) -> None:
    pid = start().holds()
    folder.config.write_text("garbage")
    with pytest.raises(EmbeddedServerError, match=r"in use by others, but .* is damaged"):
        await _embedded.acquire()
    assert is_running(pid)


async def test_a_server_that_is_not_to_be_seen(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As when containers share a home, but not their processes.
    monkeypatch.setattr(server, "ANSWER_SECONDS", 0.2)
    monkeypatch.setattr(process, "TERM_SECONDS", 0.1)
    monkeypatch.setattr(process, "KILL_SECONDS", 0.1)
    folder.prepare()
    with FileLock(folder.server) as elsewhere, FileLock(folder.users) as user:
        assert elsewhere.try_exclusive()
        assert user.try_shared()
        with pytest.raises(EmbeddedServerError, match="in use by others, but its process is not"):
            await _embedded.acquire()
        user.close()
        with pytest.raises(EmbeddedServerError, match="does not stop; its process is not to be"):
            await _embedded.acquire()


async def test_a_port_that_somebody_took(folder: Folder, orphan: _embedded.Endpoint) -> None:
    _embedded.stop()
    with socket.create_server(("127.0.0.1", int(orphan.url.rpartition(":")[2]))) as taker:
        async with await _embedded.acquire() as hold:
            assert hold.endpoint.url != orphan.url
        # It was not even asked, and so did not hear the token.
        taker.setblocking(False)
        with pytest.raises(BlockingIOError):
            taker.accept()


# -- what cannot be --------------------------------------------------------------------------


# The true server, with another configuration than it was given.
EDITED = "sed -i '{}' ${{1#--config=}}; exec $SERVER $1"


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo oh dear >&2; exit 1", "ended while starting: oh dear"),
        ("exit 0", "ended while starting: it said nothing"),
        (EDITED.format(r's|"store_dir": ".*"|"store_dir": "/proc/x"|'), "create storage directory"),
        (EDITED.format(r's|"sync_interval": "always"|"enabled": false|'), "without JetStream"),
    ],
)
async def test_a_server_that_does_not_start(
    folder: Folder, impostor: Callable[[str], None], script: str, words: str
) -> None:
    impostor(script)
    with pytest.raises(EmbeddedServerError, match=words) as caught:
        await _embedded.acquire()
    told = folder.settings()
    assert told
    assert told.token not in str(caught.value)
    assert not process.alive(folder)


async def test_no_binary_and_not_one(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(locate.OVERRIDE, "/missing")
    with pytest.raises(EmbeddedServerError, match="names no executable: /missing"):
        await _embedded.acquire()
    (tmp_path / "garbage").write_bytes(b"\x7fELF")
    (tmp_path / "garbage").chmod(0o755)
    monkeypatch.setenv(locate.OVERRIDE, str(tmp_path / "garbage"))
    with pytest.raises(EmbeddedServerError, match="Exec format error"):
        await _embedded.acquire()
    assert not process.alive(folder)


@pytest.mark.parametrize("home", ["a file", "a file/inside", "/proc/jetstow", "/dev/null/x"])
async def test_a_home_that_cannot_be_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a file").touch()
    with pytest.raises(EmbeddedServerError, match=r"cannot use .*: "):
        await _embedded.acquire(Path(home))


def test_a_disk_that_takes_no_more(folder: Folder, start: Callable[..., User]) -> None:
    user = start(
        "import asyncio, resource\n"
        "from jetstow import embedded, errors\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n"
        "try:\n"
        "    asyncio.run(embedded.acquire())\n"
        "except errors.EmbeddedServerError as error:\n"
        "    print(error)\n"
    )
    assert user.says() == f"the embedded server cannot use {folder.path}: File too large"


# -- cancelled -------------------------------------------------------------------------------


async def test_a_cancelled_start_leaves_nothing(
    folder: Folder, impostor: Callable[[str], None], tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "started")
    impostor(f"echo $$ > {tmp_path / 'started'}; exec sleep 600")
    acquiring = asyncio.create_task(_embedded.acquire())
    pid = int(await asyncio.to_thread((tmp_path / "started").read_text))
    acquiring.cancel()
    with pytest.raises(asyncio.CancelledError):
        await acquiring
    assert not is_running(pid)
    assert not process.alive(folder)
    assert _embedded.stop() is False


async def test_a_cancelled_wait_for_another_start(
    folder: Folder, impostor: Callable[[str], None], tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "started")
    impostor(f"echo . > {tmp_path / 'started'}; exec sleep 600")
    starting = asyncio.create_task(_embedded.acquire())
    await asyncio.to_thread((tmp_path / "started").read_text)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(_embedded.acquire(), 0.01)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting


async def test_cancelled_at_any_moment(folder: Folder) -> None:
    for moment in range(12):
        acquiring = asyncio.create_task(_embedded.acquire())
        await asyncio.wait([acquiring], timeout=moment * 0.005)
        acquiring.cancel()
        with suppress(asyncio.CancelledError):
            (await acquiring).release()
        assert not process.alive(folder)
