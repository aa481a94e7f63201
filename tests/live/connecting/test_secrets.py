"""Secrets are not in files, logs, errors or the output of the command line."""

from __future__ import annotations

import logging
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

import jetstow
from jetstow import _nats_context
from jetstow.cli import errors
from jetstow.cli.connection import Settings
from tests.live.connecting.checks import check_jetstream, full_text
from tests.live.connecting.conftest import Save
from tests.support.cli import Cli
from tests.support.credentials import Key
from tests.support.servers import NatsServer, free_port

# -- the embedded server -----------------------------------------------------------------


async def test_embedded_server_files_are_private(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.mkdir()
    home.chmod(0o755)  # an existing directory keeps its mode
    # The server's files are private whatever the umask of the process is.
    before = os.umask(0)
    try:
        async with jetstow.connect() as nc:
            token = nc.options["token"]
            lease = nc._lease
            assert lease is not None
            await check_jetstream(nc.jetstream())
            found = dict(_files(home))
            if sys.platform == "linux":
                for file in ("cmdline", "environ"):
                    content = Path("/proc", str(lease.endpoint.pid), file).read_bytes()
                    assert token.encode() not in content
    finally:
        os.umask(before)
    assert {name for name, (_, data) in found.items() if token.encode() in data} == {"server.conf"}
    assert {name for name, (mode, _) in found.items() if mode & 0o077} == set()


def _files(home: Path) -> Iterator[tuple[str, tuple[int, bytes]]]:
    """Return the mode and the bytes of each file. The server may delete files at the same time."""
    for folder, _, names in os.walk(home):  # skips a directory that was deleted
        for name in names:
            path = Path(folder, name)
            with suppress(FileNotFoundError):
                yield name, (stat.S_IMODE(path.stat().st_mode), path.read_bytes())


# -- the command line -----------------------------------------------------------------------


@pytest.mark.parametrize("command", [["buckets"], ["buckets", "--json"], ["demo"]])
def test_no_password_in_command_output(
    guarded: NatsServer, command: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    right = guarded.url.replace("//", "//joe:sesame@")
    cases = {
        right: errors.OK,
        right.replace("joe", "jim"): errors.REFUSED,
        f"nats://joe:sesame@127.0.0.1:{free_port()}": errors.UNREACHABLE,
        "nats://joe:sesame@127.0.0.1:port": errors.USAGE,
        f"nats://sesame@127.0.0.1:{guarded.port}": errors.REFUSED,
    }
    for address, code in cases.items():
        result = Cli(guarded).run("--server", address, "--verbose", *command, code=code or None)
        assert "sesame" not in result.output + result.stderr + caplog.text, address


def test_no_credentials_in_command_output(
    guarded: NatsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "user.creds"
    path.write_text("sesame")
    result = Cli(guarded).run("--creds", str(path), "--verbose", "buckets", code=errors.USAGE)
    assert "sesame" not in result.output + result.stderr
    monkeypatch.setenv("NATS_URL", "nats://joe:sesame@127.0.0.1:1")
    assert "sesame" not in Settings().server_source + repr(Settings(server=os.environ["NATS_URL"]))


# -- contexts -----------------------------------------------------------------------------------


def test_no_secret_in_repr_of_a_context(save: Save, tmp_path: Path) -> None:
    seed = Key().seed
    (tmp_path / "seed").write_text(seed)
    for fields in (
        {"url": "nats://joe:sesame@host"},
        {"user": "joe", "password": "sesame"},
        {"token": "sesame"},
        {"user_jwt": "sesame", "user_seed": seed},
        {"nkey": str(tmp_path / "seed")},
    ):
        save(**fields)
        text = f"{_nats_context.load_selected()!r}"
        assert "sesame" not in text
        assert seed not in text


def test_no_secret_in_errors_of_a_context(save: Save, tmp_path: Path) -> None:
    (tmp_path / "sesame").write_text("open sesame")
    for fields in (
        {"user": "joe", "password": ["sesame"]},
        {"token": {"sesame": 1}},
        {"user_jwt": "jwt", "user_seed": "sesame"},
        {"user": "joe", "password": "env:sesame"},
    ):
        save(**fields)
        with pytest.raises(jetstow.errors.ContextError) as caught:
            _nats_context.load_selected()
        assert "sesame" not in full_text(caught.value)
