"""Servers that are stopped, refuse or are silent: one line, one exit code, without delay."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from jetstow.cli import errors
from tests.support.cli import Cli, Process, wait_until
from tests.support.servers import NatsServer

USERS = """
authorization { users: [
  {user: all, password: p},
  {user: reader, password: p, permissions: {publish: {allow: [
    "$JS.API.STREAM.INFO.>", "$JS.API.STREAM.NAMES", "$JS.API.STREAM.LIST",
    "$JS.API.DIRECT.GET.>", "$JS.API.STREAM.MSG.GET.>", "$JS.API.CONSUMER.>", "$JS.FC.>"
  ]}}},
] }
"""


@pytest.fixture(scope="module")
def guarded() -> Iterator[Cli]:
    """A server that requires credentials."""
    with NatsServer(config=USERS) as server:
        yield Cli(server)


@pytest.fixture
def own() -> Iterator[Cli]:
    """A server that the test stops, pauses or kills."""
    with NatsServer() as server:
        yield Cli(server)


def test_stopped_server(own: Cli) -> None:
    own.server.stop()
    error = own.error(errors.UNREACHABLE, "ls")
    assert f"127.0.0.1:{own.server.port}" in error


def test_unknown_host_and_invalid_port() -> None:
    for server in ("nats://no-such-host.invalid:4222", "nats://127.0.0.1:port"):
        with Process("ls", "-s", server) as process:
            code, out, err = process.communicate()
        assert code in {errors.UNREACHABLE, errors.ERROR, errors.USAGE}
        assert out == b""
        assert len(err.splitlines()) == 1


def test_refused_credentials(guarded: Cli) -> None:
    refused = guarded.error(errors.REFUSED, "ls")
    assert "refused the credentials" in refused
    port = guarded.server.port
    error = guarded.error(errors.REFUSED, "ls", "-s", f"nats://all:wrong@127.0.0.1:{port}")
    assert "wrong" not in error
    guarded.run("ls", "-s", f"nats://all:p@127.0.0.1:{port}")


def test_denied_permissions(guarded: Cli, bucket: str) -> None:
    port = guarded.server.port
    everything = ["--server", f"nats://all:p@127.0.0.1:{port}"]
    reader = ["--server", f"nats://reader:p@127.0.0.1:{port}"]
    guarded.run("mb", bucket, *everything)
    guarded.run("put", "-", f"{bucket}/a", *everything, stdin=b"x")
    assert guarded.out("cat", f"{bucket}/a", *reader) == "x"
    assert guarded.out("ls", bucket, *reader) == "a\n"
    for command in (["mb", f"{bucket}-x"], ["put", "-", f"{bucket}/b"], ["rb", "-y", bucket]):
        refused = guarded.run(*command, *reader, stdin=b"x", code=errors.REFUSED)
        assert "jetstow: the user may not publish" in refused.stderr, command


def test_server_without_jetstream() -> None:
    server = NatsServer(jetstream=None)
    try:
        server.start(wait=False)
        wait_until(lambda: server.startup_log)
        assert "JetStream" in Cli(server).error(errors.UNREACHABLE, "ls")
    finally:
        server.close()


def test_silent_server(own: Cli, bucket: str) -> None:
    own.run("mb", bucket)
    own.server.pause()
    try:
        assert "127.0.0.1" in own.error(errors.UNREACHABLE, "ls", bucket, "--timeout", "500ms")
    finally:
        own.server.resume()


def test_watch_across_a_server_restart(own: Cli, bucket: str) -> None:
    own.run("mb", bucket)
    own.run("put", "-", f"{bucket}/a", stdin=b"x")
    with own.start("watch", bucket, "--count", "2", "--json") as process:
        assert json.loads(process.stdout.readline())["name"] == "a"
        watching = process.stderr.readline().decode()
        own.server.restart()
        own.run("put", "-", f"{bucket}/b", stdin=b"x")
        assert json.loads(process.stdout.readline())["name"] == "b"
        code, stderr = process.wait()
    assert code == 0
    assert watching == f"jetstow: watching bucket {bucket!r} for changes\n"
    assert stderr == "jetstow: connection lost; reconnecting\njetstow: reconnected\n"


def test_verbose_prints_the_traceback(own: Cli) -> None:
    result = own.run("ls", "nowhere", "--verbose", code=errors.NOT_FOUND)
    assert "Traceback (most recent call last)" in result.stderr
    assert result.stderr.endswith("jetstow: there is no bucket 'nowhere'\n")


def test_warnings_of_the_library_are_printed(own: Cli, bucket: str) -> None:
    from tests.support import raw_stream

    own.run("mb", bucket)
    own.run("put", "-", f"{bucket}/good", stdin=b"x")
    own.inspect(lambda nc: raw_stream.write_metadata(nc, bucket, "bad", b"no JSON"))
    result = own.run("ls", bucket, code=None)
    assert result.stdout == "good\n"
    assert "'bad'" in result.stderr
    assert result.stderr.startswith("jetstow: ")


def test_unreadable_context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    env = {"NATS_URL": "", "NATS_CONTEXT": "lost", "JETSTOW_HOME": os.fspath(tmp_path / "home")}
    with Process("ls", env=env) as process:
        code, _, err = process.communicate()
    assert code == errors.ERROR
    assert "'lost'" in err
    assert not (tmp_path / "home").exists()
