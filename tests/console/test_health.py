"""The health of the server, and the load of the last hour."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from jetstow.console.history import History, new_history
from jetstow.s3.observe import Metrics, Record
from tests.support.console import RunningConsole, error_code
from tests.support.gateway import OTHER, READER, WRITER
from tests.support.servers import NatsServer

if TYPE_CHECKING:
    from tests.support.console import ConsoleClient


def test_health(console: RunningConsole, client: ConsoleClient, s3: Any, s3_bucket: str) -> None:
    s3.put_object(Bucket=s3_bucket, Key="a", Body=b"a")
    s3.list_objects_v2(Bucket=s3_bucket)
    health = client.get("health").json()
    assert set(health["server"]) == {"name", "version", "cluster", "servers"}
    assert (health["server"]["cluster"], health["server"]["servers"]) == (None, 1)
    assert health["server"]["version"][0].isdigit()
    assert health["connected"] is True
    assert health["round_trip_ms"] > 0
    usage = health["jetstream"]
    assert usage["streams"] >= 1
    assert usage["max_streams"] == -1
    (index,) = [each for each in health["indexes"] if each["bucket"] == s3_bucket]
    assert index["names"] == 1
    assert index["lag_ms"] > 0
    for key, sees in ((READER, True), (WRITER, False), (OTHER, False)):
        with console.sign_in(key) as other:
            seen = other.get("health").json()
            assert seen["jetstream"] is None
            assert (s3_bucket in {each["bucket"] for each in seen["indexes"]}) is sees
            assert error_code(other.get("history")) == "NotAnAdmin"


def test_health_while_nats_is_away() -> None:
    """Health answered 500: uvloop raises RuntimeError for a write to a closed connection."""
    with NatsServer() as nats, RunningConsole(nats.url, outage_limit=0.5) as console:
        client = console.sign_in()
        nats.kill()
        refused = client.get("buckets")  # it waits until the outage is too long
        assert (refused.status_code, error_code(refused)) == (503, "ServiceUnavailable")
        health = client.get("health")
        assert health.status_code == 200
        assert (health.json()["connected"], health.json()["round_trip_ms"]) == (False, None)
        # The page is loaded, and shows that NATS is away.
        assert client.get("session").json()["access_key"] == client.session["access_key"]
        client.sign_in(READER)
        client.close()


async def test_history(console: RunningConsole, client: ConsoleClient) -> None:
    history = console.console.context.part(new_history)
    await history.sample()
    shown = client.get("history").json()
    assert shown["step"] == 10
    for name in ("operations", "errors", "received", "sent"):
        assert len(shown[name]) == len(shown["times"]), name


def record(operation: str, status: int, seconds: float, received: int, sent: int) -> Record:
    ended = Record("id", "GET", "/", operation=operation, status=status)
    ended.started -= seconds
    ended.received, ended.sent = received, sent
    return ended


async def test_rates() -> None:
    metrics, now = Metrics(), 1000.0
    history = History(metrics.registry, lambda: now)
    metrics.end(record("GetObject", 200, 0.0, 0, 5))
    assert history.describe()["times"] == []
    await history.sample()
    for status in (200, 404, 403, 500):
        metrics.end(record("GetObject", status, 0.2, 10, 100))
    metrics.end(record("PutObject", 200, 1000, 0, 0))
    now = 1010.0
    await history.sample()
    await history.sample()  # in the same second: it is of no use
    now = 1020.0
    await history.sample()
    shown = history.describe()
    assert shown["times"] == [1010, 1020]
    assert shown["operations"] == [0.5, 0]
    assert shown["errors"] == [0.2, 0], "an object that does not exist is no error"
    assert (shown["received"], shown["sent"]) == ([4, 0], [40, 0])
    put, get = shown["slowest"]
    assert (put["operation"], put["count"], put["max_ms"]) == ("PutObject", 1, None)
    assert put["mean_ms"] >= 1_000_000
    assert (get["operation"], get["count"], get["max_ms"]) == ("GetObject", 4, 250)
    for second in range(1030, 5000, 10):
        now = float(second)
        await history.sample()
    shown = history.describe()
    assert len(shown["times"]) == 360
    assert shown["slowest"] == []


@pytest.mark.slow
def test_samples_of_all_workers(tmp_path: Path) -> None:
    """A worker counts the requests of all of them."""
    program = (
        "import os\n"
        "from jetstow.console.history import read_sample\n"
        "from jetstow.s3.observe import Metrics, Record\n"
        "child = os.fork()\n"
        "metrics = Metrics()\n"
        "metrics.end(Record('id', 'GET', '/', operation='GetObject', status=200))\n"
        "if child:\n"
        "    assert os.waitpid(child, 0)[1] == 0\n"
        "    sample = read_sample(metrics.registry, 1)\n"
        "    print(sample.operations, sample.durations['GetObject'].count)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True,
        env={**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)},
    )  # fmt: skip
    assert result.stdout.split() == ["2.0", "2.0"]
