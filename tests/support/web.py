"""ASGI applications behind a real HTTP server, in the event loop of the test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn


class _Server(uvicorn.Server):
    def __init__(self, app: Any) -> None:
        config = uvicorn.Config(app, port=0, log_level="critical", lifespan="off")
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, *arguments: Any, **options: Any) -> None:
        await super().startup(*arguments, **options)
        self.listening.set()


@asynccontextmanager
async def serve(app: Any) -> AsyncIterator[str]:
    """Serve an application on a free port of this machine; yield its URL."""
    server = _Server(app)
    # Not `serve`: it would handle the signals of the test run.
    task = asyncio.create_task(server._serve())
    await server.listening.wait()
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = server.force_exit = True
        await task
