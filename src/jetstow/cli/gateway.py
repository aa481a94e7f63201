"""The S3 gateway of `serve`: in this process, or in each of several workers."""

from __future__ import annotations

import asyncio
import logging
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal, Self

import jetstow
from jetstow.cli.connection import Settings, connect
from jetstow.s3 import server
from jetstow.s3.app import Gateway
from jetstow.s3.auth.keys import Keys
from jetstow.s3.observe import ACCESS_LOG, AccessLog, Metrics
from jetstow.s3.outage import watching
from jetstow.s3.server import Certificate

LogFormat = Literal["text", "json"]

# From a NATS server that hangs, a gateway goes to another one after 15 to 20 seconds. By default,
# nats-py does so after six minutes.
_PINGS: Final[dict[str, Any]] = {"ping_interval": 5, "max_outstanding_pings": 2}

# A gateway waits for its NATS servers as long as they are away.
CONNECTION_OPTIONS: Final[dict[str, Any]] = {"max_reconnect_attempts": -1} | _PINGS


@dataclass(frozen=True, slots=True)
class GatewayOptions:
    """The options of `serve` that a gateway needs, with the settings of the NATS connection."""

    settings: Settings
    keys: Keys
    base_domains: tuple[str, ...]
    website_domains: tuple[str, ...]
    public_acls: bool
    replicas: int
    access_log: LogFormat | None
    certificate: Certificate | None
    has_console: bool = False


@dataclass(frozen=True, slots=True)
class Listeners:
    """The sockets of a gateway: of S3 with the console, and of the console's previews."""

    gateway: socket.socket
    previews: socket.socket | None = None

    @classmethod
    def of_descriptors(cls, descriptors: Sequence[int]) -> Self:
        """Return inherited sockets."""
        return cls(*(socket.socket(fileno=descriptor) for descriptor in descriptors))

    def descriptors(self) -> tuple[int, ...]:
        """Return the file descriptors of the sockets."""
        both = (self.gateway, self.previews)
        return tuple(listener.fileno() for listener in both if listener is not None)

    def close(self) -> None:
        """Close the sockets."""
        self.gateway.close()
        if self.previews is not None:
            self.previews.close()


@asynccontextmanager
async def running(
    client: jetstow.Client,
    options: GatewayOptions,
    listeners: Listeners,
    metrics: Metrics,
) -> AsyncIterator[asyncio.Task[None]]:
    """Run a gateway until the block ends. The task ends only if it fails."""
    async with AsyncExitStack() as stack:

        async def connect_as(creds: Path) -> jetstow.JetStreamContext:
            settings = replace(options.settings, creds=creds, nkey=None)
            client = await stack.enter_async_context(await connect(settings, **_PINGS))
            # Not before: the first connection would be tried forever, too.
            client.options |= CONNECTION_OPTIONS
            return client.jetstream(**settings.js_options)

        gateway = Gateway(
            client.jetstream(**options.settings.js_options),
            options.keys,
            base_domains=options.base_domains,
            website_domains=options.website_domains,
            connect=connect_as,
            public_acls=options.public_acls,
            replicas=options.replicas,
            access_log=AccessLog(as_json=options.access_log == "json"),
            metrics=metrics,
        )
        if options.access_log is not None:
            _log_access()
        server.tune_malloc()
        await stack.enter_async_context(watching(client, gateway.availability))
        if options.has_console:
            serving = _serving_console(gateway, options, listeners)
        else:
            serving = server.serving(gateway, listeners.gateway, certificate=options.certificate)
        yield await stack.enter_async_context(serving)


@asynccontextmanager
async def _serving_console(
    gateway: Gateway, options: GatewayOptions, listeners: Listeners
) -> AsyncIterator[asyncio.Task[None]]:
    """Serve a gateway with its console, and the previews."""
    from jetstow.console import Console, PreviewApp

    certificate, previews = options.certificate, listeners.previews
    port = None if previews is None else previews.getsockname()[1]
    console = Console(gateway, preview_port=port)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(console.running())
        if previews is not None:
            application = PreviewApp(gateway)
            serving = server.serving(application, previews, certificate=certificate)
            await stack.enter_async_context(serving)
        serving = server.serving(console, listeners.gateway, certificate=certificate)
        task = await stack.enter_async_context(serving)
        stack.callback(console.drain)  # before the server waits for the requests in progress
        yield task


def _log_access() -> None:
    """Write the access log to standard error: standard output has the results of the command."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger = logging.getLogger(ACCESS_LOG)
    logger.handlers = [handler]
    logger.setLevel(logging.INFO)
    logger.propagate = False


def new_event_loop() -> asyncio.AbstractEventLoop:
    """Return uvloop's event loop, which is faster; asyncio's on Windows."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()
