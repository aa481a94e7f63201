"""The embedded server between processes: real ones, each test with a home of its own."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from threading import Thread
from typing import Self

import nats
import pytest
from nats.aio.client import Client

from jetstow import embedded
from jetstow.embedded import binary, process, server
from jetstow.embedded.folder import Folder
from jetstow.errors import EmbeddedServerError

# A user of the server in a process of its own: says the server's pid, leaves at the end of
# its input.
USER = """
import asyncio, sys
from jetstow import embedded

async def main():
    async with await embedded.acquire() as hold:
        print(hold.endpoint.pid, flush=True)
        await asyncio.to_thread(sys.stdin.read)

asyncio.run(main())
"""


class User:
    def __init__(self, code: str = USER) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def says(self) -> str:
        """What it prints next."""
        assert self._process.stdout
        return self._process.stdout.readline().strip()

    def holds(self) -> int:
        """The pid of its server, once it has one."""
        return int(self.says())

    def leave(self) -> str:
        return self._process.communicate()[0]

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Folder]:
    """A home that no test has used, for this process and for those it starts."""
    monkeypatch.setenv("JETSTOW_HOME", str(tmp_path / "home"))
    monkeypatch.delenv(binary.OVERRIDE, raising=False)
    yield Folder(tmp_path / "home")
    monkeypatch.delenv(binary.OVERRIDE, raising=False)
    embedded.stop(tmp_path / "home")


@pytest.fixture
def start(folder: Folder) -> Iterator[Callable[..., User]]:
    """Starts a user; those that are still there in the end are killed."""
    with ExitStack() as stack:
        yield lambda code=USER: stack.enter_context(User(code))


@pytest.fixture
async def orphan(folder: Folder) -> embedded.Endpoint:
    """A server that serves nobody: those it served were killed."""
    with User() as user:
        user.holds()
    running = embedded.status()
    assert running is not None
    return running


@pytest.fixture
def impostor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Puts a shell script in the place of the server; `$SERVER` is the true one."""

    def replace(script: str) -> None:
        path = tmp_path / "impostor"
        path.write_text(f"#!/bin/sh\nSERVER={binary.find()}\n{script}\n")
        path.chmod(0o755)
        monkeypatch.setenv(binary.OVERRIDE, str(path))

    return replace


def is_running(pid: int) -> bool:
    """Whether the process lives: a zombie, which waits for its parent, does not."""
    try:
        return b") Z " not in Path(f"/proc/{pid}/stat").read_bytes()
    except FileNotFoundError:
        return False


# -- coming and going --------------------------------------------------------------------


def test_the_first_starts_it_and_the_last_stops_it(start: Callable[..., User]) -> None:
    first = start()
    pid = first.holds()
    second, third = start(), start()
    assert second.holds() == third.holds() == pid
    for user in (first, second):
        user.leave()
        running = embedded.status()
        assert running is not None
        assert running.pid == pid
    third.leave()
    assert embedded.status() is None
    assert not is_running(pid)


def test_processes_that_start_together_share_one(start: Callable[..., User]) -> None:
    users = [start() for _ in range(4)]
    assert len({user.holds() for user in users}) == 1


async def test_processes_that_come_and_go_never_miss_it(folder: Folder) -> None:
    # The last one out stops the server at the very moment when the next one comes.
    async def use() -> None:
        for _ in range(5):
            async with await embedded.acquire() as hold:
                client = await nats.connect(hold.endpoint.url, token=hold.endpoint.token)
                await client.jetstream().account_info()
                await client.close()

    await asyncio.gather(*(use() for _ in range(3)))
    assert not process.alive(folder)


async def test_several_holds_in_one_process(folder: Folder) -> None:
    first, second = await embedded.acquire(), await embedded.acquire()
    assert first.endpoint == second.endpoint
    await first.arelease()
    first.release()
    assert embedded.status() == second.endpoint
    releasing = [Thread(target=second.release) for _ in range(4)]
    for thread in releasing:
        thread.start()
    for thread in releasing:
        thread.join()
    assert embedded.status() is None


async def test_two_homes_are_two_servers(folder: Folder, tmp_path: Path) -> None:
    async with await embedded.acquire() as one, await embedded.acquire(tmp_path / "2") as other:
        assert one.endpoint.url != other.endpoint.url
        assert one.endpoint.token != other.endpoint.token
        assert embedded.stop()
        assert embedded.status(tmp_path / "2") == other.endpoint


