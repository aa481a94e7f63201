"""The tour: `jetstow demo`, and the example that it is."""

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
""" + 76 * "read 131072 bytes\n" + """\
read 38528 bytes
deleted bucket configs
"""  # fmt: skip


@pytest.fixture
def cli(server: NatsServer) -> Cli:
    return Cli(server)


def test_the_demo_tells_its_story_on_any_server(cli: Cli) -> None:
    heading, empty, story = cli.out("demo").split("\n", 2)
    assert heading == (
        f"nats-server {cli.server.version} at 127.0.0.1:{cli.server.port} (--server)"
    )
    assert (empty, story) == ("", TRANSCRIPT)
    assert "configs" not in cli.out("ls")


def test_a_bucket_of_that_name_is_left_alone(cli: Cli) -> None:
    cli.run("mb", "configs", "--description", "mine")
    cli.run("put", "-", "configs/a", stdin=b"mine")
    try:
        story = cli.out("demo").split("\n", 2)[2]
        (name,) = set(re.findall(r"configs\S+", story))
        assert story.replace(name, "configs") == TRANSCRIPT
        assert cli.out("cat", "configs/a") == "mine"
        assert name not in cli.out("ls")
    finally:
        cli.run("rb", "--yes", "configs")


def test_the_example_is_the_demo() -> None:
    assert Path(jetstow.cli.intro.__file__).read_text() == EXAMPLE.read_text()


def test_the_example_runs_by_itself(tmp_path: Path) -> None:
    """As a user's first program: alone, with nothing configured, and told of no trouble."""
    program = tmp_path / "intro.py"
    program.write_bytes(EXAMPLE.read_bytes())
    bare = {key: os.environ[key] for key in ("PATH", "PYTHONPATH") if key in os.environ}
    ended = subprocess.run(
        [sys.executable, "-W", "error", program],
        env={**bare, "HOME": str(tmp_path), "JETSTOW_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == TRANSCRIPT


def test_two_demos_at_once_do_not_disturb_each_other(tmp_path: Path) -> None:
    env = {"NATS_URL": "", "XDG_CONFIG_HOME": str(tmp_path), "JETSTOW_HOME": str(tmp_path / "home")}
    with ExitStack() as stack:
        demos = [stack.enter_context(Process("demo", env=env)) for _ in range(2)]
        for demo in demos:
            code, out, err = demo.finished()
            assert (code, err) == (0, "")
            assert re.sub(r"configs-\w+", "configs", out.decode()).endswith("\n\n" + TRANSCRIPT)
