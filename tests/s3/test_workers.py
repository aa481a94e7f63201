"""Several workers and several gateways: one port, one order of the changes of settings."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

import jetstow
from jetstow.s3.buckets import LOCKS, Buckets
from jetstow.s3.errors import S3Error
from tests.support.cli import wait_until
from tests.support.gateway import new_client
from tests.support.served import Served
from tests.support.servers import NatsServer


@pytest.mark.slow
def test_killed_worker_is_replaced(server: NatsServer, bucket: str, tmp_path: Path) -> None:
    with Served(server.url, "--workers", "2", home=tmp_path) as served:
        client = new_client(served.url, served.key)
        client.create_bucket(Bucket=bucket)
        first, second = served.workers()
        os.kill(first, signal.SIGKILL)
        served.wait_ready(503)
        served.wait_ready()
        replaced = served.workers()
        assert first not in replaced
        assert second in replaced
        client.put_object(Bucket=bucket, Key="a", Body=b"1")
        # A request is counted after its response was sent.
        name = 'jetstow_s3_requests_total{operation="PutObject",status="200"}'
        wait_until(lambda: served.metric(name) == 1)
        assert any(f"worker {first} ended" in line for line in served.log)


def test_workers_end_with_their_supervisor(server: NatsServer, tmp_path: Path) -> None:
    with Served(server.url, "--workers", "2", home=tmp_path) as served:
        workers = served.workers()
        served.signal(signal.SIGKILL)
        wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers))


async def test_settings_changed_by_several_gateways(server: NatsServer, bucket: str) -> None:
    """Without the lock, changes at the same time replaced each other."""
    async with jetstow.connect(server.url) as one, jetstow.connect(server.url) as other:
        gateways = [Buckets(nc.jetstream()) for nc in (one, other)]
        created = await gateways[0].create(bucket, {})

        async def change(gateway: Buckets, name: str) -> None:
            async with gateway.changing(created) as settings:
                settings[name] = "1"

        names = [f"jetstow.s3.test-{number}" for number in range(6)]
        await asyncio.gather(*(change(gateways[i % 2], name) for i, name in enumerate(names)))
        assert (await gateways[0].open(bucket)).settings == dict.fromkeys(names, "1")


async def test_lock_of_a_killed_gateway(
    server: NatsServer, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jetstow.s3.settings_lock.WAIT_TIMEOUT", 0.1)
    async with jetstow.connect(server.url) as nc:
        buckets = Buckets(nc.jetstream())
        created = await buckets.create(bucket, {})
        async with buckets.changing(created) as settings:
            settings["jetstow.s3.test"] = "1"
        locks = await nc.jetstream().object_store(LOCKS)
        assert (await locks.status()).ttl == 30
        await locks.put(bucket, b"")  # the gateway that holds it is gone
        with pytest.raises(S3Error, match="OperationAborted"):
            async with buckets.changing(created):
                pass
        await locks.delete(bucket)  # as the TTL does
        async with buckets.changing(created) as settings:
            del settings["jetstow.s3.test"]
        assert (await buckets.open(bucket)).settings == {}
        with pytest.raises(S3Error, match="NoSuchBucket"):
            await buckets.open(LOCKS)
