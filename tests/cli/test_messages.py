"""Errors that name the right thing, synonyms of commands, and --quiet."""

from __future__ import annotations

import os
import re
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main
from typer.testing import CliRunner

from jetstow.cli import errors
from jetstow.cli.app import app
from jetstow.cli.synonyms import SYNONYMS
from tests.support.cli import Cli


@pytest.mark.parametrize(
    ("command", "code", "message"),
    [
        (
            "put folder {b}/", errors.USAGE,
            "'folder' is a folder: use 'jetstow cp -r ./folder {b}/', or 'jetstow sync' for "  # noqa: ISC004
            "new and changed files only",
        ),
        (
            "cp a.jpg {b}/", errors.USAGE,
            "'a.jpg' is not BUCKET/NAME: write './a.jpg' for the file",
        ),
        (
            "mv a.jpg {b}/", errors.USAGE,
            "'a.jpg' is not BUCKET/NAME: write './a.jpg' for the file",
        ),
        (
            "cp folder/in {b}/", errors.NOT_FOUND,
            "there is no bucket 'folder': write './folder/in' for the file",
        ),
        (
            "cp {b}/a folder", errors.NOT_FOUND,
            "there is no bucket 'folder': write './folder' for the file",
        ),
        (
            "sync folder {b}", errors.USAGE,
            "'folder' is taken for BUCKET/NAME: write './folder' for the folder",
        ),
        (
            "sync {b} folder", errors.USAGE,
            "'folder' is taken for BUCKET/NAME: write './folder' for the folder",
        ),
        ("put a.jpg", errors.USAGE, "missing argument 'BUCKET/[NAME]' (see jetstow put --help)"),
        ("sync ./missing {b}", errors.NOT_FOUND, "'./missing': No such file or directory"),
        ("sync ./a.jpg {b}", errors.ERROR, "'./a.jpg': Not a directory"),
        (
            "sync {b}/typo ./out", errors.NOT_FOUND,
            "there is no object or folder 'typo' in bucket '{b}'",
        ),
        (
            "put a.jpg {b}/no --if-revision 5", errors.CONFLICT,
            "there is no object 'no' in bucket '{b}': it cannot be at revision 5",
        ),
        (
            "put a.jpg {b}/a --if-revision 5000", errors.CONFLICT,
            "object 'a' in bucket '{b}' is at revision 2, not at 5000: it was changed",
        ),
        (
            "get {b}/a --offset 1", errors.USAGE,
            "no such option: --offset (see jetstow get --help)",
        ),
    ],
)  # fmt: skip
def test_message(cli: Cli, bucket: str, command: str, code: int, message: str) -> None:
    Path("folder").mkdir()
    Path("folder/in").touch()
    Path("a.jpg").touch()
    cli.run("put", "-", f"{bucket}/a", stdin=b"x")
    error = cli.run(*command.format(b=bucket).split(), code=code).stderr.splitlines()
    assert error == [f"jetstow: {message.format(b=bucket)}"]


def test_if_revision_of_a_deleted_object(cli: Cli, bucket: str) -> None:
    cli.run("put", "-", f"{bucket}/a", stdin=b"x")
    cli.run("rm", f"{bucket}/a")
    error = cli.run("put", "-", f"{bucket}/a", "--if-revision", "2", code=errors.CONFLICT).stderr
    assert f"there is no object 'a' in bucket {bucket!r}" in error


# -- full disks --------------------------------------------------------------------------


def with_small_files(cli: Cli, *arguments: str) -> tuple[int, str]:
    """Run a command in a process whose files have at most 100 kB, as on a full disk."""

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    # The data file of coverage.py is larger.
    environment = {key: os.environ[key] for key in os.environ if not key.startswith("COVERAGE")}
    result = subprocess.run(
        [sys.executable, "-m", "jetstow", "--server", cli.server.url, *arguments],
        preexec_fn=limit, capture_output=True, text=True, check=False, env=environment,
    )  # fmt: skip
    return result.returncode, result.stderr


