"""Help and wrong usage: what the command line says before it connects to anything."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner, Result

import jetstow
from jetstow.cli import errors
from jetstow.cli.app import app

COMMANDS = (
    "demo", "mb", "rb", "buckets", "seal", "status", "put", "get", "cat", "ls", "info", "rm", "mv",
    "ln", "watch", "verify", "gc", "backup", "restore", "mirror", "server", "bench",
)  # fmt: skip


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments, prog_name="jetstow")


def test_help_names_every_command_and_every_exit_code() -> None:
    result = run("--help")
    assert result.exit_code == 0
    for name in COMMANDS:
        assert f"\n  {name} " in result.stdout
    for code, meaning in errors.MEANINGS.items():
        assert f"{code:>5}  {meaning}\n" in result.stdout


@pytest.mark.parametrize(
    "command", [(), *((name,) for name in COMMANDS), ("server", "start"), ("server", "status")]
)
def test_help_fits_a_terminal_and_cuts_nothing_short(command: tuple[str, ...]) -> None:
    result = run(*command, "-h")
    assert result.exit_code == 0
    assert result.stdout.startswith(f"Usage: jetstow {' '.join(command)}".rstrip())
    assert max(map(len, result.stdout.splitlines())) <= 80
    assert "...\n" not in result.stdout.partition("\n")[2]


def test_the_usage_line_has_the_arguments_as_one_types_them() -> None:
    assert "jetstow put [OPTIONS] FILE... BUCKET/[NAME]\n" in run("put", "--help").stdout
    assert "jetstow get [OPTIONS] BUCKET/NAME [PATH]\n" in run("get", "--help").stdout


def test_version() -> None:
    assert run("--version").stdout == f"jetstow {jetstow.__version__}\n"


def test_no_command_at_all_shows_the_help_as_an_error() -> None:
    result = run()
    assert result.exit_code == errors.USAGE
    assert "Usage: jetstow" in result.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("frobnicate", "no such command 'frobnicate'"),
        ("lss", "did you mean 'ls'?"),
        ("put", "missing argument 'FILE...'"),
        ("put a", "missing argument"),
        ("ls --nonsense", "no such option: --nonsense"),
        ("mb x --storage tape", "'tape' is not one of 'file', 'memory'"),
        ("mb x --ttl soon", "'soon' is no time"),
        ("mb x --max-bytes lots", "'lots' is no size"),
        ("mb x/y", "'x/y' is an object's address"),
        ("get x", "'x' names no object"),
        ("cat /x", "'/x' begins with no bucket"),
        ("ls --timeout x", "'x' is no time"),
        ("--creds /nowhere/at.all ls", "does not exist"),
        ("watch x --count -1", "'-1' is no whole number"),
    ],
)
def test_wrong_usage_is_told_in_one_line(arguments: str, said: str) -> None:
    result = run(*arguments.split())
    assert result.exit_code == errors.USAGE, result.output
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("jetstow: ")
    assert said in line.lower() or said in line


def test_an_empty_server_is_a_mistake_and_no_choice() -> None:
    assert "--server" in run("ls", "--server", "").stderr
    assert run("--server", "", "ls").exit_code == errors.USAGE
