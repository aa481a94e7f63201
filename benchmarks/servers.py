"""The servers that are measured on: one, or three as a cluster; fresh for every task."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import buckets
from benchmarks.bare import Wire
from tests.support.cluster import Cluster
from tests.support.servers import NatsServer

_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Site:
    """Running servers."""

    nodes: list[NatsServer]

    @property
    def url(self) -> str:
        return self.nodes[0].url

    def url_of(self, node: str) -> str:
        """The address of the node of that name; the first one's where there is no name."""
        return next((each.url for each in self.nodes if each.name == node), self.url)

    def cpu(self) -> float:
        """CPU seconds that the servers have used so far; 0 where there is no /proc."""
        return sum(_cpu(each.pid) for each in self.nodes)

    def slow_consumers(self) -> int:
        """How many slow consumers the servers have counted so far."""
        return sum(int(each.monitor("varz")["slow_consumers"]) for each in self.nodes)

    @contextmanager
    def bucket(self, name: str, *, storage: str, replicas: int) -> Iterator[str]:
        """A bucket, for a while. Gives the address of the server that leads it."""
        with Wire(self.url) as wire:
            leader = buckets.create(wire, name, storage=storage, replicas=replicas)
        try:
            yield self.url_of(leader)
        finally:
            with Wire(self.url) as wire:
                buckets.delete(wire, name)


def _cpu(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _TICK


@contextmanager
def site(replicas: int) -> Iterator[Site]:
    """One server, or for replicas a cluster of three."""
    if replicas > 1:
        with Cluster() as cluster:
            yield Site(cluster.nodes)
    else:
        with NatsServer(name="benchmark") as server:
            yield Site([server])
