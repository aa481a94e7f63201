"""The processes of `serve`: the gateway runs in this one, or in several workers."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from prometheus_client import CollectorRegistry, multiprocess

import jetstow
from jetstow.cli.errors import CliError, UsageError
from jetstow.cli.gateway import GatewayOptions, Listeners, running
from jetstow.cli.gateway_worker import MODULE, WorkerTask
from jetstow.s3.admin import Admin
from jetstow.s3.observe import Metrics
from jetstow.s3.workers import WorkerError, Workers


def run_gateway(
    workers: int,
    client: jetstow.Client,
    options: GatewayOptions,
    listeners: Listeners,
    admin: Admin,
    registry: CollectorRegistry,
) -> AbstractAsyncContextManager[asyncio.Future[None]]:
    """Run the gateway in a number of processes. The block gets a future that ends if it fails."""
    if workers == 1:
        return _run_here(client, options, listeners, admin, registry)
    return _run_workers(workers, options, listeners, admin, registry)


@asynccontextmanager
async def _run_here(
    client: jetstow.Client,
    options: GatewayOptions,
    listeners: Listeners,
    admin: Admin,
    registry: CollectorRegistry,
) -> AsyncIterator[asyncio.Future[None]]:
    """Run the gateway in this process. Yield a future that ends only if it fails."""
    async with running(client, options, listeners, Metrics(registry)) as task:
        admin.start()
        try:
            yield task
        finally:
            admin.stop()


@asynccontextmanager
async def _run_workers(
    count: int,
    options: GatewayOptions,
    listeners: Listeners,
    admin: Admin,
    registry: CollectorRegistry,
) -> AsyncIterator[asyncio.Future[None]]:
    """Run the gateway in several processes on one socket. Yield a future that never ends."""
    if os.name == "nt":
        raise UsageError("--workers needs a system other than Windows")
    # The processes keep their metrics in files that this process reads.
    folder = tempfile.mkdtemp(prefix="jetstow-metrics-")
    multiprocess.MultiProcessCollector(registry, path=folder)
    processes = Workers(
        MODULE,
        WorkerTask(options, listeners.descriptors()),
        count=count,
        descriptors=listeners.descriptors(),
        environment={"PROMETHEUS_MULTIPROC_DIR": folder},
        on_exit=lambda pid: multiprocess.mark_process_dead(pid, folder),
    )
    try:
        await processes.start()
        admin.start(lambda: processes.all_running)
        yield asyncio.get_running_loop().create_future()
    except WorkerError as error:
        raise CliError(str(error)) from error
    finally:
        admin.stop()
        listeners.close()  # else connections would wait in its queue
        await processes.stop()
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
