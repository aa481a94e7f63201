"""The home of the embedded server: its place, its configuration, its modes."""

from __future__ import annotations

import errno
import json
import socket
from pathlib import Path

import pytest

from jetstow import _embedded
from jetstow._embedded.home_dir import PORTS, Folder
from jetstow.errors import EmbeddedServerError


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path / "home")
    made.prepare()
    return made


def test_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("JETSTOW_HOME", "~/elsewhere")
    assert _embedded.home() == tmp_path / "elsewhere"
    monkeypatch.delenv("JETSTOW_HOME")
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    assert _embedded.home().name == "jetstow"
    assert tmp_path in _embedded.home().parents


def test_a_user_without_a_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JETSTOW_HOME", "~no-such-user/x")
    with pytest.raises(EmbeddedServerError, match="set JETSTOW_HOME"):
        _embedded.home()


def test_windows_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "win32")
    with pytest.raises(EmbeddedServerError, match="NATS_URL"):
        _embedded.status()


def test_modes(folder: Folder) -> None:
    folder.configure()
    assert folder.path.stat().st_mode & 0o777 == 0o700
    assert folder.store.stat().st_mode & 0o777 == 0o700
    assert folder.config.stat().st_mode & 0o777 == 0o600


def test_a_home_that_exists_keeps_its_mode(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir(mode=0o750)
    folder = Folder(tmp_path / "home")
    folder.prepare()
    assert folder.path.stat().st_mode & 0o777 == 0o750
    assert folder.store.stat().st_mode & 0o777 == 0o700


def test_one_home_has_one_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "link").symlink_to("home")
    monkeypatch.chdir(tmp_path)
    names = {Folder(path).server_name for path in ("home", "link", tmp_path / "x/../home")}
    assert len(names) == 1
    assert Folder(tmp_path).server_name not in names


def test_token_and_port_stay(folder: Folder) -> None:
    first = folder.configure()
    assert first.port in PORTS
    assert first.token not in repr(first)
    assert folder.settings() == first
    assert folder.configure() == first


def test_an_unchanged_configuration_is_not_written(folder: Folder) -> None:
    # A finding on a full disk: the server had to be started before anything could be deleted.
    folder.configure()
    before = folder.config.stat()
    folder.configure()
    assert folder.config.stat() == before


def test_a_configuration_that_others_could_read_is_replaced(folder: Folder) -> None:
    folder.configure()
    folder.config.chmod(0o644)
    folder.configure()
    assert folder.config.stat().st_mode & 0o777 == 0o600


def test_another_port_when_it_is_taken(folder: Folder) -> None:
    first = folder.configure()
    with socket.create_server(("127.0.0.1", first.port)):
        second = folder.configure()
    assert second.port != first.port
    assert second.token == first.token


def test_another_port_when_asked(folder: Folder) -> None:
    ports = {folder.configure(move=True).port for _ in range(4)}
    assert len(ports) > 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        '{"port": 1}',
        '{"port": 1, "authorization": "x"}',
        '{"port": "1", "authorization": {"token": "x"}}',
        '{"port": 0, "authorization": {"token": "x"}}',
        '{"port": 1, "authorization": {"token": ""}}',
        "\udcff",
    ],
)
def test_a_damaged_configuration_says_nothing(folder: Folder, text: str) -> None:
    folder.config.write_bytes(text.encode(errors="surrogateescape"))
    assert folder.settings() is None
    assert folder.configure().token


@pytest.mark.parametrize("name", ['a "b" \\c $HOME', "ünï", "a\nb", "\udcff"])
def test_any_path_is_quoted(tmp_path: Path, name: str) -> None:
    folder = Folder(tmp_path / name)
    folder.prepare()
    told = folder.configure()
    assert folder.settings() == told


def test_what_the_server_is_told(folder: Folder) -> None:
    told = folder.configure()
    config = json.loads(folder.config.read_text())
    assert config["host"] == "127.0.0.1"
    assert config["authorization"] == {"token": told.token}
    assert config["jetstream"]["sync_interval"] == "always"
    assert "max_payload" not in config


@pytest.mark.parametrize(
    ("text", "pid"), [("123\n", 123), ("", None), ("x", None), ("1", None), ("-5", None)]
)
def test_pid_hint(folder: Folder, text: str, pid: int | None) -> None:
    assert folder.pid_hint() is None
    folder.pid_file.write_text(text)
    assert folder.pid_hint() == pid


def test_a_server_listens_when_it_says_so(folder: Folder) -> None:
    (folder.path / "nats-server_12.ports").touch()
    assert folder.is_listening(12)
    assert not folder.is_listening(2)
    folder.pid_file.write_text("12")
    folder.forget_last_server()
    assert not folder.is_listening(12)
    assert folder.pid_hint() is None


def test_an_error_names_the_home_and_keeps_its_number(folder: Folder) -> None:
    with pytest.raises(EmbeddedServerError, match="No space left") as caught, folder.usable():
        raise OSError(errno.ENOSPC, "No space left on device", "server.conf.new")
    assert str(folder.path) in str(caught.value)
    assert caught.value.errno == errno.ENOSPC


def test_an_error_of_ours_passes(folder: Folder) -> None:
    ours = EmbeddedServerError("ours")
    with pytest.raises(EmbeddedServerError) as caught, folder.usable():
        raise ours
    assert caught.value is ours
