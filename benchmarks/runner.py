"""Run every task: its clients in turn, repeatedly."""

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
from benchmarks.clients.serve import Job
from benchmarks.plan import Task
from benchmarks.process import (
    Client,
    ClientFailedError,
    ClientTimeoutError,
    UnsupportedError,
    WrongDataError,
    running,
)
from benchmarks.programs import ClientProgram
from benchmarks.proxy import Proxy
from benchmarks.servers import Servers, start_servers
from benchmarks.socket_client import SocketClient

BLOCK = 1 << 20

# The time of a job for start, connection and checks, in seconds.
_STARTUP_TIMEOUT = 60.0


@dataclass(frozen=True)
class Sample:
    """One execution of a measure by a client. Times in seconds, sizes in bytes."""

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
    """The samples and failures of a run."""

    samples: list[Sample] = field(default_factory=list)
    notes: dict[str, str] = field(default_factory=dict)
    """The failures by task and client: `get/natsio`."""

    def raw(self) -> dict[str, Any]:
        return {"samples": [asdict(sample) for sample in self.samples], "notes": self.notes}


class Runner:
    """Runs tasks with a directory for the data. `log` is called with the progress."""

    def __init__(
        self,
        programs: dict[str, ClientProgram],
        folder: Path,
        repeats: int,
        log: Callable[[str], None],
    ) -> None:
        self.results = Results()
        self._programs = {name: one for name, one in programs.items() if not one.missing}
        self._folder = folder
        self._repeats = repeats
        self._log = log
        self._numbers = itertools.count()
        self._block = folder / "block"
        self._block.write_bytes(os.urandom(BLOCK))
        self._digests: dict[int, str] = {}

    def run(self, task: Task) -> None:
        """Run a task: repeats are the outer loop, and each begins with another client."""
        clients = [self._programs[name] for name in task.clients if name in self._programs]
        repeats = min(self._repeats, task.max_repeats or self._repeats)
        given_up: set[str] = set()
        with start_servers(task.replicas) as servers, ExitStack() as stack:
            bucket = (
                stack.enter_context(self._shared_bucket(task, servers)) if task.seeded else None
            )
            for repeat in range(repeats):
                first = repeat % max(1, len(clients))
                for program in clients[first:] + clients[:first]:
                    if program.name in given_up:
                        continue
                    try:
                        self._run_once(task, program, repeat, servers, bucket)
                    except UnsupportedError:
                        given_up.add(program.name)
                    except ClientFailedError as error:
                        if isinstance(error, ClientTimeoutError):
                            given_up.add(program.name)
                        self._record_failure(task, program, str(error))

    def _record_failure(self, task: Task, program: ClientProgram, message: str) -> None:
        servers = task.key if task.key == task.op else f"{task.key}/{task.op}"
        self.results.notes.setdefault(f"{servers}/{program.name}", message)
        self._log(f"  {task.key:<12} {program.name:<15} failed: {message}")

    @contextmanager
    def _shared_bucket(self, task: Task, servers: Servers) -> Iterator[tuple[str, str]]:
        """Create a bucket that all clients read; yield its name and address."""
        name = f"shared-{next(self._numbers)}"
        with servers.bucket(name, storage=task.storage, replicas=task.replicas) as url:
            with SocketClient(url) as nc:
                if task.seeded == "names":
                    buckets.put_names(nc, name, task.count)
                else:
                    buckets.put_object(nc, name, self._block.read_bytes(), task.size)
            yield name, url

    def _run_once(
        self,
        task: Task,
        program: ClientProgram,
        repeat: int,
        servers: Servers,
        bucket: tuple[str, str] | None,
    ) -> None:
        with ExitStack() as stack:
            if bucket is None:
                name = f"fresh-{next(self._numbers)}"
                options = {"storage": task.storage, "replicas": task.replicas}
                url = stack.enter_context(servers.bucket(name, **options))  # type: ignore[arg-type]
            else:
                name, url = bucket
            proxy = (
                stack.enter_context(Proxy(url, task.round_trip))
                if task.through_proxy or task.round_trip
                else None
            )
            job = self._job(task, program, name, proxy.url if proxy else url)
            limit = task.timeout + _STARTUP_TIMEOUT
            client = stack.enter_context(running(program.command, program.env, asdict(job), limit))
            before = len(self.results.samples)
            try:
                self._measure(task, program, repeat, servers, client, proxy)
            except WrongDataError:
                del self.results.samples[before:]
                raise

    def _measure(
        self, task: Task, program: ClientProgram, repeat: int, servers: Servers, client: Client,
        proxy: Proxy | None,
    ) -> None:  # fmt: skip
        while (message := client.receive()).get("ready"):
            slow, cpu = servers.slow_consumers(), servers.cpu()
            if proxy:
                proxy.reset()
            client.send("go")
            found = client.receive()
            rounds = proxy.round_trips if proxy else 0
            op = found.pop("measured")
            sample = Sample(
                measure=task.names.get(op, op),
                client=program.name,
                repeat=repeat,
                # An operation that counts objects has no size.
                size=0 if found.get("count") else task.size,
                server_cpu=servers.cpu() - cpu,
                slow_consumers=servers.slow_consumers() - slow,
                rounds=rounds,
                **found,
            )
            self.results.samples.append(sample)
            self._log(f"  {sample.measure:<20} {program.name:<15} {sample.seconds:9.3f} s")
        if "done" not in message:
            raise ClientFailedError(f"it message {message}")

    # -- data ----------------------------------------------------------------------------

    def _job(self, task: Task, program: ClientProgram, bucket: str, url: str) -> Job:
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
            flags={**task.flags, **program.flags},
        )

    def _digest(self, size: int) -> str:
        if size not in self._digests:
            digest, block = hashlib.sha256(), self._block.read_bytes()
            for start in range(0, size, BLOCK):
                digest.update(block[: min(BLOCK, size - start)])
            self._digests[size] = buckets.digest_field(digest.digest())
        return self._digests[size]

    def _path(self, task: Task) -> str:
        """Return the file to put, created on first use, or a path for a file to get."""
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
