"""The command line as a process: pipes, closed descriptors, signals."""

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


def test_put_and_cat_through_pipes(cli: Cli, bucket: str) -> None:
    with cli.start("put", "-", f"{bucket}/a", "--json") as process:
        code, out, err = process.communicate(DATA)
    assert (code, err) == (0, "")
    assert json.loads(out)[0]["size"] == len(DATA)
    with cli.start("cat", f"{bucket}/a") as process:
        assert process.communicate() == (0, DATA, "")


def test_broken_pipe_is_silent(cli: Cli, bucket: str) -> None:
    cli.run("put", "-", f"{bucket}/a", stdin=bytes(5_000_000))
    with cli.start("cat", f"{bucket}/a") as process:
        process.stdout.read(10)
        process.stdout.close()
        assert process.wait() == (errors.BROKEN_PIPE, "")
    with cli.start("demo") as process:
        process.stdout.close()
        assert process.wait() == (errors.BROKEN_PIPE, "")
    assert "configs" not in cli.out("ls")


def test_standard_output_on_a_full_disk(cli: Cli, bucket: str) -> None:
    cli.run("put", "-", f"{bucket}/a", stdin=DATA)
    for command in (["cat", f"{bucket}/a"], ["ls", bucket]):
        with Path("/dev/full").open("wb") as full, cli.start(*command, stdout=full) as process:
            code, stderr = process.wait()
        assert (code, stderr) == (1, "jetstow: 'standard output': No space left on device\n")


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
    result = subprocess.run(["sh", "-c", line], env=env, capture_output=True, check=False)
    assert result.returncode == code
    assert b"Traceback" not in result.stderr
    assert cli.out("ls", bucket) == "a\n"


def _path() -> str:
    import sys

    return f"{Path(sys.executable).parent}:{os.environ['PATH']}"


def test_standard_output_in_ascii(cli: Cli, bucket: str) -> None:
    cli.run("put", "-", f"{bucket}/ü", stdin=b"u")
    ascii_only = {"NATS_URL": cli.server.url, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    with Process("ls", bucket, env=ascii_only) as process:
        assert process.communicate() == (0, b"\\xfc\n", "")
    with Process("ls", bucket, "--json", env=ascii_only) as process:
        assert json.loads(process.communicate()[1])[0]["name"] == "ü"


# -- signals -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_signal_during_a_put(cli: Cli, bucket: str, number: int, code: int) -> None:
    """It printed nothing, so that users did not know whether a part had been stored."""
    cli.run("put", "-", f"{bucket}/a", stdin=b"the old one")
    with cli.start("put", "-", f"{bucket}/a") as process:
        process.stdin.write(bytes(2_000_000))
        process.stdin.flush()
        wait_until(lambda: cli.chunks(bucket) > 5)
        process.signal(number)  # while it waits for more input
        not_stored = f"jetstow: interrupted: object 'a' in bucket {bucket!r} was not stored\n"
        assert process.wait() == (code, not_stored)
    assert cli.out("cat", f"{bucket}/a") == "the old one"
    assert cli.chunks(bucket) == 1


def test_ctrl_c_during_a_put_from_a_silent_pipe(cli: Cli, bucket: str) -> None:
    with cli.start("put", "-", f"{bucket}/a") as process:
        wait_until(cli.connections)
        process.signal(signal.SIGINT)
        assert process.wait()[0] == errors.INTERRUPTED
    assert cli.out("ls", bucket) == ""


def test_ctrl_c_during_a_put_from_a_terminal(cli: Cli, bucket: str) -> None:
    controller, terminal = pty.openpty()
    with cli.start("put", "-", f"{bucket}/a", stdin=terminal) as process:
        wait_until(cli.connections)
        process.signal(signal.SIGINT)
        assert process.wait()[0] == errors.INTERRUPTED
    os.close(controller)
    os.close(terminal)


def test_ctrl_c_during_a_cat_to_a_full_pipe(cli: Cli, bucket: str) -> None:
    cli.run("put", "-", f"{bucket}/a", stdin=bytes(5_000_000))
    with cli.start("cat", f"{bucket}/a") as process:
        process.stdout.read(10)  # it has started to write; the pipe is full soon
        process.signal(signal.SIGINT)
        assert process.wait() == (errors.INTERRUPTED, "")


def test_ctrl_c_during_a_get_to_a_named_pipe(cli: Cli, bucket: str) -> None:
    cli.run("put", "-", f"{bucket}/a", stdin=b"new")
    Path("a").write_text("old")
    os.mkfifo("pipe")
    with cli.start("get", f"{bucket}/a", "pipe") as process:
        wait_until(cli.connections)
        process.signal(signal.SIGINT)  # while it waits for a reader of the pipe
        assert process.wait() == (errors.INTERRUPTED, "")
    assert sorted(path.name for path in Path().iterdir()) == ["a", "pipe"]
