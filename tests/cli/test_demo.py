"""demo, and examples/intro.py, which is the same program."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

import jetstow.cli.intro
from tests.support.cli import Cli, Process
from tests.support.servers import NatsServer

EXAMPLE = Path(__file__).parents[2] / "examples" / "intro.py"

TRANSCRIPT = """\
bucket configs holds 0 bytes
stored a: 10000000 bytes
stored b: 10000000 bytes, 'large data'
b is now described as 'still large data'
bucket configs has 2 objects
read b: 10000000 bytes
one message may have 1048576 bytes
configs changed - a was updated
configs changed - b was updated
configs changed - a was deleted
stored c: 10000000 bytes, 'from a buffer'
configs changed - c was updated
c has 10000000 bytes
read the buffer in 77 pieces
deleted bucket configs
"""


@pytest.fixture
def cli(server: NatsServer) -> Cli:
    return Cli(server)


def test_transcript(cli: Cli) -> None:
    heading, empty, transcript = cli.out("demo").split("\n", 2)
    assert heading == (
        f"nats-server {cli.server.version} at 127.0.0.1:{cli.server.port} (--server)"
    )
    assert (empty, transcript) == ("", TRANSCRIPT)
    assert "configs" not in cli.out("ls")


def test_existing_bucket_is_not_touched(cli: Cli) -> None:
    cli.run("mb", "configs", "--description", "mine")
    cli.run("put", "-", "configs/a", stdin=b"mine")
    try:
        transcript = cli.out("demo").split("\n", 2)[2]
        (name,) = set(re.findall(r"configs\S+", transcript))
        assert transcript.replace(name, "configs") == TRANSCRIPT
        assert cli.out("cat", "configs/a") == "mine"
        assert name not in cli.out("ls")
    finally:
        cli.run("rb", "--yes", "configs")


def test_example_and_demo_are_the_same_program() -> None:
    assert Path(jetstow.cli.intro.__file__).read_text() == EXAMPLE.read_text()


def test_example_without_any_configuration(tmp_path: Path) -> None:
    """A user's first program: a copied file, nothing configured, all warnings are errors."""
    program = tmp_path / "intro.py"
    program.write_bytes(EXAMPLE.read_bytes())
    bare = {key: os.environ[key] for key in ("PATH", "PYTHONPATH") if key in os.environ}
    result = subprocess.run(
        [sys.executable, "-W", "error", program],
        env={**bare, "HOME": str(tmp_path), "JETSTOW_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == TRANSCRIPT


def test_example_in_a_pipe_to_head(server: NatsServer) -> None:
    """It ended with a traceback (BrokenPipeError)."""
    result = subprocess.run(
        ["bash", "-c", f"{sys.executable} -u {EXAMPLE} | head -n 1"],
        env=os.environ | {"NATS_URL": server.url}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (result.stdout, result.stderr) == (TRANSCRIPT.partition("\n")[0] + "\n", "")


def test_make_demo_uses_its_own_server(tmp_path: Path) -> None:
    """`make demo` used the server in `NATS_URL`."""
    python = Path(sys.executable).parent
    command = ["make", "-s", "-o", ".venv/.stamp-runtime", "demo", f"BIN={python}"]
    env = os.environ | {"NATS_URL": "nats://127.0.0.1:1", "TMPDIR": str(tmp_path)}
    result = subprocess.run(
        command, cwd=EXAMPLE.parents[1], env=env, capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stderr) == (0, "")
    heading, _, transcript = result.stdout.split("\n", 2)
    assert heading.endswith("(embedded)")
    assert transcript == TRANSCRIPT
    assert list(tmp_path.iterdir()) == []


def test_two_demos_at_the_same_time(tmp_path: Path) -> None:
    env = {"NATS_URL": "", "XDG_CONFIG_HOME": str(tmp_path), "JETSTOW_HOME": str(tmp_path / "home")}
    with ExitStack() as stack:
        demos = [stack.enter_context(Process("demo", env=env)) for _ in range(2)]
        for demo in demos:
            code, out, err = demo.communicate()
            assert (code, err) == (0, "")
            assert re.sub(r"configs-\w+", "configs", out.decode()).endswith("\n\n" + TRANSCRIPT)
