"""The common options of a command, and its connection."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from jetstow.cli import errors
from jetstow.cli.stdio import AsyncOutput

if TYPE_CHECKING:
    import jetstow

EMBEDDED: Final = "embedded"

# All in seconds. Reconnecting ends after --timeout, or after RECONNECT_TIMEOUT without it.
CLOSE_TIMEOUT: Final = 3.0
RECONNECT_TIMEOUT: Final = 30.0
RECONNECT_INTERVAL: Final = 0.5

_log = logging.getLogger("jetstow.cli")


@dataclass(frozen=True)
class Settings:
    """The common options. `timeout` is in seconds."""

    server: str | None = field(default=None, repr=False)  # it may contain a password
    creds: Path | None = None
    timeout: float | None = None
    json: bool = False
    verbose: bool = False
    key: bytes | None = field(default=None, repr=False)
    allow_plain: bool = False
    original_bucket: str | None = None

    def overridden(self, **options: Any) -> Settings:
        """Return the settings with the options that have a value."""
        return replace(self, **{name: value for name, value in options.items() if value})

    @property
    def server_source(self) -> str:
        """What names the server, in the order of `connect`: an option, a variable, a context."""
        if self.server:
            return "--server"
        if os.environ.get("NATS_URL"):
            return "NATS_URL"
        from jetstow import _nats_context

        if context := _nats_context.load_selected():
            return f"nats context {context.name}"
        return EMBEDDED


class Session:
    """A run of one command: its settings, its output, its exit code and its connection.

    The connection is opened on first use and closed with the session.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.output = AsyncOutput()
        self.exit_code = errors.OK
        self._client: jetstow.Client | None = None
        self._stores: dict[str, jetstow.ObjectStore] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.output.close()
        client, self._client = self._client, None
        if client is not None:
            # A silent server can delay the close without limit. The process ends anyway.
            with suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_TIMEOUT):
                    await client.close()

    async def client(self, *, keep_reconnecting: bool = False, **options: Any) -> jetstow.Client:
        """Return the connection; open it on the first call.

        It reports on stderr when it is lost and restored. It reconnects until `RECONNECT_TIMEOUT`,
        or with `keep_reconnecting` for minutes, as nats-py does by default.

        Raises: as `jetstow.connect`.
        """
        if self._client is None:
            client = self._client = await connect(
                self.settings,
                disconnected_cb=self._on_disconnect,
                reconnected_cb=self._on_reconnect,
                **options,
            )
            if not keep_reconnecting:
                timeout = self.settings.timeout or RECONNECT_TIMEOUT
                client.options["reconnect_time_wait"] = RECONNECT_INTERVAL
                client.options["max_reconnect_attempts"] = max(
                    1, round(timeout / RECONNECT_INTERVAL)
                )
        return self._client

    async def _on_disconnect(self) -> None:
        if self._client is not None:  # not while the session closes it
            errors.print_message("connection lost; reconnecting")

    async def _on_reconnect(self) -> None:
        errors.print_message("reconnected")

    async def connected_server(self) -> tuple[str, str]:
        """Return address and version of the server."""
        client = await self.client()
        url, version = client.connected_url, repr(client.connected_server_version)
        address = "" if url is None else f"{url.hostname}:{url.port}"
        return address, version.removeprefix("<nats server v").removesuffix(">")

    async def js(self) -> jetstow.JetStreamContext:
        """Return the JetStream context of the connection."""
        options: dict[str, Any] = {}
        if self.settings.timeout:
            options["timeout"] = self.settings.timeout
        return (await self.client()).jetstream(**options)

    async def store(self, bucket: str) -> jetstow.ObjectStore:
        """Return a bucket; open it on the first call. Raises: `BucketNotFoundError`."""
        if bucket not in self._stores:
            store = await (await self.js()).object_store(bucket)
            if (key := self.settings.key) is not None:
                store = store.encrypted(
                    key,
                    allow_plain=self.settings.allow_plain,
                    original_bucket=self.settings.original_bucket,
                )
            self._stores[bucket] = store
        return self._stores[bucket]

    async def print(self, text: str) -> None:
        """Write text to standard output."""
        encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
        await self.output.write(text.encode(encoding, "backslashreplace"))

    def report(self, error: Exception) -> None:
        """Print an error and go on. The first one decides the exit code."""
        errors.report(error, verbose=self.settings.verbose)
        self.exit_code = self.exit_code or errors.exit_code(error)


async def connect(settings: Settings, **options: Any) -> jetstow.Client:
    """Connect as `jetstow.connect`. nats-py's error callback only writes debug messages."""

    async def on_error(error: Exception) -> None:
        _log.debug("%s", error)

    import jetstow

    if settings.creds:
        options["user_credentials"] = str(settings.creds)
    if settings.timeout:
        options["connect_timeout"] = settings.timeout
    servers = settings.server.split(",") if settings.server else None
    return await jetstow.connect(servers, name="jetstow", error_cb=on_error, **options)
