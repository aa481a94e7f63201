"""A bucket on three real servers: who leads it, and what is done to whom."""

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

# How long a cluster may take to come to terms with itself, in seconds.
_PATIENCE = 60.0


class Replicas:
    """The bucket `bucket` of a cluster, with a copy on every server."""

    def __init__(self, cluster: Cluster, bucket: str) -> None:
        self.cluster = cluster
        self.bucket = bucket

    async def leader(self) -> NatsServer:
        """The server that leads it, once there is one."""
        name = (await self._settled(lambda state: bool(state.get("leader"))))["leader"]
        return next(node for node in self.cluster.nodes if node.name == name)

    async def followers(self) -> list[NatsServer]:
        leader = await self.leader()
        return [node for node in self.cluster.nodes if node is not leader]

    async def are_current(self) -> None:
        """Returns when every server has all of the bucket, and each one says so."""

        def current(state: dict[str, Any]) -> bool:
            replicas = state.get("replicas") or []
            return bool(state.get("leader")) and all(
                replica.get("current") and not replica.get("offline") and not replica.get("lag")
                for replica in replicas
            )

        for node in self.cluster.nodes:
            await self._settled(current, node)

    async def step_down(self) -> None:
        """Has the leader give the lead to another server; returns when that has it."""
        before = (await self.leader()).name
        answer = await self._ask(f"STREAM.LEADER.STEPDOWN.OBJ_{self.bucket}")
        assert answer.get("success"), answer
        await self._settled(lambda state: state.get("leader") not in {None, "", before})

    async def wipe(self, node: NatsServer) -> None:
        """A server whose disk is replaced by an empty one, started again."""
        await asyncio.to_thread(node.stop)
        shutil.rmtree(node.store_dir)
        await asyncio.to_thread(node.start)

    async def heal(self) -> None:
        """Every server runs again and has everything."""
        for node in self.cluster.nodes:
            if node.is_running:
                node.resume()
            else:
                await asyncio.to_thread(node.start)
        await self.are_current()

    async def _settled(
        self, is_so: Callable[[dict[str, Any]], bool], by: NatsServer | None = None
    ) -> dict[str, Any]:
        state: dict[str, Any] | Exception = {}
        try:
            async with asyncio.timeout(_PATIENCE):
                while True:
                    try:
                        state = await self._ask(f"STREAM.INFO.OBJ_{self.bucket}", by)
                    except (nats.errors.Error, OSError) as error:
                        state = error
                    else:
                        if is_so(state.get("cluster") or {}):
                            return dict(state["cluster"])
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise AssertionError(f"{self.bucket} does not come to rest: {state}") from None

    async def _ask(self, api: str, by: NatsServer | None = None) -> dict[str, Any]:
        asked = self.cluster.nodes if by is None else [by]
        running = [node.url for node in asked if node.is_running]
        nc = await nats.connect(running, connect_timeout=1, error_cb=_quiet)
        try:
            return await raw_stream.request(nc, api)
        finally:
            await nc.close()


async def _quiet(_: Exception) -> None:
    """One of the servers may be standing still: the next one is asked."""
