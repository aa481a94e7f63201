"""A worker of `serve --workers`: a process that `jetstow.s3.workers` runs."""

from __future__ import annotations

import asyncio
import pickle
import signal
import sys
import threading
from dataclasses import dataclass
from typing import Final

from jetstow.cli.command import log_to_stderr
from jetstow.cli.connection import connect
from jetstow.cli.gateway import (
    CONNECTION_OPTIONS,
    GatewayOptions,
    Listeners,
    new_event_loop,
    running,
)
from jetstow.s3.observe import Metrics

MODULE: Final = "jetstow.cli.gateway_worker"


@dataclass(frozen=True, slots=True)
class WorkerTask:
    """What a worker does: run a gateway on inherited sockets."""

    options: GatewayOptions
    descriptors: tuple[int, ...]


def main() -> None:
    """Run the gateway until standard input ends, or until a signal."""
    task: WorkerTask = pickle.load(sys.stdin.buffer)  # noqa: S301 - from the supervisor
    verbose = task.options.settings.verbose
    with log_to_stderr(verbose), asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(_serve(task))


async def _serve(task: WorkerTask) -> None:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    options, listeners = task.options, Listeners.of_descriptors(task.descriptors)
    async with (
        await connect(options.settings, **CONNECTION_OPTIONS) as client,
        running(client, options, listeners, Metrics()) as serving,
    ):
        threading.Thread(target=_wait_for_end, args=(loop, stop), daemon=True).start()
        print("ready", flush=True)
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait([serving, stopped], return_when=asyncio.FIRST_COMPLETED)


def _wait_for_end(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    """Stop when the supervisor closes its end of the pipe, or has ended."""
    sys.stdin.buffer.read(1)
    loop.call_soon_threadsafe(stop.set)


if __name__ == "__main__":
    # By its own name, so that what it unpickles is not of a second copy of this module.
    from jetstow.cli.gateway_worker import main as run

    run()
