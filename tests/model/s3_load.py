"""Load on the S3 gateway: many clients, mixed sizes, and a gateway that is killed once.

    python -m tests.model.s3_load [--minutes 2] [--clients 32]

No acknowledged object is lost, and no request fails but those whose connection ended with the
gateway. Then ten parts in parallel grow the gateway's memory by at most 64 MiB.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from boto3.s3.transfer import TransferConfig
from botocore.exceptions import BotoCoreError, ClientError

from tests.support.gateway import new_client
from tests.support.served import Served
from tests.support.servers import NatsServer

MIB = 1024 * 1024
SIZES = (0, 100, 1024, 1024, 64 * 1024, 64 * 1024, MIB, 6 * MIB)
NAMES = 20
MAX_GROWTH = 64 * MIB
BUCKET = "load"
# A part of 5 MiB and a last one.
MULTIPART = TransferConfig(multipart_threshold=6 * MIB, multipart_chunksize=5 * MIB)


@dataclass
class Load:
    """The clients, and what each object may be: a digest, or None if there is none."""

    client: Any
    allowed: dict[str, set[str | None]] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)
    is_down: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)
    restarts: int = 0

    def run_client(self, number: int, seed: int) -> None:
        """Put, read and delete the objects of one client until the end."""
        chance = random.Random(f"{seed}/{number}")
        while not self.ended.is_set():
            key = f"{number}/{chance.randrange(NAMES)}"
            action = chance.choice((self._put, self._put, self._get, self._get, self._delete))
            restarts = self.restarts
            try:
                action(key, chance)
            except BotoCoreError as error:
                # The connection ended with the gateway, or was refused until it ran again.
                self.counts["cut or refused"] += 1
                if not self.is_down.is_set() and self.restarts == restarts:
                    self.errors.append(f"{key}: {error!r}")
                self.is_down.wait(0.1)
            except (ClientError, AssertionError) as error:
                self.errors.append(f"{key}: {error!r}")

    def _put(self, key: str, chance: random.Random) -> None:
        data = chance.randbytes(chance.choice(SIZES))
        digest = hashlib.sha256(data).hexdigest()
        self.allowed[key] = self.allowed.get(key, {None}) | {digest}  # until it is acknowledged
        if len(data) < 6 * MIB:
            self.client.put_object(Bucket=BUCKET, Key=key, Body=data)
        else:
            self.client.upload_fileobj(io.BytesIO(data), BUCKET, key, Config=MULTIPART)
        self.allowed[key] = {digest}
        self.counts["put"] += 1

    def _get(self, key: str, _: random.Random) -> None:
        self.check(key)
        self.counts["read"] += 1

    def _delete(self, key: str, _: random.Random) -> None:
        self.allowed[key] = self.allowed.get(key, {None}) | {None}
        self.client.delete_object(Bucket=BUCKET, Key=key)
        self.allowed[key] = {None}
        self.counts["deleted"] += 1

    def check(self, key: str) -> None:
        """Read an object, and check that its bytes are those of an allowed state."""
        try:
            data = self.client.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        except self.client.exceptions.NoSuchKey:
            found = None
        else:
            found = hashlib.sha256(data).hexdigest()
        assert found in self.allowed.get(key, {None}), f"{key} is lost or has other bytes"

    def check_all(self) -> None:
        """Check every object, and the list of them."""
        for key in self.allowed:
            self.check(key)
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
        listed = {item["Key"] for page in pages for item in page.get("Contents", ())}
        for key, states in self.allowed.items():
            assert len(states) > 1 or (key in listed) == (states != {None}), f"{key} in the list"


def run_load(home: Path, *, seconds: float, clients: int, seed: int) -> Counter[str]:
    """Run the load, with a gateway that is killed in the middle. Raises: `AssertionError`."""
    with NatsServer() as server, ExitStack() as stack:
        served = stack.enter_context(Served(server.url, home=home))
        client = new_client(
            served.url, served.key, retries={"total_max_attempts": 1},
            max_pool_connections=2 * clients,
        )  # fmt: skip
        client.create_bucket(Bucket=BUCKET)
        load = Load(client)
        with ThreadPoolExecutor(clients) as pool:
            runs = [pool.submit(load.run_client, number, seed) for number in range(clients)]
            try:
                load.ended.wait(seconds / 2)
                load.is_down.set()
                served.signal(signal.SIGKILL)
                address = f"{served.host}:{served.port}"
                again = stack.enter_context(Served(server.url, "--listen", address, home=home))
                again.wait_ready()
                load.restarts += 1
                load.is_down.clear()
                load.ended.wait(seconds / 2)
            finally:
                load.ended.set()
        for run in runs:
            run.result()
        log = [*served.log[-20:], *again.log[-40:]]
        assert not load.errors, "\n".join(load.errors[:20] + log)
        load.check_all()
        load.counts["growth in MiB"] = growth_of_parts(client, again.pid)
    return load.counts


def growth_of_parts(client: Any, pid: int) -> int:
    """Return by how many MiB ten parts at the same time grow the gateway's memory."""
    config = TransferConfig(multipart_chunksize=8 * MIB, max_concurrency=10)
    data = bytes(160 * MIB)
    client.upload_fileobj(io.BytesIO(data[: 16 * MIB]), BUCKET, "parts", Config=config)
    before = _memory(pid, "VmRSS")
    Path(f"/proc/{pid}/clear_refs").write_text("5")  # resets the peak
    client.upload_fileobj(io.BytesIO(data), BUCKET, "parts", Config=config)
    growth = _memory(pid, "VmHWM") - before
    assert growth <= MAX_GROWTH, f"ten parts took {growth / MIB:.0f} MiB"
    return growth // MIB


def _memory(pid: int, name: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise AssertionError(f"no {name}")


def main() -> int:
    """Run the load and print what it did."""
    parser = argparse.ArgumentParser(prog="python -m tests.model.s3_load", description=__doc__)
    parser.add_argument("--minutes", type=float, default=2)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    sys.stdout.write(f"seed {options.seed}\n")
    with tempfile.TemporaryDirectory() as home:
        counts = run_load(
            Path(home), seconds=options.minutes * 60, clients=options.clients, seed=options.seed
        )
    sys.stdout.write("".join(f"{name}: {count:,}\n" for name, count in counts.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