async def test_what_is_stored_stays(folder: Folder) -> None:
    async with await embedded.acquire() as hold:
        client = await nats.connect(hold.endpoint.url, token=hold.endpoint.token)
        await client.jetstream().add_stream(name="kept", subjects=["kept"])
        await client.jetstream().publish("kept", b"bytes")
        await client.close()
        assert any(hold.endpoint.store_dir.rglob("*.blk"))
    async with await embedded.acquire() as hold:
        client = await nats.connect(hold.endpoint.url, token=hold.endpoint.token)
        assert (await client.jetstream().get_msg("kept", 1)).data == b"bytes"
        await client.close()


async def test_stop_and_status(folder: Folder, start: Callable[..., User]) -> None:
    assert embedded.status() is None
    assert embedded.stop() is False
    assert not folder.path.exists()
    pid = start().holds()
    assert embedded.stop() is True
    assert not is_running(pid)
    assert embedded.stop() is False
    async with await embedded.acquire() as hold:
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
    assert embedded.status() is None


# -- killed ------------------------------------------------------------------------------


def test_a_killed_owner_leaves_a_server_to_join(start: Callable[..., User]) -> None:
    owner = start()
    pid = owner.holds()
    owner.kill()
    heir = start()
    assert heir.holds() == pid
    heir.leave()
    assert embedded.status() is None


async def test_a_killed_server_comes_back_where_it_was(folder: Folder) -> None:
    back = asyncio.Event()

    async def reconnected() -> None:
        back.set()

    async def silent(_: Exception) -> None: ...

    async with await embedded.acquire() as hold:
        client = await nats.connect(
            hold.endpoint.url, token=hold.endpoint.token, reconnect_time_wait=0.05,
            reconnected_cb=reconnected, error_cb=silent, max_reconnect_attempts=-1,
        )  # fmt: skip
        await client.jetstream().add_stream(name="kept", subjects=["kept"])
        os.kill(hold.endpoint.pid, signal.SIGKILL)
        async with await embedded.acquire() as another:
            assert another.endpoint.pid != hold.endpoint.pid
            assert another.endpoint.url == hold.endpoint.url
            await back.wait()
            assert (await client.jetstream().stream_info("kept")).config.name == "kept"
        # The older hold, too, is one in the new server.
        assert embedded.status() == another.endpoint
        await client.close()
    assert not process.alive(folder)


async def test_a_paused_server_is_replaced(
    folder: Folder, orphan: embedded.Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "ANSWER_SECONDS", 0.2)
    os.kill(orphan.pid, signal.SIGSTOP)
    assert embedded.status() is None
    async with await embedded.acquire() as hold:
        assert hold.endpoint.pid != orphan.pid
        assert not is_running(orphan.pid)


async def test_a_deleted_home_takes_its_server_along(folder: Folder) -> None:
    hold = await embedded.acquire()
    shutil.rmtree(folder.path)
    async with await embedded.acquire() as another:
        await hold.arelease()
        assert not is_running(hold.endpoint.pid)
        assert embedded.status() == another.endpoint


# -- files that lie -----------------------------------------------------------------------


@pytest.mark.parametrize("running", [True, False])
@pytest.mark.parametrize("text", ["", "garbage", "of a stranger"])
async def test_the_pid_file_is_not_believed(
    folder: Folder, orphan: embedded.Endpoint, text: str, running: bool
) -> None:
    if not running:
        os.kill(orphan.pid, signal.SIGKILL)
    with subprocess.Popen(["sleep", "600"]) as stranger:
        folder.pid_file.write_text(str(stranger.pid) if text == "of a stranger" else text)
        async with await embedded.acquire() as hold:
            assert (hold.endpoint.pid == orphan.pid) is running
        assert not process.alive(folder)
        assert stranger.poll() is None
        stranger.kill()


@pytest.mark.parametrize("running", [True, False])
@pytest.mark.parametrize("damage", ["", "{", "another token"])
async def test_a_damaged_configuration_is_replaced(
    folder: Folder, orphan: embedded.Endpoint, damage: str, running: bool
) -> None:
    if not running:
        os.kill(orphan.pid, signal.SIGKILL)
    intact = folder.config.read_text()
    damaged = intact.replace(orphan.token, "x") if damage == "another token" else damage
    folder.config.write_text(damaged)
    async with await embedded.acquire() as hold:
        assert hold.endpoint.pid != orphan.pid
        assert not is_running(orphan.pid)


async def test_a_server_in_use_is_not_replaced(folder: Folder, start: Callable[..., User]) -> None:
    pid = start().holds()
    folder.config.write_text("garbage")
    with pytest.raises(EmbeddedServerError, match="in use by other processes, but .* is damaged"):
        await embedded.acquire()
    assert is_running(pid)


