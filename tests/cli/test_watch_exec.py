"""watch --exec: a command for each change."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path

from jetstow.cli import errors
from tests.support.cli import Cli, wait_until

LOGS = """
import json, os, sys
variables = {key: value for key, value in os.environ.items() if key.startswith("JETSTOW_")}
print(json.dumps([sys.argv[1:], variables]), file=open(sys.argv[1], "a"))
sys.exit(variables["JETSTOW_NAME"] == "bad")
"""

WAITS = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print(os.getpid(), file=open(sys.argv[1], "w"), flush=True)
time.sleep(60)
"""


def test_command_runs_for_each_change_in_order(cli: Cli, bucket: str, tmp_path: Path) -> None:
    program, log = tmp_path / "logs.py", tmp_path / "a log"
    program.write_text(LOGS)
    for name in ("one", "bad", "; touch x"):
        cli.run("put", "-", f"{bucket}/{name}", stdin=b"12345")
    cli.run("rm", f"{bucket}/one")
    command = f"{sys.executable} {program} '{log}' --at={{}}"
    result = cli.run("watch", bucket, "--count", "3", "--exec", command, code=None)
    calls = [json.loads(line) for line in log.read_text().splitlines()]
    assert [arguments[1] for arguments, _ in calls] == [
        f"--at={bucket}/bad", f"--at={bucket}/; touch x", f"--at={bucket}/one",
    ]  # fmt: skip
    variables = calls[1][1]
    assert (variables["JETSTOW_EVENT"], variables["JETSTOW_SIZE"]) == ("updated", "5")
    assert variables["JETSTOW_DIGEST"].startswith("SHA-256=")
    assert calls[2][1]["JETSTOW_EVENT"] == "deleted"
    assert f"failed with exit code 1 for {bucket}/bad" in result.stderr
    assert len(result.stdout.splitlines()) == 3


def test_invalid_command(cli: Cli, bucket: str) -> None:
    cli.run("put", "-", f"{bucket}/a", stdin=b"")
    assert "not a command" in cli.error(errors.USAGE, "watch", bucket, "--exec", "'")
    assert "not a command" in cli.error(errors.USAGE, "watch", bucket, "--exec", " ")
    result = cli.run("watch", bucket, "--exec", "/nonexistent/x {}", code=errors.ERROR)
    assert "cannot run '/nonexistent/x': No such file or directory" in result.stderr


def test_failures_do_not_end_the_watch(cli: Cli, bucket: str, tmp_path: Path) -> None:
    """A name with NUL, which no argument can have, ended the watch for good."""
    program, log = tmp_path / "logs.py", tmp_path / "log"
    program.write_text(LOGS)
    for name in ("a", "b\0b", "bad", "z"):
        cli.run("put", "-", f"{bucket}/{name}", stdin=b"")
    command = f"{sys.executable} {program} {log}"
    for arguments in (command, f"{command} {{}}"):
        log.unlink(missing_ok=True)
        result = cli.run("watch", bucket, "--count", "4", "--exec", arguments, code=None)
        calls = [json.loads(line) for line in log.read_text().splitlines()]
        assert [variables["JETSTOW_NAME"] for _, variables in calls] == ["a", "bad", "z"]
        refused, failed = result.stderr.splitlines()
        assert f"cannot run '{sys.executable}' for {bucket}/b\\x00b: no argument" in refused
        assert failed.endswith(f"failed with exit code 1 for {bucket}/bad")


def test_program_that_vanishes(cli: Cli, bucket: str, tmp_path: Path) -> None:
    """A missing program is an error at the start, and later a failure of one object."""
    for name in ("a", "b", "c"):
        cli.run("put", "-", f"{bucket}/{name}", stdin=b"")
    program = tmp_path / "once"
    assert "cannot run" in cli.error(errors.ERROR, "watch", bucket, "--exec", str(program))
    program.write_text('#!/bin/sh\nrm "$0"; kill -9 $$\n')
    assert "Permission denied" in cli.error(errors.ERROR, "watch", bucket, "--exec", str(program))
    program.chmod(0o700)
    result = cli.run("watch", bucket, "--count", "3", "--exec", str(program), code=None)
    assert len(result.stdout.splitlines()) == 3
    assert [line.partition(f"'{program}' ")[2] for line in result.stderr.splitlines()] == [
        f"was ended by SIGKILL for {bucket}/a",
        f"for {bucket}/b: No such file or directory",
        f"for {bucket}/c: No such file or directory",
    ]


def test_placeholder_in_code(cli: Cli, bucket: str, tmp_path: Path) -> None:
    """`sh -c 'echo {}'` ran what the name of an object contained."""
    made, log = tmp_path / "made", tmp_path / "log"
    name = f"x;touch {made}"
    cli.run("put", "-", f"{bucket}/{name}", stdin=b"")
    watch = ("watch", bucket, "--count", "1", "--exec")
    error = cli.error(errors.USAGE, *watch, f"sh -c 'echo {{}} >{log}'")
    assert '"$JETSTOW_NAME"' in error
    assert "--unsafe" in error
    cli.run(*watch, f"""sh -c 'echo "$JETSTOW_NAME" "$1" >{log}' sh {{}}""")
    assert log.read_text() == f"{name} {bucket}/{name}\n"
    assert not made.exists()
    cli.run(*watch, f"sh -c 'echo {{}} >{log}'", "--unsafe")
    assert made.exists()
    assert "--unsafe needs --exec" in cli.error(errors.USAGE, "watch", bucket, "--unsafe")


def test_ctrl_c_ends_the_command(cli: Cli, bucket: str, tmp_path: Path) -> None:
    cli.run("put", "-", f"{bucket}/a", stdin=b"")
    log = tmp_path / "log"
    program = tmp_path / "wait.py"
    program.write_text(WAITS)
    wait = f"{sys.executable} {program} {log}"
    with cli.start("watch", bucket, "--exec", wait) as process:
        wait_until(lambda: log.exists() and log.read_text().strip())
        process.signal(signal.SIGINT)
        assert process.wait()[0] == errors.INTERRUPTED
    pid = log.read_text().strip()
    assert not Path(f"/proc/{pid}").exists()
