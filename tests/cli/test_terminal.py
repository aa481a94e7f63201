"""The command line on terminals and named pipes, and watch."""

from __future__ import annotations

import json
import os
import pty
import signal
from pathlib import Path

import pytest

from jetstow.cli import errors
from tests.support.cli import Cli
from tests.support.samples import some_bytes

DATA = some_bytes(300_000)


def put(cli: Cli, bucket: str, *names: str) -> None:
    for name in names:
        cli.run("put", "-", f"{bucket}/{name}", stdin=name.encode())


@pytest.mark.parametrize(
    ("answer", "code", "sealed"), [(b"y\n", 0, True), (b"\n", 1, False), (b"\x04", 1, False)]
)
def test_confirmation_on_a_terminal(
    cli: Cli, bucket: str, answer: bytes, code: int, sealed: bool
) -> None:
    cli.run("mb", bucket)
    controller, terminal = pty.openpty()
    with cli.start("seal", bucket, stdin=terminal, stderr=terminal) as process:
        os.close(terminal)
        question = b""
        while b"[y/N] " not in question:
            question += os.read(controller, 1000)
        os.write(controller, answer)
        assert process.wait()[0] == code
    os.close(controller)
    assert b"cannot be undone" in question
    assert cli.json("status", bucket)["sealed"] is sealed


def test_ctrl_c_at_the_confirmation(cli: Cli, bucket: str) -> None:
    cli.run("mb", bucket)
    cli.run("put", "-", f"{bucket}/x", stdin=b"x")
    controller, terminal = pty.openpty()
    with cli.start("rb", bucket, stdin=terminal, stderr=terminal) as process:
        os.close(terminal)
        question = b""
        while b"[y/N] " not in question:
            question += os.read(controller, 1000)
        process.signal(2)
        assert process.wait()[0] == errors.INTERRUPTED
    os.close(controller)
    assert cli.out("cat", f"{bucket}/x") == "x"


def test_watch_prints_json_lines_until_ctrl_c(cli: Cli, bucket: str) -> None:
    """Objects that existed were shown as changes, and nothing separated them from changes."""
    put(cli, bucket, "before")
    watching = f"jetstow: watching bucket {bucket!r} for changes\n"
    with cli.start("watch", bucket, "--json") as process:
        current = json.loads(process.stdout.readline())
        assert (current["event"], current["name"]) == ("updated", "before")
        assert current["current"]
        assert process.stderr.readline().decode() == watching
        put(cli, bucket, "after")
        change = json.loads(process.stdout.readline())
        assert (change["event"], change["name"], change["size"]) == ("updated", "after", 5)
        assert not change["current"]
        cli.run("rm", f"{bucket}/before")
        assert json.loads(process.stdout.readline())["event"] == "deleted"
        cli.run("ln", f"{bucket}/after", f"{bucket}/link")
        assert json.loads(process.stdout.readline())["link"] == {"bucket": bucket, "name": "after"}
        process.signal(signal.SIGINT)
        assert process.wait() == (errors.INTERRUPTED, "")


def test_watch_updates_only(cli: Cli, bucket: str) -> None:
    put(cli, bucket, "before")
    with cli.start("watch", bucket, "--updates-only", "--count", "1") as process:
        assert b"watching bucket" in process.stderr.readline()
        put(cli, bucket, "after")
        code, out, err = process.communicate()
    assert (code, err) == (0, "")
    assert out.split()[2:] == [b"updated", b"5", b"B", b"after"]


def test_put_of_a_named_pipe(cli: Cli, bucket: str) -> None:
    os.mkfifo("pipe")
    with cli.start("put", "pipe", f"{bucket}/a") as process:
        Path("pipe").write_bytes(DATA)
        assert process.wait() == (0, "")
    assert cli.run("cat", f"{bucket}/a").stdout_bytes == DATA


def test_get_to_a_named_pipe_and_a_device(cli: Cli, bucket: str) -> None:
    cli.run("put", "-", f"{bucket}/a", stdin=DATA)
    os.mkfifo("pipe")
    with cli.start("get", f"{bucket}/a", "pipe") as process:
        assert Path("pipe").read_bytes() == DATA
        assert process.wait() == (0, "")
    assert Path("pipe").is_fifo()
    cli.run("get", f"{bucket}/a", os.devnull)
    assert Path(os.devnull).is_char_device()
