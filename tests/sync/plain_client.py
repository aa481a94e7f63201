"""Functions of `tests.support` that need a plain nats-py connection, for tests without a loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import nats

from tests.support.servers import NatsServer

T = TypeVar("T")


def run_on_server(
    server: NatsServer, function: Callable[..., Awaitable[T]], *args: Any, **options: Any
) -> T:
    """Run such a function in a thread of its own, so that the caller may run in a loop."""
    results: list[T] = []

    async def run() -> None:
        async with await nats.connect(server.url) as nc:
            results.append(await function(nc, *args, **options))

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    thread.join()
    return results[0]
