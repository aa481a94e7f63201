"""Shell completion: fast, silent, and without starting a server."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from jetstow.cli.app import app
from tests.support.cli import Cli, Process


def completion_env(line: str, **env: str) -> dict[str, str]:
    """Return the environment in which bash completes the last word of the line."""
    words = {"COMP_WORDS": line, "COMP_CWORD": str(line.count(" "))}
    return {"_JETSTOW_COMPLETE": "complete_bash", **words, **env}


def complete(line: str, **env: str) -> list[str]:
    """Return the completions of the last word of the line."""
    result = CliRunner().invoke(app, env=completion_env(line, **env), prog_name="jetstow")
    assert (result.exit_code, result.stderr) == (0, "")
    return [line for line in result.stdout.split("\n") if line]


def test_commands_and_options() -> None:
    assert complete("jetstow se") == ["seal", "serve", "server"]
    assert complete("jetstow server st") == ["start", "status", "stop"]
    assert complete("jetstow watch --up") == ["--updates-only"]


def test_buckets(cli: Cli, bucket: str) -> None:
    cli.run("mb", f"{bucket}-2")
    url = cli.server.url
    assert complete(f"jetstow rb {bucket}", NATS_URL=url) == [bucket, f"{bucket}-2"]
    assert complete(f"jetstow ls {bucket}", NATS_URL=url) == [f"{bucket}/", f"{bucket}-2/"]
    assert complete(f"jetstow --server {url} rb {bucket}-") == [f"{bucket}-2"]
    assert complete(f"jetstow rb --server {url} {bucket}-") == [f"{bucket}-2"]
    assert complete("jetstow mb buck", NATS_URL=url) == []


def test_objects(cli: Cli, bucket: str) -> None:
    for name in ("a/b", "a/ü", "with a space", "line\nbreak"):
        cli.run("put", "-", f"{bucket}/{name}", stdin=b"x")
    cli.run("rm", f"{bucket}/a/b")
    url = cli.server.url
    assert complete(f"jetstow cat {bucket}/a/", NATS_URL=url) == [f"{bucket}/a/ü"]
    contents = [f"{bucket}/a/", f"{bucket}/with a space"]
    assert complete(f"jetstow rm x {bucket}/", NATS_URL=url) == contents
    assert complete(f"jetstow get jetstow://{bucket}/w", NATS_URL=url) == [
        f"jetstow://{bucket}/with a space"
    ]


def test_arguments_of_put(cli: Cli, bucket: str) -> None:
    Path("bunch").mkdir()
    Path("bush.txt").touch()
    url = cli.server.url
    assert complete("jetstow put b", NATS_URL=url) == []  # the shell completes files itself
    completions = complete("jetstow put bush.txt bu", NATS_URL=url)
    assert completions[:2] == ["bunch/", "bush.txt"]
    assert f"{bucket}/" in completions
    assert f"{bucket}/" in complete(f"jetstow put {Path.cwd()}/bush.txt {bucket}", NATS_URL=url)


@pytest.mark.parametrize(
    "env",
    [
        {"NATS_URL": "nats://127.0.0.1:1"},
        {"NATS_URL": "nonsense://x:y"},
        {"NATS_URL": "", "NATS_CONTEXT": "no-such-context"},
        {"NATS_URL": "", "XDG_CONFIG_HOME": "nowhere", "JETSTOW_HOME": "home"},
    ],
)
def test_failure_is_silent(cli: Cli, env: dict[str, str]) -> None:
    with Process(env=completion_env("jetstow ls ", **env)) as process:
        assert process.communicate() == (0, b"\n", "")
    assert list(Path().iterdir()) == [], "an embedded server was started"


@pytest.mark.slow
def test_running_embedded_server(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("NATS_URL", ""), ("XDG_CONFIG_HOME", "none"), ("JETSTOW_HOME", "home")):
        monkeypatch.setenv(name, value)
    with Process("server", "start") as process:
        process.stdout.readline()
        with Process("mb", "here") as mb:
            assert mb.communicate()[0] == 0
        with Process(env=completion_env("jetstow rb ")) as completion:
            assert completion.communicate() == (0, b"here\n", "")
        process.signal(15)
        assert process.wait() == (0, "")
