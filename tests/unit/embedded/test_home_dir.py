"""The home of the embedded server: location, configuration, file modes."""

from __future__ import annotations

import errno
import json
import socket
from pathlib import Path

import pytest

from jetstow import _embedded
from jetstow._embedded.home_dir import PORT_RANGE, HomeDir
from jetstow.errors import EmbeddedServerError


@pytest.fixture
def home(tmp_path: Path) -> HomeDir:
    home = HomeDir(tmp_path / "home")
    home.create()
    return home


def test_default_home_and_environment_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("JETSTOW_HOME", "~/elsewhere")
    assert _embedded.home() == tmp_path / "elsewhere"
    monkeypatch.delenv("JETSTOW_HOME")
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    assert _embedded.home().name == "jetstow"
    assert tmp_path in _embedded.home().parents


def test_unknown_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JETSTOW_HOME", "~no-such-user/x")
    with pytest.raises(EmbeddedServerError, match="set JETSTOW_HOME"):
        _embedded.home()


def test_windows_is_not_supported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "win32")
    with pytest.raises(EmbeddedServerError, match="NATS_URL"):
        _embedded.status()


def test_file_modes(home: HomeDir) -> None:
    home.write_config()
    assert home.path.stat().st_mode & 0o777 == 0o700
    assert home.store_dir.stat().st_mode & 0o777 == 0o700
    assert home.config_file.stat().st_mode & 0o777 == 0o600


def test_existing_home_keeps_its_mode(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir(mode=0o750)
    home = HomeDir(tmp_path / "home")
    home.create()
    assert home.path.stat().st_mode & 0o777 == 0o750
    assert home.store_dir.stat().st_mode & 0o777 == 0o700


def test_server_name_of_equal_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "link").symlink_to("home")
    monkeypatch.chdir(tmp_path)
    names = {HomeDir(path).server_name for path in ("home", "link", tmp_path / "x/../home")}
    assert len(names) == 1
    assert HomeDir(tmp_path).server_name not in names


def test_token_and_port_are_kept(home: HomeDir) -> None:
    first = home.write_config()
    assert first.port in PORT_RANGE
    assert first.token not in repr(first)
    assert home.read_settings() == first
    assert home.write_config() == first


def test_unchanged_configuration_is_not_written(home: HomeDir) -> None:
    """On a full disk the server could not be started, so no object could be deleted."""
    home.write_config()
    before = home.config_file.stat()
    home.write_config()
    assert home.config_file.stat() == before


def test_configuration_readable_by_others_is_replaced(home: HomeDir) -> None:
    first = home.write_config()
    home.config_file.chmod(0o644)
    second = home.write_config()
    assert home.config_file.stat().st_mode & 0o777 == 0o600
    assert second.token != first.token  # others may have read it


def test_port_in_use(home: HomeDir) -> None:
    first = home.write_config()
    with socket.create_server(("127.0.0.1", first.port)):
        second = home.write_config()
    assert second.port != first.port
    assert second.token == first.token


def test_new_port(home: HomeDir) -> None:
    ports = {home.write_config(new_port=True).port for _ in range(4)}
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
def test_damaged_configuration(home: HomeDir, text: str) -> None:
    home.config_file.write_bytes(text.encode(errors="surrogateescape"))
    assert home.read_settings() is None
    assert home.write_config().token


@pytest.mark.parametrize("name", ['a "b" \\c $HOME', "ünï", "a\nb", "\udcff"])
def test_path_with_special_characters(tmp_path: Path, name: str) -> None:
    home = HomeDir(tmp_path / name)
    home.create()
    settings = home.write_config()
    assert home.read_settings() == settings


def test_configuration_of_the_server(home: HomeDir) -> None:
    settings = home.write_config()
    config = json.loads(home.config_file.read_text())
    assert config["host"] == "127.0.0.1"
    assert config["authorization"] == {"token": settings.token}
    assert config["jetstream"]["sync_interval"] == "always"
    assert "max_payload" not in config


@pytest.mark.parametrize(
    ("text", "pid"), [("123\n", 123), ("", None), ("x", None), ("1", None), ("-5", None)]
)
def test_pid_file(home: HomeDir, text: str, pid: int | None) -> None:
    assert home.read_pid_file() is None
    home.pid_file.write_text(text)
    assert home.read_pid_file() == pid


def test_ports_file_of_a_listening_server(home: HomeDir) -> None:
    (home.path / "nats-server_12.ports").touch()
    assert home.is_listening(12)
    assert not home.is_listening(2)
    home.pid_file.write_text("12")
    home.remove_stale_files()
    assert not home.is_listening(12)
    assert home.read_pid_file() is None


def test_os_error_has_the_path_and_errno(home: HomeDir) -> None:
    with (
        pytest.raises(EmbeddedServerError, match="No space left") as caught,
        home.report_os_errors(),
    ):
        raise OSError(errno.ENOSPC, "No space left on device", "server.conf.new")
    assert str(home.path) in str(caught.value)
    assert caught.value.errno == errno.ENOSPC


def test_embedded_server_error_is_not_converted(home: HomeDir) -> None:
    error = EmbeddedServerError("the message")
    with pytest.raises(EmbeddedServerError) as caught, home.report_os_errors():
        raise error
    assert caught.value is error
