"""The command line on terminals and named pipes, and while it watches.

None of it depends on the server's version.
"""

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
def test_on_a_terminal_it_asks(
    cli: Cli, bucket: str, answer: bytes, code: int, sealed: bool
) -> None:
    cli.run("mb", bucket)
    ours, theirs = pty.openpty()
    with cli.start("seal", bucket, stdin=theirs, stderr=theirs) as process:
        os.close(theirs)
        asked = b""
        while b"[y/N] " not in asked:
            asked += os.read(ours, 1000)
        os.write(ours, answer)
        assert process.ended()[0] == code
    os.close(ours)
    assert b"cannot be undone" in asked
    assert cli.json("status", bucket)["sealed"] is sealed


def test_ctrl_c_at_the_question_is_no(cli: Cli, bucket: str) -> None:
    cli.run("mb", bucket)
    cli.run("put", "-", f"{bucket}/x", stdin=b"x")
    ours, theirs = pty.openpty()
    with cli.start("rb", bucket, stdin=theirs, stderr=theirs) as process:
        os.close(theirs)
        asked = b""
        while b"[y/N] " not in asked:
            asked += os.read(ours, 1000)
        process.signal(2)
        assert process.ended()[0] == errors.INTERRUPTED
    os.close(ours)
    assert cli.out("cat", f"{bucket}/x") == "x"


def test_watching_goes_on_line_by_line_until_ctrl_c(cli: Cli, bucket: str) -> None:
    put(cli, bucket, "before")
    with cli.start("watch", bucket, "--json") as process:
        assert json.loads(process.stdout.readline())["name"] == "before"
        put(cli, bucket, "after")
        told = json.loads(process.stdout.readline())
        assert (told["event"], told["name"], told["size"]) == ("updated", "after", 5)
        cli.run("rm", f"{bucket}/before")
        assert json.loads(process.stdout.readline())["event"] == "deleted"
        cli.run("ln", f"{bucket}/after", f"{bucket}/link")
        assert json.loads(process.stdout.readline())["link"] == {"bucket": bucket, "name": "after"}
        process.signal(signal.SIGINT)
        assert process.ended() == (errors.INTERRUPTED, "")


def test_updates_only_leaves_out_what_is_there(cli: Cli, bucket: str) -> None:
    put(cli, bucket, "before")
    with cli.start("watch", bucket, "--updates-only", "--count", "1") as process:
        while process.running():
            put(cli, bucket, "after")  # the watcher may not be there yet
        code, out, err = process.finished()
    assert (code, err) == (0, "")
    assert out.endswith(b"  after\n")


def test_a_named_pipe_is_read_to_its_end(cli: Cli, bucket: str) -> None:
    os.mkfifo("pipe")
    with cli.start("put", "pipe", f"{bucket}/a") as process:
        Path("pipe").write_bytes(DATA)
        assert process.ended() == (0, "")
    assert cli.run("cat", f"{bucket}/a").stdout_bytes == DATA


def test_a_device_is_written_to_and_not_replaced(cli: Cli, bucket: str) -> None:
    cli.run("put", "-", f"{bucket}/a", stdin=DATA)
    os.mkfifo("pipe")
    with cli.start("get", f"{bucket}/a", "pipe") as process:
        assert Path("pipe").read_bytes() == DATA
        assert process.ended() == (0, "")
    assert Path("pipe").is_fifo()
    cli.run("get", f"{bucket}/a", os.devnull)
    assert Path(os.devnull).is_char_device()
