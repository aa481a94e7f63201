"""Outages and cancellations: how long a command waits, and what it says about what is kept."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from jetstow import _connect
from jetstow._core.write.purge import purge_replaced
from jetstow.cli import errors
from tests.support.cli import Cli, wait_until
from tests.support.servers import NatsServer


@pytest.fixture
def own(bucket: str) -> Iterator[Cli]:
    """A server that the test kills, with a bucket."""
    with NatsServer() as server:
        cli = Cli(server)
        cli.run("mb", bucket)
        yield cli


# -- outages -----------------------------------------------------------------------------


def test_outage_that_is_longer_than_the_timeout(own: Cli, bucket: str) -> None:
    """--timeout also limited the outage: the put failed after the first attempt to reconnect."""
    with own.start("put", "-", f"{bucket}/a", "--timeout", "2", "--verbose") as process:
        process.stdin.write(bytes(1_000_000))
        process.stdin.flush()
        wait_until(lambda: own.chunks(bucket) > 5)
        own.server.kill()
        refused = 0
        while refused < 3:
            refused += b"Connect call failed" in process.stderr.readline()
        own.server.start()
        code, out, err = process.communicate(bytes(1_000_000))
    assert code == 0, err
    assert f"{bucket}/a: 1.9 MiB stored" in out.decode()
    assert "jetstow: reconnected" in err


@pytest.fixture
def short_outages(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = {"max_reconnect_attempts": 2, "reconnect_time_wait": 0.1}
    monkeypatch.setattr(_connect, "_RECONNECT_DEFAULTS", limits)


@pytest.mark.usefixtures("short_outages")
def test_end_of_an_outage_names_the_reason_once(own: Cli, bucket: str) -> None:
    """ "connection lost" was printed twice, and the reason was "it was closed"."""
    own.run("put", "-", f"{bucket}/a", stdin=b"x")
    kill = f"kill -9 {own.server.pid}"
    result = own.run("watch", bucket, "--exec", kill, code=errors.UNREACHABLE)
    lines = result.stderr.splitlines()
    lost, failed = [line for line in lines if "watching bucket" not in line]
    assert lost == "jetstow: connection lost; reconnecting"
    expected = rf"jetstow: {bucket}: the connection was lost and not restored within \d+s: "
    assert re.fullmatch(expected + "Connection refused", failed)


@pytest.mark.usefixtures("short_outages")
def test_outage_during_a_put_with_resume(
    own: Cli, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JETSTOW_HOME", str(tmp_path / "home"))
    path = tmp_path / "file"
    path.write_bytes(bytes(3_000_000))
    on_progress(monkeypatch, own.server.kill)
    result = own.run("put", str(path), f"{bucket}/a", "--resume", code=errors.UNREACHABLE)
    lost, failed, kept = result.stderr.splitlines()
    assert lost == "jetstow: connection lost; reconnecting"
    assert "the connection was lost and not restored within" in failed
    assert re.match(r"jetstow: up to \d+ of 3000000 bytes are kept as chunks in bucket ", kept)


# -- cancellations -----------------------------------------------------------------------


def on_progress(monkeypatch: pytest.MonkeyPatch, call: Callable[[], object]) -> None:
    """Call a function once in the transfer, after 1 MB."""
    calls = [call]

    @contextmanager
    def progress(*_: Any, **__: Any) -> Iterator[Callable[..., object]]:
        yield lambda done, _: calls.pop()() if done > 1_000_000 and calls else None

    monkeypatch.setattr("jetstow.cli.progress.progress", progress)


def cancel() -> None:
    task = asyncio.current_task()
    assert task is not None
    task.cancel()


def test_cancelled_put_with_resume(
    cli: Cli, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JETSTOW_HOME", str(tmp_path / "home"))
    Path("file").write_bytes(bytes(3_000_000))
    on_progress(monkeypatch, cancel)
    command = ("put", "file", f"{bucket}/a", "--resume")
    error = cli.error(errors.INTERRUPTED, *command)
    (checkpoint,) = (tmp_path / "home" / "uploads").iterdir()
    assert re.fullmatch(
        rf"interrupted: up to \d+ of 3000000 bytes are kept as chunks in bucket {bucket!r}, the "
        rf"checkpoint is '{checkpoint}': put the file again with --resume to continue",
        error,
    )
    assert cli.chunks(bucket) > 0
    cli.run(*command)
    assert list(checkpoint.parent.iterdir()) == []


def test_cancelled_get_with_resume(cli: Cli, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    cli.run("put", "-", f"{bucket}/a", stdin=bytes(9_000_000))
    on_progress(monkeypatch, cancel)
    command = ("get", f"{bucket}/a", "x", "--resume")
    error = cli.error(errors.INTERRUPTED, *command)
    (partial,) = Path().iterdir()
    assert error == (
        f"interrupted: {partial.stat().st_size} of 9000000 bytes are kept in "
        f"'{partial.resolve()}': get the object again with --resume to continue"
    )
    cli.run(*command)
    assert [path.name for path in Path().iterdir()] == ["x"]


def test_cancelled_transfers_without_resume(
    cli: Cli, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the commit, a put is complete, and nothing is reported."""
    cli.run("put", "-", f"{bucket}/a", stdin=bytes(9_000_000))
    for command in (
        ("get", f"{bucket}/a", "x"),
        ("cp", f"{bucket}/a", "./x"),
        ("backup", bucket, "x"),
    ):
        on_progress(monkeypatch, cancel)
        error = cli.error(errors.INTERRUPTED, *command)
        assert re.fullmatch(r"interrupted: '(.*/)?x' was not written", error), command
        assert list(Path().iterdir()) == []

    async def cancel_and_purge(*arguments: Any) -> None:
        cancel()
        await purge_replaced(*arguments)

    monkeypatch.setattr("jetstow._core.write.put.purge_replaced", cancel_and_purge)
    result = cli.run("put", "-", f"{bucket}/a", stdin=b"new", code=errors.INTERRUPTED)
    assert result.stderr == ""
    assert cli.out("cat", f"{bucket}/a") == "new"
