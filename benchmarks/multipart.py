"""Multipart uploads to the S3 gateway by boto3: `python -m benchmarks.multipart`.

256 MiB in parts of 8 MiB, 10 at once, to the gateway as it is and to one whose parts all go to the
spool, so that Complete copies them. The uploads run in turn; the ratio is the result. Each gateway
is a process, whose CPU time and growth of memory are measured.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

from boto3.s3.transfer import TransferConfig

import jetstow.sync
from jetstow.s3.multipart.spool import SPOOL
from jetstow.s3.multipart.turns import Turns
from jetstow.s3.server import tune_malloc
from tests.support.gateway import RunningGateway, new_client
from tests.support.servers import NatsServer

MIB = 1024 * 1024
SIZE = 256 * MIB
PART = 8 * MIB
CONFIG = TransferConfig(multipart_threshold=PART, multipart_chunksize=PART, max_concurrency=10)
REPEATS = 5
KINDS = ("in order", "spool and copy")
_SERVE = "--serve"


@dataclass
class Samples:
    """The figures of one gateway, by upload."""

    seconds: list[float] = field(default_factory=list)
    complete: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    growth: list[float] = field(default_factory=list)
    spooled: list[int] = field(default_factory=list)


class GatewayProcess:
    """A gateway in a process of its own."""

    def __init__(self, nats_url: str, kind: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.multipart", _SERVE, nats_url, kind],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip()

    def close(self) -> None:
        self._process.communicate()

    def cpu(self) -> float:
        """Return the CPU time so far, in seconds."""
        fields = self._read("stat").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def reset_peak(self) -> None:
        """Let the peak of the memory begin again."""
        Path(f"/proc/{self._process.pid}/clear_refs").write_text("5")

    def memory(self, name: str) -> int:
        """Return VmRSS or VmHWM, in bytes."""
        line = next(line for line in self._read("status").splitlines() if line.startswith(name))
        return int(line.split()[1]) * 1024

    def _read(self, name: str) -> str:
        return Path(f"/proc/{self._process.pid}/{name}").read_text()


def serve(nats_url: str, kind: str) -> None:
    """Run a gateway until the standard input ends."""
    if kind == KINDS[1]:

        async def never(self: Turns, number: int) -> bool:  # noqa: ARG001
            await asyncio.sleep(0)
            return False

        Turns.take = never  # type: ignore[method-assign]
    tune_malloc()
    with RunningGateway(nats_url) as gateway:
        print(gateway.url, flush=True)
        sys.stdin.read()


def upload(gateway: GatewayProcess, data: bytes, spool: Any, samples: Samples) -> None:
    """Upload once, and record the figures."""
    client = new_client(gateway.url)
    completed: list[float] = []
    events = client.meta.events
    events.register(
        "before-call.s3.CompleteMultipartUpload", lambda **_: completed.append(time.perf_counter())
    )
    client.create_bucket(Bucket="benchmark")
    before, cpu, memory = spool(), gateway.cpu(), gateway.memory("VmRSS")
    gateway.reset_peak()
    began = time.perf_counter()
    client.upload_fileobj(BytesIO(data), "benchmark", "object", Config=CONFIG)
    ended = time.perf_counter()
    samples.seconds.append(ended - began)
    samples.complete.append(ended - completed[0])
    samples.cpu.append(gateway.cpu() - cpu)
    samples.growth.append(max(0, gateway.memory("VmHWM") - memory) / MIB)
    samples.spooled.append(spool() - before)
    assert client.head_object(Bucket="benchmark", Key="object")["ContentLength"] == len(data)
    client.delete_object(Bucket="benchmark", Key="object")
    client.close()


def main() -> None:
    """Measure both gateways, and print a table."""
    data = os.urandom(SIZE)
    with NatsServer() as server, jetstow.sync.connect(server.url) as client:
        js = client.jetstream()

        def spool() -> int:
            """Count the parts that were ever spooled."""
            if SPOOL not in js.object_store_names():
                return 0
            return len(js.object_store(SPOOL).list(ignore_deletes=False))

        gateways = {kind: GatewayProcess(server.url, kind) for kind in KINDS}
        samples = {kind: Samples() for kind in KINDS}
        for repeat in range(REPEATS + 1):
            for kind in KINDS:
                # The first uploads create buckets and fill caches.
                figures = samples[kind] if repeat else Samples()
                upload(gateways[kind], data, spool, figures)
        for gateway in gateways.values():
            gateway.close()
    report(samples)


def report(samples: dict[str, Samples]) -> None:
    """Print the medians, and the ratio."""
    print(f"{'':16} {'MiB/s':>7} {'Complete':>9} {'CPU s':>6} {'MiB grown':>10} {'spooled':>8}")
    for kind, each in samples.items():
        rate = SIZE / MIB / statistics.median(each.seconds)
        print(
            f"{kind:16} {rate:7.0f} {statistics.median(each.complete):7.2f} s "
            f"{statistics.median(each.cpu):6.2f} {max(each.growth):10.1f} {max(each.spooled):8}"
        )
    fast, slow = (samples[kind] for kind in KINDS)
    ratio = statistics.median(slow.seconds) / statistics.median(fast.seconds)
    cpu = statistics.median(fast.cpu) / statistics.median(slow.cpu)
    print(f"in order is {ratio:.2f} times as fast, with {cpu:.2f} of the CPU time")


if __name__ == "__main__":
    if _SERVE in sys.argv:
        serve(*sys.argv[2:])
    else:
        main()
