"""The scenarios of `make soak`. Each runs for about half a minute with a seed, and reports."""

from __future__ import annotations

import asyncio
import hashlib
import random
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jetstow
from jetstow import BucketConfig
from jetstow.errors import BucketFullError, JetstowError
from tests.model.contention import UNKNOWN_OUTCOME_ERRORS, Call
from tests.model.machine import VERBS, run_seed
from tests.model.operations import Operations, Variant
from tests.model.reference import Object, ReferenceModel, ViolationError
from tests.model.run import Tally
from tests.support import raw_stream, versions
from tests.support.cancellation_storm import run_storm
from tests.support.cluster import Cluster
from tests.support.purges import purges_ended
from tests.support.replicas import Replicas
from tests.support.samples import some_bytes
from tests.support.servers import NatsServer
from tests.support.small_disk import small_disk

# The steps of one run on a cluster, and the calls of each.
_STEPS = 12
_CALLS = 6

LARGE_SIZE = 1024**3
_DISK_SIZE = 48 * 1024 * 1024
_BLOCK = some_bytes(4 * 1024 * 1024)


@dataclass
class Report:
    """What the runs of one scenario did. `errors` are calls whose outcome is unknown."""

    runs: int = 0
    operations: int = 0
    errors: int = 0
    lost: int = 0
    notes: Counter[str] = field(default_factory=Counter)


@dataclass
class Soak:
    """One soak: the server's version, and the operations of the model so far."""

    version: str
    tally: Tally = field(default_factory=Tally)


Scenario = Callable[[Soak, int, Report], None]


def model(soak: Soak, seed: int, report: Report) -> None:
    """Random operations of three clients behind proxies, with faults, against the model."""
    tally = Tally()
    try:
        with NatsServer(soak.version) as server:
            run_seed(server, seed, tally)
    finally:
        _add(report, tally)
        soak.tally.outcomes += tally.outcomes
        soak.tally.faults += tally.faults


def _add(report: Report, tally: Tally) -> None:
    report.operations += tally.operations
    report.errors += sum(count for (_, how), count in tally.outcomes.items() if how == "unknown")
    report.notes += tally.faults


def storm(soak: Soak, seed: int, report: Report) -> None:
    """Every verb, cancelled at random points: nothing leaks, and all objects are whole."""
    with NatsServer(soak.version) as server:
        for concurrent in (1, 8):
            outcomes = asyncio.run(run_storm(server.url, seed, 60, concurrent))
            report.operations += outcomes.total()
            report.notes += outcomes


def cluster(_: Soak, seed: int, report: Report) -> None:
    """Three nodes, of which one at a time is stopped, killed or paused, or loses its leaders."""
    _run_on_cluster(Cluster(), seed, report, [])


def mixed_cluster(_: Soak, seed: int, report: Report) -> None:
    """The same with nodes of two versions, which are also replaced by the other one."""
    pair = [versions.LATEST, "2.12.8"]
    _run_on_cluster(Cluster(*random.Random(seed).sample(pair * 2, 3)), seed, report, pair)


def _run_on_cluster(nodes: Cluster, seed: int, report: Report, replacing: list[str]) -> None:
    with nodes, tempfile.TemporaryDirectory(prefix="jetstow-soak-") as folder:
        asyncio.run(_ClusterRun(nodes, seed, report, replacing, Path(folder)).run())


class _ClusterRun:
    def __init__(
        self, nodes: Cluster, seed: int, report: Report, replacing: list[str], folder: Path
    ) -> None:
        self._nodes = nodes
        self._random = random.Random(seed)
        self._report = report
        self._replacing = replacing
        self._folder = folder
        self._reference = ReferenceModel()

    async def run(self) -> None:
        options: dict[str, Any] = {"reconnect_time_wait": 0.1, "max_reconnect_attempts": -1}
        urls = self._nodes.urls
        async with jetstow.connect(urls, **options) as nc, jetstow.connect(urls, **options) as nc2:
            await _create_replicated(nc)
            stores = [await each.jetstream(timeout=2).object_store("b") for each in (nc, nc2)]
            kind = Variant(encrypted=False, has_ttl=False)
            operations = Operations(self._reference, stores, self._folder, kind)
            replicas = Replicas(self._nodes, "b")
            await replicas.wait_until_current()
            for _ in range(_STEPS):
                fault = asyncio.create_task(self._fault(replicas))
                await asyncio.gather(
                    fault, *(self._call(operations, stores, call) for call in self._calls())
                )
                await replicas.start_all()
            await self._check(stores[0])

    def _calls(self) -> Iterator[Call]:
        used: set[str] = set()
        for _ in range(_CALLS):
            name, other = (f"name {self._random.randrange(12)}" for _ in range(2))
            verb, client = self._random.choice(VERBS), self._random.randrange(2)
            call = Call(verb, client, name, other, self._random.randrange(10**6))
            if not used & call.names:
                used |= call.names
                yield call

    async def _call(
        self, operations: Operations, stores: list[jetstow.ObjectStore], call: Call
    ) -> None:
        try:
            outcome = await operations.run(stores[call.client], call)
        except JetstowError as error:
            raise ViolationError(f"{call} raised {error!r}") from error
        self._report.operations += 1
        self._report.errors += outcome == "unknown"

    async def _fault(self, replicas: Replicas) -> None:
        node = self._random.choice(self._nodes.nodes)
        kinds = ["stop", "kill", "pause", "step down", *(["other version"] * bool(self._replacing))]
        kind = self._random.choice(kinds)
        self._report.notes[kind] += 1
        await asyncio.sleep(self._random.random() / 20)
        if kind == "pause":
            node.pause()
            await asyncio.sleep(3)
            node.resume()
        elif kind == "step down":
            await replicas.step_down()
        else:
            version = self._random.choice(self._replacing) if kind == "other version" else None
            await asyncio.to_thread(node.restart, kill=kind == "kill", version=version)

    async def _check(self, store: jetstow.ObjectStore) -> None:
        await store.put("flush", b"")
        self._reference.clear_pending()
        for name in self._reference.names:
            if name.startswith("link-"):
                continue
            try:
                result = await store.get(name)
            except FileNotFoundError:
                self._reference.observed(name, None)
            else:
                info = result.info
                self._reference.observed(name, Object(result.data or b"", info.description or ""))
        findings = (await store.verify()).findings
        # A link may lead to nothing.
        if damaged := [each for each in findings if not (each.name or "").startswith("link-")]:
            raise ViolationError(f"not whole: {damaged}")