async def test_a_port_that_somebody_took(folder: Folder, orphan: embedded.Endpoint) -> None:
    embedded.stop()
    with socket.create_server(("127.0.0.1", int(orphan.url.rpartition(":")[2]))) as taker:
        async with await embedded.acquire() as hold:
            assert hold.endpoint.url != orphan.url
        # It was not even asked, and so did not hear the token.
        taker.setblocking(False)
        with pytest.raises(BlockingIOError):
            taker.accept()


# -- who may know, who may read -------------------------------------------------------------


async def test_the_token_is_nowhere_but_in_its_file(folder: Folder) -> None:
    async with await embedded.acquire() as hold:
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
    async with await embedded.acquire() as hold:
        for token in (None, "another"):
            client = Client()
            with pytest.raises(nats.errors.Error, match="Authorization Violation"):
                await client.connect(hold.endpoint.url, token=token, allow_reconnect=False)
            await client.close()


async def test_modes(folder: Folder) -> None:
    async with await embedded.acquire():
        paths = [folder.path, *folder.path.rglob("*")]
        modes = {path: path.stat().st_mode & 0o777 for path in paths}
        assert {mode for path, mode in modes.items() if path.is_dir()} == {0o700}
        assert not {path for path, mode in modes.items() if path.is_file() and mode & 0o077}
        assert modes[folder.config] == 0o600


async def test_the_server_has_a_life_of_its_own(folder: Folder) -> None:
    async with await embedded.acquire() as hold:
        # Ctrl-C goes to the terminal's session,
        assert os.getsid(hold.endpoint.pid) == hold.endpoint.pid
        # and of all files that were open when it was started, it has one lock.
        links = {file.readlink() for file in Path(f"/proc/{hold.endpoint.pid}/fd").iterdir()}
        inside = {link for link in links if folder.path in link.parents}
        assert inside == {folder.server, folder.log}
        assert Path("/dev/null") in links


# -- what cannot be --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo oh dear >&2; exit 1", "ended while starting: oh dear"),
        ("exit 0", "ended while starting: it said nothing"),
        (
            'sed -i \'s/"store_dir": .*",/"store_dir": "\\/proc\\/x",/\' ${1#*=}; exec $SERVER "$@"',
            "could not create storage directory",
        ),
        (
            'sed -i \'s/"sync_interval": "always"/"enabled": false/\' ${1#*=}; exec $SERVER "$@"',
            "was started, but it runs without JetStream",
        ),
    ],
)
async def test_a_server_that_does_not_start(
    folder: Folder, impostor: Callable[[str], None], script: str, words: str
) -> None:
    impostor(script)
    with pytest.raises(EmbeddedServerError, match=words) as caught:
        await embedded.acquire()
    told = folder.settings()
    assert told
    assert told.token not in str(caught.value)
    assert not process.alive(folder)


async def test_no_binary_and_not_one(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(binary.OVERRIDE, "/missing")
    with pytest.raises(EmbeddedServerError, match="names no executable: /missing"):
        await embedded.acquire()
    (tmp_path / "garbage").write_bytes(b"\x7fELF")
    (tmp_path / "garbage").chmod(0o755)
    monkeypatch.setenv(binary.OVERRIDE, str(tmp_path / "garbage"))
    with pytest.raises(EmbeddedServerError, match="Exec format error"):
        await embedded.acquire()
    assert not process.alive(folder)


@pytest.mark.parametrize("home", ["a file", "a file/inside", "/proc/jetstow", "/dev/null/x"])
async def test_a_home_that_cannot_be_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a file").touch()
    with pytest.raises(EmbeddedServerError, match="cannot use .*: "):
        await embedded.acquire(Path(home))


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
    acquiring = asyncio.create_task(embedded.acquire())
    pid = int(await asyncio.to_thread((tmp_path / "started").read_text))
    acquiring.cancel()
    with pytest.raises(asyncio.CancelledError):
        await acquiring
    assert not is_running(pid)
    assert not process.alive(folder)
    assert embedded.stop() is False


async def test_a_cancelled_wait_for_another_start(
    folder: Folder, impostor: Callable[[str], None], tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "started")
    impostor(f"echo . > {tmp_path / 'started'}; exec sleep 600")
    starting = asyncio.create_task(embedded.acquire())
    await asyncio.to_thread((tmp_path / "started").read_text)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(embedded.acquire(), 0.01)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting


async def test_cancelled_at_any_moment(folder: Folder) -> None:
    for moment in range(12):
        acquiring = asyncio.create_task(embedded.acquire())
        await asyncio.wait([acquiring], timeout=moment * 0.005)
        acquiring.cancel()
        try:
            (await acquiring).release()
        except asyncio.CancelledError:
            pass
        assert not process.alive(folder)
