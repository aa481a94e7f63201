"""The servers of a task: a single one or a cluster of three, new for every task."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import buckets
from benchmarks.socket_client import SocketClient
from tests.support.cluster import Cluster
from tests.support.servers import NatsServer

_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Servers:
    """Running servers."""

    nodes: list[NatsServer]

    @property
    def url(self) -> str:
        return self.nodes[0].url

    def url_of(self, node: str) -> str:
        """Return the address of a node by its name, or the first one's if it is ""."""
        return next((each.url for each in self.nodes if each.name == node), self.url)

    def cpu(self) -> float:
        """Return the CPU seconds of the servers so far; 0 without /proc."""
        return sum(_cpu(each.pid) for each in self.nodes)

    def slow_consumers(self) -> int:
        """Return the number of slow consumers that the servers have counted."""
        return sum(int(each.monitor("varz")["slow_consumers"]) for each in self.nodes)

    @contextmanager
    def bucket(self, name: str, *, storage: str, replicas: int) -> Iterator[str]:
        """Create a bucket and yield the address of its leader. Exit deletes it."""
        with SocketClient(self.url) as nc:
            leader = buckets.create(nc, name, storage=storage, replicas=replicas)
        try:
            yield self.url_of(leader)
        finally:
            with SocketClient(self.url) as nc:
                buckets.delete(nc, name)


def _cpu(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _TICK


@contextmanager
def start_servers(replicas: int) -> Iterator[Servers]:
    """Start one server, or a cluster of three if there are replicas."""
    if replicas > 1:
        with Cluster() as cluster:
            yield Servers(cluster.nodes)
    else:
        with NatsServer(name="benchmark") as server:
            yield Servers([server])
