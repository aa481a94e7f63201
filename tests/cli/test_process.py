"""The command line as a process: terminals, pipes, signals, completion.

None of it depends on the server's version.
"""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
from pathlib import Path

import pytest

from jetstow.cli import errors
from tests.support.cli import Cli, Process, wait_until
from tests.support.samples import some_bytes

DATA = some_bytes(300_000)


# -- pipes -------------------------------------------------------------------------------


def test_bytes_go_through_pipes_as_they_are(cli: Cli, bucket: str) -> None:
    with cli.start("put", "-", f"{bucket}/a", "--json") as process:
        code, out, err = process.finished(DATA)
    assert (code, err) == (0, "")
    assert json.loads(out)[0]["size"] == len(DATA)
    with cli.start("cat", f"{bucket}/a") as process:
        assert process.finished() == (0, DATA, "")


def test_a_reader_that_leaves_is_no_error_to_tell_of(cli: Cli, bucket: str) -> None:
    cli.run("put", "-", f"{bucket}/a", stdin=bytes(5_000_000))
    with cli.start("cat", f"{bucket}/a") as process:
        process.stdout.read(10)
        process.stdout.close()
        assert process.ended() == (errors.BROKEN_PIPE, "")
    with cli.start("demo") as process:
        process.stdout.close()
        assert process.ended() == (errors.BROKEN_PIPE, "")
    assert "configs" not in cli.out("ls")


def test_output_that_cannot_be_written(cli: Cli, bucket: str) -> None:
    cli.run("put", "-", f"{bucket}/a", stdin=DATA)
    for command in (["cat", f"{bucket}/a"], ["ls", bucket]):
        with Path("/dev/full").open("wb") as full, cli.start(*command, stdout=full) as process:
            code, said = process.ended()
        assert (code, said) == (1, "jetstow: 'standard output': No space left on device\n")


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("cat {bucket}/a >&-", 1),
        ("ls >&-", 1),
        ("put - {bucket}/b <&-", 1),
        ("ls {bucket} 2>&-", 0),
        ("ls nowhere 2>&-", 3),
    ],
)
def test_closed_descriptors(cli: Cli, bucket: str, command: str, code: int) -> None:
    cli.run("put", "-", f"{bucket}/a", stdin=b"a")
    line = f"exec python -m jetstow {command.format(bucket=bucket)}"
    env = {**os.environ, "NATS_URL": cli.server.url, "PATH": _path()}
    ended = subprocess.run(["sh", "-c", line], env=env, capture_output=True, check=False)
    assert ended.returncode == code
    assert b"Traceback" not in ended.stderr
    assert cli.out("ls", bucket) == "a\n"


def _path() -> str:
    import sys

    return f"{Path(sys.executable).parent}:{os.environ['PATH']}"


def test_an_output_without_unicode(cli: Cli, bucket: str) -> None:
    cli.run("put", "-", f"{bucket}/ü", stdin=b"u")
    ascii_only = {"NATS_URL": cli.server.url, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    with Process("ls", bucket, env=ascii_only) as process:
        assert process.finished() == (0, b"\\xfc\n", "")
    with Process("ls", bucket, "--json", env=ascii_only) as process:
        assert json.loads(process.finished()[1])[0]["name"] == "ü"


# -- Ctrl-C and its like -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_put_that_is_ended_leaves_nothing(cli: Cli, bucket: str, number: int, code: int) -> None:
    cli.run("put", "-", f"{bucket}/a", stdin=b"the old one")
    with cli.start("put", "-", f"{bucket}/a") as process:
        process.stdin.write(bytes(2_000_000))
        process.stdin.flush()
        wait_until(lambda: cli.chunks(bucket) > 5)
        process.signal(number)  # while it waits for more
        assert process.ended() == (code, "")
    assert cli.out("cat", f"{bucket}/a") == "the old one"
    assert cli.chunks(bucket) == 1


def test_a_put_from_a_silent_pipe_ends_at_once(cli: Cli, bucket: str) -> None:
    with cli.start("put", "-", f"{bucket}/a") as process:
        wait_until(cli.connections)
        process.signal(signal.SIGINT)
        assert process.ended() == (errors.INTERRUPTED, "")
    assert cli.out("ls", bucket) == ""


def test_a_put_from_a_terminal_ends_at_ctrl_c(cli: Cli, bucket: str) -> None:
    ours, theirs = pty.openpty()
    with cli.start("put", "-", f"{bucket}/a", stdin=theirs) as process:
        wait_until(cli.connections)
        process.signal(signal.SIGINT)
        assert process.ended()[0] == errors.INTERRUPTED
    os.close(ours)
    os.close(theirs)


def test_a_cat_that_nobody_reads_ends_at_ctrl_c(cli: Cli, bucket: str) -> None:
    cli.run("put", "-", f"{bucket}/a", stdin=bytes(5_000_000))
    with cli.start("cat", f"{bucket}/a") as process:
        process.stdout.read(10)  # it writes, and then the pipe is full
        process.signal(signal.SIGINT)
        assert process.ended() == (errors.INTERRUPTED, "")


def test_a_get_that_is_ended_leaves_no_file(cli: Cli, bucket: str) -> None:
    cli.run("put", "-", f"{bucket}/a", stdin=b"new")
    Path("a").write_text("old")
    os.mkfifo("pipe")
    with cli.start("get", f"{bucket}/a", "pipe") as process:
        wait_until(cli.connections)
        process.signal(signal.SIGINT)  # nobody opens the pipe
        assert process.ended() == (errors.INTERRUPTED, "")
    assert sorted(path.name for path in Path().iterdir()) == ["a", "pipe"]
