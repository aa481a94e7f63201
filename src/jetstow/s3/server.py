"""Run the gateway on uvicorn, in the event loop of the NATS connection."""

from __future__ import annotations

import asyncio
import ctypes
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final

import uvicorn

from jetstow.s3.app import Gateway
from jetstow.s3.protocol import Protocol

# How long requests in progress may take after the gateway was asked to stop, in seconds.
DRAIN_TIMEOUT: Final = 30

# AWS SDKs keep idle connections for up to a minute. A shorter time than theirs makes requests
# fail that are sent while the connection closes.
KEEP_ALIVE: Final = 75

_BACKLOG: Final = 1024

# Parameters of glibc's mallopt, and their values in bytes.
_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
_THRESHOLDS: Final = {_M_TRIM_THRESHOLD: 64 * 1024 * 1024, _M_MMAP_THRESHOLD: 16 * 1024 * 1024}


class _Server(uvicorn.Server):
    """uvicorn's server without its signal handlers, and with an event for its start."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to the program."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen."""
        await super().startup(sockets)
        self.ready.set()


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens on an address. Raises: `OSError`."""
    info = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    return socket.create_server(info[4][:2], family=info[0], backlog=_BACKLOG)


@asynccontextmanager
async def serving(gateway: Gateway, listener: socket.socket) -> AsyncIterator[asyncio.Task[None]]:
    """Serve requests until the block ends; then let those in progress end, too.

    The task ends only if the server fails.
    """
    config = uvicorn.Config(
        gateway,
        http=Protocol,
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=DRAIN_TIMEOUT,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    ready = asyncio.create_task(server.ready.wait())
    try:
        await asyncio.wait([task, ready], return_when=asyncio.FIRST_COMPLETED)
        yield task
    finally:
        ready.cancel()
        server.should_exit = True
        await task


def tune_malloc() -> None:
    """Let glibc reuse the memory of received blocks (decision 0036).

    uvicorn reads 256 KiB at once, above the threshold from which glibc maps and unmaps each block,
    so that each read would fault all of its pages.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return  # not glibc
    for parameter, value in _THRESHOLDS.items():
        mallopt(parameter, value)
