"""The run: every task, its clients in turn, again and again."""

from __future__ import annotations

import hashlib
import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import buckets
from benchmarks.bare import Wire
from benchmarks.clients.serve import Job
from benchmarks.crew import Member
from benchmarks.plan import Task
from benchmarks.process import Client, Failed, TookTooLong, Unable, Wrong, running
from benchmarks.proxy import Proxy
from benchmarks.sites import Site, site

BLOCK = 1 << 20

# How the rest of a job's time goes into starting, connecting and checking.
_AROUND = 60.0


@dataclass(frozen=True)
class Sample:
    """What one client did once. Times in seconds, sizes in bytes."""

    measure: str
    client: str
    repeat: int
    seconds: float
    size: int = 0
    count: int = 0
    cpu: float = 0.0
    server_cpu: float = 0.0
    growth: int = 0
    faults: int = 0
    slow_consumers: int = 0
    rounds: int = 0
    errors: list[str] = field(default_factory=list)


@dataclass
class Results:
    """All that came of a run."""

    samples: list[Sample] = field(default_factory=list)
    notes: dict[str, str] = field(default_factory=dict)
    """What went wrong, by task and client: `get/natsio`."""

    def raw(self) -> dict[str, Any]:
        return {"samples": [asdict(sample) for sample in self.samples], "notes": self.notes}


class Runner:
    """Runs tasks with a folder for its data. `tell` hears of the progress."""

    def __init__(
        self, members: dict[str, Member], folder: Path, repeats: int, tell: Callable[[str], None]
    ) -> None:
        self.results = Results()
        self._members = {name: one for name, one in members.items() if not one.missing}
        self._folder = folder
        self._repeats = repeats
        self._tell = tell
        self._numbers = itertools.count()
        self._block = folder / "block"
        self._block.write_bytes(os.urandom(BLOCK))
        self._digests: dict[int, str] = {}

    def run(self, task: Task) -> None:
        """Do a task: repeats outside, clients inside, each repeat beginning with another."""
        clients = [self._members[name] for name in task.clients if name in self._members]
        repeats = min(self._repeats, task.most_repeats or self._repeats)
        given_up: set[str] = set()
        with site(task.replicas) as where, ExitStack() as stack:
            bucket = stack.enter_context(self._shared(task, where)) if task.seeded else None
            for repeat in range(repeats):
                first = repeat % max(1, len(clients))
                for member in clients[first:] + clients[:first]:
                    if member.name in given_up:
                        continue
                    try:
                        self._once(task, member, repeat, where, bucket)
                    except Unable:
                        given_up.add(member.name)
                    except Failed as error:
                        if isinstance(error, TookTooLong):
                            given_up.add(member.name)
                        self._note(task, member, str(error))

    def _note(self, task: Task, member: Member, said: str) -> None:
        where = task.key if task.key == task.op else f"{task.key}/{task.op}"
        self.results.notes.setdefault(f"{where}/{member.name}", said)
        self._tell(f"  {task.key:<12} {member.name:<15} failed: {said}")

    @contextmanager
    def _shared(self, task: Task, where: Site) -> Iterator[tuple[str, str]]:
        """A bucket that all read: its name and address."""
        name = f"shared-{next(self._numbers)}"
        with where.bucket(name, storage=task.storage, replicas=task.replicas) as url:
            with Wire(url) as wire:
                if task.seeded == "names":
                    buckets.fill(wire, name, task.count)
                else:
                    buckets.seed(wire, name, self._block.read_bytes(), task.size)
            yield name, url

    def _once(
        self, task: Task, member: Member, repeat: int, where: Site, bucket: tuple[str, str] | None
    ) -> None:
        with ExitStack() as stack:
            if bucket is None:
                name = f"fresh-{next(self._numbers)}"
                options = {"storage": task.storage, "replicas": task.replicas}
                url = stack.enter_context(where.bucket(name, **options))  # type: ignore[arg-type]
            else:
                name, url = bucket
            proxy = stack.enter_context(Proxy(url)) if task.through_proxy else None
            job = self._job(task, member, name, proxy.url if proxy else url)
            limit = task.timeout + _AROUND
            client = stack.enter_context(running(member.command, member.env, asdict(job), limit))
            before = len(self.results.samples)
            try:
                self._rounds(task, member, repeat, where, client, proxy)
            except Wrong:
                del self.results.samples[before:]
                raise

    def _rounds(
        self, task: Task, member: Member, repeat: int, where: Site, client: Client,
        proxy: Proxy | None,
    ) -> None:  # fmt: skip
        while (said := client.hear()).get("ready"):
            slow, cpu = where.slow_consumers(), where.cpu()
            if proxy:
                proxy.begin()
            client.tell("go")
            found = client.hear()
            rounds = proxy.rounds if proxy else 0
            op = found.pop("measured")
            sample = Sample(
                measure=task.names.get(op, op),
                client=member.name,
                repeat=repeat,
                # An operation that counts objects has no size of its own.
                size=0 if found.get("count") else task.size,
                server_cpu=where.cpu() - cpu,
                slow_consumers=where.slow_consumers() - slow,
                rounds=rounds,
                **found,
            )
            self.results.samples.append(sample)
            self._tell(f"  {sample.measure:<20} {member.name:<15} {sample.seconds:9.3f} s")
        if "done" not in said:
            raise Failed(f"it said {said}")

    # -- data ----------------------------------------------------------------------------

    def _job(self, task: Task, member: Member, bucket: str, url: str) -> Job:
        return Job(
            op=task.op,
            url=url,
            bucket=bucket,
            block=str(self._block),
            size=task.size,
            digest=self._digest(task.size),
            path=self._path(task),
            count=task.count,
            at_once=task.at_once,
            flags={**task.flags, **member.flags},
        )

    def _digest(self, size: int) -> str:
        if size not in self._digests:
            digest, block = hashlib.sha256(), self._block.read_bytes()
            for start in range(0, size, BLOCK):
                digest.update(block[: min(BLOCK, size - start)])
            self._digests[size] = buckets.digest_field(digest.digest())
        return self._digests[size]

    def _path(self, task: Task) -> str:
        """The file to put, made when it is first asked for; or one that is not there yet."""
        if task.op == "get-file":
            target = self._folder / "got"
            target.unlink(missing_ok=True)
            return str(target)
        if task.op != "put-file":
            return ""
        source = self._folder / f"source-{task.size}"
        if not source.exists():
            block = self._block.read_bytes()
            with source.open("wb") as file:
                for start in range(0, task.size, BLOCK):
                    file.write(block[: min(BLOCK, task.size - start)])
        return str(source)