@pytest.mark.parametrize(
    ("command", "file"),
    [
        ("get {b}/a x", "x"),
        ("cp {b}/a ./x", "./x"),
        ("backup {b} x.tar", "x.tar"),
        ("sync {b} ./out", "out/a"),
    ],
)
def test_full_disk_names_the_file(cli: Cli, bucket: str, command: str, file: str) -> None:
    """The message was only "No space left on device"."""
    cli.run("put", "-", f"{bucket}/a", stdin=bytes(3_000_000))
    code, error = with_small_files(cli, *command.format(b=bucket).split())
    assert code == errors.ERROR
    (name,) = re.fullmatch(r"jetstow: '(.*)': File too large\n", error).groups()  # type: ignore[union-attr]
    assert Path(name).resolve() == Path(file).resolve()
    assert [path for path in Path().rglob("*") if path.is_file()] == []


def test_full_disk_of_a_resumed_get(cli: Cli, bucket: str) -> None:
    cli.run("put", "-", f"{bucket}/a", stdin=bytes(3_000_000))
    code, error = with_small_files(cli, "get", f"{bucket}/a", "x", "--resume")
    (partial,) = Path().iterdir()
    assert code == errors.ERROR
    name = str(partial.resolve())
    assert error == (
        f"jetstow: {name!r}: File too large\n"
        f"jetstow: 100000 of 3000000 bytes are kept in {name!r}: get the object again "
        "with --resume to continue\n"
    )
    cli.run("get", f"{bucket}/a", "x", "--resume")
    assert Path("x").stat().st_size == 3_000_000


def test_full_device_is_named(cli: Cli, bucket: str) -> None:
    cli.run("put", "-", f"{bucket}/a", stdin=b"x")
    error = cli.error(errors.ERROR, "get", f"{bucket}/a", "/dev/full")
    assert error == "'/dev/full': No space left on device"


# -- synonyms, options -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "ours"),
    [
        ("add", "jetstow put FILE BUCKET/"), ("del", "jetstow rm BUCKET/NAME"),
        ("lsl", "jetstow ls -lr"), ("purge", "jetstow rm -r"), ("copy", "jetstow cp -r"),
        ("mkdir", "jetstow mb"), ("DELETE", "jetstow rm"),
    ],
)  # fmt: skip
def test_synonym(command: str, ours: str) -> None:
    result = CliRunner().invoke(app, [command, "x", "--any"], prog_name="jetstow")
    assert result.exit_code == errors.USAGE
    assert result.stderr.startswith(f"jetstow: no such command {command!r}: did you mean '")
    assert ours in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_synonyms_are_not_commands() -> None:
    assert not SYNONYMS.keys() & set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]


def test_short_options_mean_the_same_everywhere() -> None:
    commands = typer.main.get_command(app).commands.values()  # type: ignore[attr-defined]
    groups = [getattr(command, "commands", {"": command}).values() for command in commands]
    options = [param.opts for group in groups for command in group for param in command.params]
    meanings: dict[str, set[str]] = {}
    for names in options:
        for short in (name for name in names if len(name) == 2):
            meanings.setdefault(short, set()).update(name for name in names if name != short)
    assert meanings["-n"] == {"--dry-run"}
    assert meanings["-q"] == {"--quiet"}
    assert meanings["-r"] == {"--recursive"}
    assert {short: names for short, names in meanings.items() if len(names) > 1} == {}


def test_quiet(cli: Cli, bucket: str) -> None:
    Path("in").mkdir()
    Path("in/a").write_text("a")
    address = f"{bucket}/a"
    commands = [
        ["mb", bucket], ["put", "in/a", f"{bucket}/"], ["cp", "./in/a", f"{bucket}/b"],
        ["get", address, "c"], ["mv", address, f"{bucket}/d"], ["ln", f"{bucket}/d", address],
        ["sync", "./in", bucket], ["backup", bucket, "t.tar"], ["restore", "t.tar", f"{bucket}-2"],
        ["mirror", bucket, f"{bucket}-2"], ["verify", bucket], ["gc", bucket], ["keygen", "key"],
        ["rm", f"{bucket}/b"], ["seal", "-y", bucket], ["rb", "-y", f"{bucket}-2"],
    ]  # fmt: skip
    for command in commands:
        assert cli.out(*command, "-q") == ""
    assert cli.out("-q", "ls", bucket) == "a\nd\n"  # results are not left out
    assert "would delete" in cli.out("sync", "./in", bucket, "-qn", "--delete")
    assert cli.json("info", address, "-q")["name"] == "a"
    assert "no object" in cli.error(errors.NOT_FOUND, "cat", f"{bucket}/x", "-q")
    cli.run("rb", "-qy", bucket)
