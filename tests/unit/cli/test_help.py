"""Help texts and usage errors, both without a server."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer.main
from typer.testing import CliRunner, Result

import jetstow
from jetstow.cli import errors
from jetstow.cli.app import COMMANDS, app

NAMES = [module.__name__.rpartition(".")[2] for module in COMMANDS]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments, prog_name="jetstow")


def test_list_of_commands_and_exit_codes() -> None:
    result = run("--help")
    assert result.exit_code == 0
    assert len(NAMES) == 33
    for name in NAMES:
        assert f"\n  {name} " in result.stdout
    for code, meaning in errors.EXIT_CODES.items():
        assert f"{code:>5}  {meaning}\n" in result.stdout


@pytest.mark.parametrize(
    "command",
    [
        (),
        *((name,) for name in NAMES),
        ("lifecycle", "run"),
        ("server", "start"),
        ("server", "status"),
        ("server", "stop"),
    ],
)
def test_help_in_80_columns(command: tuple[str, ...]) -> None:
    """The width was 80 in the test, but 78 in a terminal of 80 columns: a summary was cut."""
    result = CliRunner().invoke(app, [*command, "-h"], prog_name="jetstow", terminal_width=78)
    assert result.exit_code == 0
    assert result.stdout.startswith(f"Usage: jetstow {' '.join(command)}".rstrip())
    assert max(map(len, result.stdout.splitlines())) <= 80
    assert "...\n" not in result.stdout.partition("\n")[2], "a summary is cut short"


def test_narrow_help_has_whole_summaries() -> None:
    help_text = CliRunner().invoke(app, ["-h"], prog_name="jetstow", terminal_width=50).stdout
    for name, command in typer.main.get_command(app).commands.items():  # type: ignore[attr-defined]
        assert f"{name} {command.get_short_help_str(1000)}" in " ".join(help_text.split())


def test_usage_line_with_arguments() -> None:
    assert "jetstow put [OPTIONS] FILE... BUCKET/[NAME]\n" in run("put", "--help").stdout
    assert "jetstow get [OPTIONS] BUCKET/NAME [PATH]\n" in run("get", "--help").stdout


def test_option_that_turns_another_off() -> None:
    """Only the first name was shown: `--suspend-versions` was nowhere."""
    assert "--versioned, --suspend-versions" in run("edit", "--help").stdout


def test_version() -> None:
    assert run("--version").stdout == f"jetstow {jetstow.__version__}\n"


def test_help_without_a_command() -> None:
    result = run()
    assert result.exit_code == errors.USAGE
    assert "Usage: jetstow" in result.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("frobnicate", "no such command 'frobnicate'"),
        ("lss", "did you mean 'ls'?"),
        ("put", "missing argument 'FILE...'"),
        ("put a", "missing argument 'BUCKET/[NAME]'"),
        ("cp ./a", "missing argument 'TARGET'"),
        ("mv", "missing argument 'SOURCE...'"),
        ("cat", "missing argument 'BUCKET/NAME...'"),
        ("ls s3://bucket/a", "'s3://bucket/a' is not a bucket of NATS: use BUCKET/NAME"),
        ("edit b/a", "nothing to change"),
        ("edit b/a --ttl 1h", "'b/a' names an object: it has no --ttl"),
        ("edit b --tag x", "'b' names a bucket: it has no --tag"),
        ("rm b", "'b' names a bucket: add --recursive"),
        ("rm b/f/", "'b/f/' is a folder: add --recursive"),
        ("cat b/x b/y --offset 1", "--offset and --length are for a single object"),
        ("ls --tlscert LICENSE", "--tlscert needs --tlskey"),
        ("ls --tlskey LICENSE", "--tlskey needs --tlscert"),
        ("ls --tlsca LICENSE", "--tlsca 'LICENSE' is a file without certificates"),
        ("ls --nkey LICENSE", "--nkey 'LICENSE' is a file without an NKey seed"),
        (
            "ls --creds LICENSE",
            "--creds 'LICENSE' is a file without the JWT and the NKey seed of a user",
        ),
        ("ls --nkey LICENSE --creds LICENSE", "--creds and --nkey are two kinds"),
        ("ls --nonsense", "no such option: --nonsense"),
        ("mb x --storage tape", "'tape' is not one of 'file', 'memory'"),
        ("mb x --ttl soon", "'soon' is not a time"),
        ("mb x --max-bytes lots", "'lots' is not a size"),
        ("mb x/y", "'x/y' names no bucket: use BUCKET"),
        ("get x", "'x' names no object: use BUCKET/NAME"),
        ("cat /x", "'/x' does not start with a bucket"),
        ("put LICENSE ./x", "'./x' is a file or folder: use BUCKET/NAME"),
        ("ls --timeout x", "'x' is not a time"),
        ("ls --timeout 0", "'0' is not a timeout: use 500ms or 10s"),
        ("--creds /nowhere/at.all ls", "does not exist"),
        ("watch x --count -1", "'-1' is not a whole number"),
    ],
)
def test_usage_error_on_one_line(arguments: str, message: str) -> None:
    result = run(*arguments.split())
    assert result.exit_code == errors.USAGE, result.output
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("jetstow: ")
    assert message in line.lower() or message in line


@pytest.mark.parametrize("command", ["put LICENSE b/", "cat b/a", "sync . b"])
def test_key_file_that_cannot_be_read(command: str, tmp_path: Path) -> None:
    """It printed a traceback. Its kinds: no file, a folder, and a device without an end."""
    for path, code, message in (
        ("nokey", errors.NOT_FOUND, "'nokey': No such file or directory"),
        (str(tmp_path), errors.ERROR, f"{str(tmp_path)!r}: Is a directory"),
        (
            "/dev/zero",
            errors.USAGE,
            "'/dev/zero' does not contain a key: create one with jetstow keygen",
        ),
    ):
        result = run(*command.split(), "--key-file", path)
        assert (result.exit_code, result.stderr) == (code, f"jetstow: {message}\n"), result.output


def test_empty_server_option() -> None:
    assert "--server" in run("ls", "--server", "").stderr
    assert run("--server", "", "ls").exit_code == errors.USAGE
