"""A bucket on three servers: its leader, its followers, and faults of single servers."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from typing import Any

import nats
import nats.errors

from tests.support import raw_stream
from tests.support.cluster import Cluster
from tests.support.servers import NatsServer

# The longest time for an election, or until a replica is current, in seconds. A replica that misses
# a message while it catches up tries again after some 30 s.
TIMEOUT = 150.0


class Replicas:
    """A bucket of a cluster with a replica on every server."""

    def __init__(self, cluster: Cluster, bucket: str) -> None:
        self.cluster = cluster
        self.bucket = bucket

    async def leader(self) -> NatsServer:
        """Wait for a leader of the stream and return it."""
        name = (await self._wait_for_state(lambda state: bool(state.get("leader"))))["leader"]
        return next(node for node in self.cluster.nodes if node.name == name)

    async def followers(self) -> list[NatsServer]:
        leader = await self.leader()
        return [node for node in self.cluster.nodes if node is not leader]

    async def wait_until_current(self) -> None:
        """Wait until every server reports that all replicas are current."""

        def current(state: dict[str, Any]) -> bool:
            replicas = state.get("replicas") or []
            return bool(state.get("leader")) and all(
                replica.get("current") and not replica.get("offline") and not replica.get("lag")
                for replica in replicas
            )

        for node in self.cluster.nodes:
            await self._wait_for_state(current, node)

    async def step_down(self) -> None:
        """Make the leader step down and wait until another server leads."""
        before = (await self.leader()).name
        reply = await self._request(f"STREAM.LEADER.STEPDOWN.OBJ_{self.bucket}")
        assert reply.get("success"), reply
        await self._wait_for_state(lambda state: state.get("leader") not in {None, "", before})

    async def wipe(self, node: NatsServer) -> None:
        """Stop a server, delete its store, and start it again."""
        await asyncio.to_thread(node.stop)
        shutil.rmtree(node.store_dir)
        await asyncio.to_thread(node.start)

    async def start_all(self) -> None:
        """Start or resume every server and wait until all replicas are current."""
        for node in self.cluster.nodes:
            if node.is_running:
                node.resume()
            else:
                await asyncio.to_thread(node.start)
        await self.wait_until_current()

    async def _wait_for_state(
        self, condition: Callable[[dict[str, Any]], bool], node: NatsServer | None = None
    ) -> dict[str, Any]:
        """Return the stream's cluster state as soon as it meets the condition."""
        state: dict[str, Any] | Exception = {}
        try:
            async with asyncio.timeout(TIMEOUT):
                while True:
                    try:
                        state = await self._request(f"STREAM.INFO.OBJ_{self.bucket}", node)
                    except (nats.errors.Error, OSError) as error:
                        state = error
                    else:
                        if condition(state.get("cluster") or {}):
                            return dict(state["cluster"])
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise AssertionError(
                f"bucket {self.bucket!r}: unexpected state after {TIMEOUT} s: {state}"
            ) from None

    async def _request(self, api: str, node: NatsServer | None = None) -> dict[str, Any]:
        nodes = self.cluster.nodes if node is None else [node]
        running = [each.url for each in nodes if each.is_running]
        nc = await nats.connect(running, connect_timeout=1, error_cb=_ignore_error)
        try:
            return await raw_stream.request(nc, api)
        finally:
            await nc.close()


async def _ignore_error(_: Exception) -> None:
    """A server may be paused. nats-py then tries the next one."""
