"""Samples of a NATS server: its buckets, the account's limits, its traffic and connections."""

from __future__ import annotations

import asyncio
import datetime
import json
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from jetstow.cli.session import Session
from jetstow.cli.top.counts import ObjectCounts
from jetstow.cli.top.gateway import GatewayError, GatewayMetrics
from jetstow.cli.top.sample import BucketState, ClientState, GatewayState, Limits, Sample, Traffic

if TYPE_CHECKING:
    from nats.js.api import AccountInfo, Tier

    from jetstow import BucketStatus

# Services of the server for the user's own account (server 2.9 and later).
_STATZ: Final = "$SYS.REQ.ACCOUNT.PING.STATZ"
_CONNZ: Final = "$SYS.REQ.ACCOUNT.PING.CONNZ"

# How long the first server may take to answer, and each further one of a cluster; in seconds.
_ANSWER_TIMEOUT: Final = 1.0
_NEXT_ANSWER_TIMEOUT: Final = 0.2

# The connections that are requested from each server: those with the most traffic.
_MAX_CLIENTS: Final = 256


class Sampler:
    """Takes samples until `close`. `gateway` reads the metrics of an S3 gateway."""

    def __init__(self, session: Session, gateway: GatewayMetrics | None) -> None:
        self._session = session
        self._gateway = gateway
        self._counts: ObjectCounts | None = None
        self._silent: set[str] = set()

    async def take(self) -> Sample:
        """Return the state of now.

        Raises: errors of the connection and of JetStream.
        """
        js = await self._session.js()
        statuses = await js.object_stores()
        if self._counts is None:
            self._counts = ObjectCounts(js)
        self._counts.follow(statuses)
        clock, now = time.monotonic(), datetime.datetime.now(datetime.UTC)
        info, traffic, clients = await asyncio.gather(
            js.account_info(), self._traffic(), self._clients()
        )
        gateway, notes = await self._read_gateway()
        server, version = await self._session.connected_server()
        buckets = {each.bucket: self._bucket(each) for each in statuses}
        return Sample(
            now, clock, server, version, buckets, _limits(info), traffic, clients, gateway, notes
        )

    async def wait_counted(self, seconds: float) -> None:
        """Wait until the objects of all buckets are counted, but not longer than this."""
        if self._counts is not None:
            await self._counts.wait(seconds)

    async def close(self) -> None:
        """Stop counting."""
        if self._counts is not None:
            await self._counts.close()

    def _bucket(self, status: BucketStatus) -> BucketState:
        assert self._counts is not None, "created before the first bucket"
        return BucketState(
            bucket=status.bucket,
            size=status.size,
            max_bytes=None if status.max_bytes < 0 else status.max_bytes,
            messages=status.stream_info.state.last_seq,
            objects=self._counts.of(status.bucket),
            replicas=status.replicas or 1,
            storage=str(status.storage_type),
            sealed=bool(status.sealed),
        )

    async def _traffic(self) -> Traffic | None:
        connections = written = read = 0
        answers = await self._ask_all(_STATZ)
        if not answers:
            return None
        for answer in answers:
            for account in answer["data"].get("account_statz") or ():
                connections += account.get("conns", 0)
                written += account.get("received", {}).get("bytes", 0)
                read += account.get("sent", {}).get("bytes", 0)
        return Traffic(connections, written, read)

    async def _clients(self) -> dict[str, ClientState] | None:
        answers = await self._ask_all(_CONNZ, {"sort": "bytes_to", "limit": _MAX_CLIENTS})
        if not answers:
            return None
        clients = {}
        for answer in answers:
            server = answer["server"].get("id", "")
            for each in answer["data"].get("connections") or ():
                key = f"{server}:{each.get('cid')}"
                address = f"{each.get('ip', '')}:{each.get('port', '')}"
                clients[key] = ClientState(
                    key,
                    each.get("name") or each.get("lang", ""),
                    address,
                    written=each.get("in_bytes", 0),
                    read=each.get("out_bytes", 0),
                )
        return clients

    async def _ask_all(self, subject: str, options: dict[str, Any] | None = None) -> list[Any]:
        """Return the answers of all servers to a request; none if the user may not send it."""
        if subject in self._silent:
            return []
        client = await self._session.client()
        answers: list[Any] = []
        inbox = client.new_inbox()
        subscription = await client.subscribe(inbox)
        try:
            await client.publish(subject, json.dumps(options or {}).encode(), reply=inbox)
            timeout = _ANSWER_TIMEOUT
            with suppress(TimeoutError):
                while True:
                    message = await subscription.next_msg(timeout)
                    if not message.data:
                        break  # no service has this subject
                    answer = json.loads(message.data)
                    if "data" in answer:
                        answers.append(answer)
                    if len(client.servers) < 2:
                        break
                    timeout = _NEXT_ANSWER_TIMEOUT
        finally:
            with suppress(Exception):  # the connection was lost
                await subscription.unsubscribe()
        if not answers and client.is_connected:
            self._silent.add(subject)  # do not wait for it again
        return answers

    async def _read_gateway(self) -> tuple[GatewayState | None, tuple[str, ...]]:
        if self._gateway is None:
            return None, ()
        try:
            return await self._gateway.read(), ()
        except GatewayError as error:
            return None, (str(error),)


def _limits(info: AccountInfo) -> Limits:
    tiers = info.tiers or {}
    used: list[AccountInfo | Tier] = [*tiers.values()] if tiers else [info]
    limits = info.limits

    def limit(value: int) -> int | None:
        # With tiers, each of them has limits of its own.
        return None if tiers or value < 0 else value

    return Limits(
        memory=sum(each.memory for each in used),
        max_memory=limit(limits.max_memory),
        storage=sum(each.storage for each in used),
        max_storage=limit(limits.max_storage),
        streams=sum(each.streams for each in used),
        max_streams=limit(limits.max_streams),
        consumers=sum(each.consumers for each in used),
        requests=info.api.total,
        errors=info.api.errors,
    )
