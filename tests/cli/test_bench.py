"""bench: what it tells, and that it leaves no bucket behind."""

from __future__ import annotations

import json
import signal
from typing import Any

import pytest

from jetstow.cli import errors
from tests.support.cli import Cli, wait_until
from tests.support.servers import NatsServer

QUICK = ("bench", "--size", "300K", "--count", "5")


@pytest.fixture
def cli(server: NatsServer) -> Cli:
    return Cli(server)


def bench_buckets(cli: Cli) -> list[str]:
    return [name for name in cli.out("ls").splitlines() if name.startswith("bench-")]


def test_it_fits_a_terminal_and_names_the_server(cli: Cli) -> None:
    heading, *rows = cli.out(*QUICK).splitlines()
    assert heading.split() == ["MEASURED", "SPEED", "MEDIAN", "P99"]
    assert [row[:10].strip() for row in rows] == [
        "put 300 Ki", "get 300 Ki", "put 1 KiB", "get 1 KiB", "round trip", "", "nats-serve",
    ]  # fmt: skip
    assert rows[-1] == (
        f"nats-server {cli.server.version} at 127.0.0.1:{cli.server.port} (--server), "
        "file storage, 1 replica"
    )
    assert max(map(len, rows)) <= 80
    assert bench_buckets(cli) == []


def test_as_data(cli: Cli) -> None:
    data = cli.json(*QUICK, "--storage", "memory")
    assert data["version"] == cli.server.version
    assert (data["storage"], data["replicas"]) == ("memory", 1)
    for what in ("put", "get"):
        assert (data[what]["size"], data[what]["runs"]) == (300 << 10, 3)
        assert data[what]["bytes_per_second"] == pytest.approx(
            data[what]["size"] / data[what]["seconds"]
        )
    for what in ("put_1k", "get_1k", "round_trip"):
        assert data[what]["count"] == 5
        assert 0 < data[what]["median"] <= data[what]["p99"]


@pytest.mark.parametrize("nothing", [("--size", "0"), ("--count", "0")])
def test_nothing_cannot_be_measured(cli: Cli, nothing: tuple[str, str]) -> None:
    assert "must be 1 or more" in cli.error(errors.USAGE, "bench", *nothing)


def test_a_bucket_that_cannot_be_made(cli: Cli) -> None:
    assert "bench-" in cli.error(errors.USAGE, *QUICK, "--replicas", "3")
    assert bench_buckets(cli) == []


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, errors.INTERRUPTED), (signal.SIGTERM, 143)]
)
def test_the_bucket_goes_when_it_is_ended(cli: Cli, number: int, code: int) -> None:
    with cli.start("bench", "--size", "2G") as process:
        wait_until(lambda: any(cli.chunks(bucket) for bucket in bench_buckets(cli)))
        process.signal(number)
        assert process.ended() == (code, "")
    assert bench_buckets(cli) == []


def test_the_bucket_goes_when_a_put_fails() -> None:
    """What does not fit is told, and what was there is gone."""
    with NatsServer(jetstream="max_file_store: 2M") as server:
        cli = Cli(server)
        error: Any = cli.error(errors.ERROR, "bench", "--size", "5M", "--count", "2")
        assert "bench-" in error
        assert json.loads(cli.out("buckets", "--json")) == []
