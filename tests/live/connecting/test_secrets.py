"""What must not be told is not: not by the embedded server, not by the command line."""

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
from jetstow.cli.session import Settings
from tests.live.connecting.conftest import Save
from tests.live.connecting.proof import told, works
from tests.support.cli import Cli
from tests.support.credentials import Key
from tests.support.servers import NatsServer, free_port

# -- the embedded server -----------------------------------------------------------------


async def test_only_its_user_can_read_the_embedded_servers_token(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.mkdir()
    home.chmod(0o755)  # one that exists keeps its mode
    # Whatever the process lets others do with its files, the server's are the user's own.
    before = os.umask(0)
    try:
        async with await jetstow.connect() as nc:
            token = nc.options["token"]
            hold = nc._hold
            assert hold is not None
            await works(nc.jetstream())
            found = dict(_files(home))
            if sys.platform == "linux":
                for told_of in ("cmdline", "environ"):
                    about = Path("/proc", str(hold.endpoint.pid), told_of).read_bytes()
                    assert token.encode() not in about
    finally:
        os.umask(before)
    assert {name for name, (_, data) in found.items() if token.encode() in data} == {"server.conf"}
    assert {name for name, (mode, _) in found.items() if mode & 0o077} == set()


def _files(home: Path) -> Iterator[tuple[str, tuple[int, bytes]]]:
    """The mode and the bytes of each file. The server makes and drops some meanwhile."""
    for folder, _, names in os.walk(home):  # passes over a folder that is gone meanwhile
        for name in names:
            path = Path(folder, name)
            with suppress(FileNotFoundError):
                yield name, (stat.S_IMODE(path.stat().st_mode), path.read_bytes())


# -- the command line -----------------------------------------------------------------------


@pytest.mark.parametrize("command", [["buckets"], ["buckets", "--json"], ["demo"]])
def test_the_command_line_shows_no_password(
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


def test_the_command_line_shows_nothing_of_credentials(
    guarded: NatsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "user.creds"
    path.write_text("sesame")
    said = Cli(guarded).run("--creds", str(path), "--verbose", "buckets", code=errors.USAGE)
    assert "sesame" not in said.output + said.stderr
    monkeypatch.setenv("NATS_URL", "nats://joe:sesame@127.0.0.1:1")
    assert "sesame" not in Settings().place + repr(Settings(server=os.environ["NATS_URL"]))


# -- contexts -----------------------------------------------------------------------------------


def test_a_context_does_not_show_what_is_in_it(save: Save, tmp_path: Path) -> None:
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
        said = f"{_nats_context.selected()!r}"
        assert "sesame" not in said
        assert seed not in said


def test_a_context_that_is_refused_does_not_show_what_is_in_it(save: Save, tmp_path: Path) -> None:
    (tmp_path / "sesame").write_text("open sesame")
    for fields in (
        {"user": "joe", "password": ["sesame"]},
        {"token": {"sesame": 1}},
        {"user_jwt": "jwt", "user_seed": "sesame"},
        {"user": "joe", "password": "env:sesame"},
    ):
        save(**fields)
        with pytest.raises(jetstow.errors.ContextError) as caught:
            _nats_context.selected()
        assert "sesame" not in told(caught.value)
