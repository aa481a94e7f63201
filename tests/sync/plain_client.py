"""What really lies on the server, asked by a plain connection from a thread without a loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import nats

from tests.support.servers import NatsServer

T = TypeVar("T")


def look(server: NatsServer, what: Callable[..., Awaitable[T]], *args: Any, **options: Any) -> T:
    """`underneath`'s functions, whether a loop runs here or not."""
    found: list[T] = []

    async def looked() -> None:
        async with await nats.connect(server.url) as nc:
            found.append(await what(nc, *args, **options))

    thread = threading.Thread(target=lambda: asyncio.run(looked()))
    thread.start()
    thread.join()
    return found[0]
