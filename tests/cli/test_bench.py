"""bench: its output, and that it deletes its bucket."""

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


def test_table_in_80_columns(cli: Cli) -> None:
    heading, *rows = cli.out(*QUICK).splitlines()
    assert heading.split() == ["MEASURED", "RATE", "MEDIAN", "P99"]
    assert [row[:10].strip() for row in rows] == [
        "put 300 Ki", "get 300 Ki", "put 1 KiB", "get 1 KiB", "round trip", "", "nats-serve",
    ]  # fmt: skip
    assert rows[-1] == (
        f"nats-server {cli.server.version} at 127.0.0.1:{cli.server.port} (--server), "
        "file storage, 1 replica"
    )
    assert max(map(len, rows)) <= 80
    assert bench_buckets(cli) == []


def test_json(cli: Cli) -> None:
    data = cli.json(*QUICK, "--storage", "memory")
    assert data["version"] == cli.server.version
    assert (data["storage"], data["replicas"]) == ("memory", 1)
    for key in ("put", "get"):
        assert (data[key]["size"], data[key]["runs"]) == (300 << 10, 3)
        assert data[key]["bytes_per_second"] == pytest.approx(
            data[key]["size"] / data[key]["seconds"]
        )
    for key in ("put_1k", "get_1k", "round_trip"):
        assert data[key]["count"] == 5
        assert 0 < data[key]["median"] <= data[key]["p99"]


@pytest.mark.parametrize("option", [("--size", "0"), ("--count", "0")])
def test_size_or_count_of_zero(cli: Cli, option: tuple[str, str]) -> None:
    assert "must be 1 or more" in cli.error(errors.USAGE, "bench", *option)


def test_bucket_that_cannot_be_created(cli: Cli) -> None:
    assert "bench-" in cli.error(errors.USAGE, *QUICK, "--replicas", "3")
    assert bench_buckets(cli) == []


def test_bucket_that_may_not_be_created() -> None:
    """Deleting it failed, too: that error and a command to delete the bucket were printed."""
    users = "authorization { users: [{user: u, password: p, permissions: {publish: {deny: "
    users += '["$JS.API.STREAM.CREATE.>", "$JS.API.STREAM.DELETE.>"]}}}] }'
    with NatsServer(config=users) as server:
        url = f"nats://u:p@127.0.0.1:{server.port}"
        error = Cli(server).error(errors.REFUSED, *QUICK, "--server", url)
    assert "STREAM.CREATE.OBJ_bench-" in error


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, errors.INTERRUPTED), (signal.SIGTERM, 143)]
)
def test_bucket_is_deleted_after_a_signal(cli: Cli, number: int, code: int) -> None:
    with cli.start("bench", "--size", "2G") as process:
        wait_until(lambda: any(cli.chunks(bucket) for bucket in bench_buckets(cli)))
        process.signal(number)
        assert process.wait() == (code, "")
    assert bench_buckets(cli) == []


def test_bucket_is_deleted_after_a_failed_put() -> None:
    """The error names the bucket, and the bucket is deleted."""
    with NatsServer(jetstream="max_file_store: 2M") as server:
        cli = Cli(server)
        error: Any = cli.error(errors.ERROR, "bench", "--size", "5M", "--count", "2")
        assert "bench-" in error
        assert json.loads(cli.out("buckets", "--json")) == []
