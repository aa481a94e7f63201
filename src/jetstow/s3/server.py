"""Run the gateway on uvicorn, in the event loop of the NATS connection."""

from __future__ import annotations

import asyncio
import ctypes
import logging
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import uvicorn

from jetstow._core.aio.cancellation import CLEANUP_GRACE
from jetstow.http.asgi import Receive, Scope, Send
from jetstow.s3.protocol import Protocol

_log = logging.getLogger("jetstow.s3")

Application = Callable[[Scope, Receive, Send], Awaitable[None]]

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


@dataclass(frozen=True, slots=True)
class Certificate:
    """The PEM files of a server's certificate with its chain, and of its key, not encrypted."""

    chain: Path
    key: Path

    def new_context(self) -> ssl.SSLContext:
        """Return a TLS context. Raises: `OSError`, `ValueError` (a file is not valid)."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        # Without a password, OpenSSL prompts for one on the terminal and blocks.
        context.load_cert_chain(self.chain, self.key, password="")
        return context


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
async def serving(
    application: Application,
    listener: socket.socket,
    *,
    certificate: Certificate | None = None,
    drain_timeout: float = DRAIN_TIMEOUT,
) -> AsyncIterator[asyncio.Task[None]]:
    """Serve requests until the block ends; then let those in progress end, too.

    They have `drain_timeout` seconds. After that, they are cancelled. The task ends only if the
    server fails.
    """
    config = uvicorn.Config(
        application,
        http=Protocol,
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=drain_timeout,  # type: ignore[arg-type]  # any number works
    )
    config.load()
    if certificate is not None:
        config.ssl = certificate.new_context()
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
        await _end_requests(server)


async def _end_requests(server: _Server) -> None:
    """Wait for the requests that were cancelled: they purge what they have stored."""
    if tasks := list(server.server_state.tasks):
        _log.warning("%d requests were cancelled: they took too long to end", len(tasks))
        await asyncio.wait(tasks, timeout=CLEANUP_GRACE)
    for connection in list(server.server_state.connections):
        if (transport := getattr(connection, "transport", None)) is not None:
            transport.abort()


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
