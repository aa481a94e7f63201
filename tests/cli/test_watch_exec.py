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
