"""The home of the embedded server belongs to the user, or is refused.

A folder of another user with a planted `server.conf` gave that user the token of the server, which
could run as root.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest

import jetstow
from jetstow import _embedded
from jetstow._embedded import process
from jetstow._embedded.home_dir import HomeDir
from jetstow.errors import EmbeddedServerError

NOBODY = 65534
FILES = (
    "server.conf", "server.pid", "server.log", "gate.lock", "users.lock", "server.lock",
    "nats-server_7.ports",
)  # fmt: skip

GiveAway = Callable[[Path], None]


@pytest.fixture
def give_away(monkeypatch: pytest.MonkeyPatch) -> GiveAway:
    """Give a file to another user; if the tests do not run as root, become another user."""

    def give_away(path: Path) -> None:
        if os.geteuid() == 0:
            os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
        else:
            monkeypatch.setattr(os, "geteuid", lambda: NOBODY)

    return give_away


@pytest.fixture
def home(tmp_path: Path) -> HomeDir:
    home = HomeDir(tmp_path / "home")
    home.create()
    home.write_config()
    for name in FILES[1:]:
        (home.path / name).touch(0o600)
    return home


def check_refused(home: HomeDir, problem: str) -> None:
    """Check that every function refuses the home, and that none has changed or started anything."""
    before = {path: path.lstat() for path in sorted(home.path.rglob("*"))}
    for use in (
        lambda: asyncio.run(_embedded.acquire(home.path)),
        lambda: _embedded.status(home.path),
        lambda: _embedded.stop(home.path),
    ):
        with pytest.raises(EmbeddedServerError) as caught:
            use()
        message = str(caught.value)
        assert f"cannot use {home.path}: " in message
        assert problem in message
        assert message.endswith("set JETSTOW_HOME to use another folder")
    assert {path: path.lstat() for path in sorted(home.path.rglob("*"))} == before
    assert process.find_pid(home) is None


def test_own_home(home: HomeDir) -> None:
    home.check()
    home.path.chmod(0o755)  # others may read the names of the files
    home.check()


@pytest.mark.parametrize("name", [".", "jetstream", *FILES])
def test_file_of_another_user(home: HomeDir, give_away: GiveAway, name: str) -> None:
    give_away(home.path / name)
    check_refused(home, "belongs to user")


@pytest.mark.parametrize("name", [".", "jetstream", *FILES])
@pytest.mark.parametrize("mode", [0o620, 0o602])
def test_file_that_others_may_write(home: HomeDir, name: str, mode: int) -> None:
    path = home.path / name
    path.chmod(mode | 0o100 if path.is_dir() else mode)
    check_refused(home, f"other users may write to {path}: run 'chmod go-w' on it")


@pytest.mark.parametrize("name", FILES)
def test_symbolic_link_in_place_of_a_file(home: HomeDir, tmp_path: Path, name: str) -> None:
    """The server would have written its log or its lock to a file of the author's choice."""
    target = tmp_path / "target"
    target.write_text("precious")
    (home.path / name).unlink()
    (home.path / name).symlink_to(target)
    check_refused(home, f"{home.path / name} is a symbolic link, not a file: remove it")
    assert target.read_text() == "precious"


def test_pipe_in_place_of_a_file(home: HomeDir) -> None:
    """Reading the configuration from a pipe would have waited forever."""
    home.config_file.unlink()
    os.mkfifo(home.config_file, 0o600)
    check_refused(home, "is a special file or folder, not a file")


def test_link_to_a_store_folder(home: HomeDir, tmp_path: Path, give_away: GiveAway) -> None:
    """The user may keep the data on another disk, but in a folder of their own."""
    home.store_dir.rmdir()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    home.store_dir.symlink_to(elsewhere)
    home.check()
    give_away(elsewhere)
    check_refused(home, "belongs to user")


def test_link_to_a_home_of_another_user(tmp_path: Path, home: HomeDir, give_away: GiveAway) -> None:
    (tmp_path / "link").symlink_to(home.path)
    give_away(home.path)
    check_refused(HomeDir(tmp_path / "link"), "belongs to user")


def test_planted_configuration(
    tmp_path: Path, give_away: GiveAway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`jetstow.connect` used the token of the author, who could then connect to the server."""
    planted = HomeDir(tmp_path / "planted")
    planted.create()
    token = planted.write_config().token
    for path in (planted.config_file, planted.store_dir, planted.path):
        give_away(path)
    monkeypatch.setenv("JETSTOW_HOME", str(planted.path))
    monkeypatch.delenv("NATS_URL", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))

    async def connect() -> None:
        await jetstow.connect()

    with pytest.raises(EmbeddedServerError, match="its owner could control the server") as caught:
        asyncio.run(connect())
    assert token not in str(caught.value)
    assert {path.name for path in planted.path.iterdir()} == {"server.conf", "jetstream"}