async def _create_replicated(nc: jetstow.Client) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                config = BucketConfig(bucket="b", replicas=3)
                await nc.jetstream().create_object_store(config=config)
            except JetstowError:
                await asyncio.sleep(0.2)  # the cluster itself may have no leader yet
            else:
                return


def large_object(soak: Soak, _: int, report: Report) -> None:
    """An object of 1 GiB: put, read, ranges, replace, delete."""
    with NatsServer(soak.version) as server:
        asyncio.run(_use_large_object(server, report))


async def _use_large_object(server: NatsServer, report: Report) -> None:
    async def source() -> AsyncIterator[bytes]:
        for _ in range(LARGE_SIZE // len(_BLOCK)):
            yield _BLOCK

    async with jetstow.connect(server.url) as nc:
        store = await nc.jetstream().create_object_store("b")
        info = await store.put("large", source())
        digest = hashlib.sha256()
        async for piece in store.stream("large"):
            digest.update(piece)
        if digest.hexdigest() != info.sha256:
            raise ViolationError("the large object has other bytes")
        for start in (0, len(_BLOCK) - 5, LARGE_SIZE // 2 + 17, LARGE_SIZE - 1_000):
            found = await store.get_range("large", start, 1_000)
            if found != (_BLOCK * 2)[start % len(_BLOCK) :][:1_000]:
                raise ViolationError(f"the range at {start} has other bytes")
        await store.put("large", b"small")
        await store.delete("large")
        await purges_ended(store)
        if left := await raw_stream.chunks(nc, "b"):
            raise ViolationError(f"chunks stayed: {left}")
    report.operations += 8
    report.notes["GiB"] += 1


def full_disk(soak: Soak, seed: int, report: Report) -> None:
    """The server's disk is full; it restarts when another program has removed a file."""
    server, numbers = NatsServer(soak.version), random.Random(seed)
    with small_disk(server.store_dir, _DISK_SIZE):
        other_file = server.store_dir / "other-file"
        other_file.write_bytes(bytes(_DISK_SIZE // 2))
        with server:
            asyncio.run(_fill_disk(server, other_file, numbers, report))


async def _fill_disk(
    server: NatsServer, other_file: Path, numbers: random.Random, report: Report
) -> None:
    async with jetstow.connect(
        server.url, reconnect_time_wait=0.05, max_reconnect_attempts=-1
    ) as nc:
        store = await nc.jetstream().create_object_store("b")
        stored: dict[str, bytes] = {}
        while True:
            name, data = f"{len(stored)}", numbers.randbytes(numbers.randrange(4_000_000))
            report.operations += 1
            try:
                await store.put(name, data)
            except BucketFullError:
                report.notes["full"] += 1
                break
            stored[name] = data
        other_file.unlink()
        server.restart()
        await store.collect_garbage(grace=0)
        await _check_whole(store, stored, report)
        await store.put("again", b"x")
        await store.delete_many([*stored, "again"])
        report.operations += 2 + len(stored)


async def _check_whole(
    store: jetstow.ObjectStore, stored: dict[str, bytes], report: Report
) -> None:
    for name, data in stored.items():
        report.operations += 1
        if (await store.get(name)).data != data:
            raise ViolationError(f"{name!r} has other bytes")
    if findings := (await store.verify()).findings:
        raise ViolationError(f"not whole: {findings}")


def full_storage(soak: Soak, seed: int, report: Report) -> None:
    """Puts until JetStream's storage is full, deletes, and puts again."""
    with NatsServer(soak.version, jetstream="max_file_store: 64M") as server:
        asyncio.run(_fill(server, random.Random(seed), report))


async def _fill(server: NatsServer, numbers: random.Random, report: Report) -> None:
    stored: dict[str, bytes] = {}

    async def fill(store: jetstow.ObjectStore, writer: int) -> None:
        for number in range(1_000):
            name, data = f"{writer}-{number}", numbers.randbytes(numbers.randrange(2_000_000))
            report.operations += 1
            try:
                await store.put(name, data)
            except BucketFullError:
                report.notes["full"] += 1
                return
            except UNKNOWN_OUTCOME_ERRORS:
                report.errors += 1
                return
            stored[name] = data

    async with jetstow.connect(server.url) as nc:
        store = await nc.jetstream().create_object_store("b")
        for _ in range(3):
            await asyncio.gather(*(fill(store, writer) for writer in range(4)))
            await store.collect_garbage(grace=0)
            await _check_whole(store, stored, report)
            await store.delete_many(list(stored))
            report.operations += len(stored)
            stored.clear()
            await purges_ended(store)
            if left := await raw_stream.chunks(nc, "b"):
                raise ViolationError(f"chunks stayed: {left}")


SCENARIOS: dict[str, Scenario] = {
    "model with faults": model,
    "storm of cancellations": storm,
    "cluster": cluster,
    "mixed cluster": mixed_cluster,
    "large object": large_object,
    "full storage": full_storage,
    "full disk": full_disk,
}
