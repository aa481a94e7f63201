"""One command at work: what the user asked for of all commands, and the connection."""

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
from jetstow.cli.stdio import Output

if TYPE_CHECKING:
    import jetstow

EMBEDDED: Final = "embedded"

# How long the end of a connection may take, in seconds.
_CLOSING: Final = 3.0

# How long a command waits for a server that is gone, and between two tries, in seconds.
_PATIENCE: Final = 30.0
_PAUSE: Final = 0.5

_log = logging.getLogger("jetstow.cli")


@dataclass(frozen=True)
class Settings:
    """The options that every command has. `timeout` is in seconds."""

    server: str | None = field(default=None, repr=False)  # it may have a password
    creds: Path | None = None
    timeout: float | None = None
    json: bool = False
    verbose: bool = False
    key: bytes | None = field(default=None, repr=False)

    def overridden(self, **given: Any) -> Settings:
        """With what was given after the command, where something was."""
        return replace(self, **{key: value for key, value in given.items() if value})

    @property
    def place(self) -> str:
        """Where `connect` will go, in words: as it looks for it, in that order."""
        if self.server:
            return "--server"
        if os.environ.get("NATS_URL"):
            return "NATS_URL"
        from jetstow import _nats_context

        if context := _nats_context.selected():
            return f"nats context {context.name}"
        return EMBEDDED


class Session:
    """A command's connection, made when it is first needed and closed with it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.output = Output()
        self.code = errors.OK
        self._client: jetstow.Client | None = None
        self._stores: dict[str, jetstow.ObjectStore] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.output.close()
        client, self._client = self._client, None
        if client is not None:
            # One that is silent may keep a closing connection for ever. The process ends anyway.
            with suppress(TimeoutError):
                async with asyncio.timeout(_CLOSING):
                    await client.close()

    async def client(self, **options: Any) -> jetstow.Client:
        """The connection, which says when it waits for the server.

        Once it is made, it outlives the server's restarts, but not for long: somebody waits.
        Raises what `jetstow.connect` raises.
        """
        if self._client is None:
            client = await self.patient_client(**options)
            patience = self.settings.timeout or _PATIENCE
            client.options["reconnect_time_wait"] = _PAUSE
            client.options["max_reconnect_attempts"] = max(1, round(patience / _PAUSE))
        return await self.patient_client()

    async def patient_client(self, **options: Any) -> jetstow.Client:
        """The same, which waits for minutes."""

        async def lost() -> None:
            if self._client is not None:
                errors.complain("the connection is lost; trying to get it back")

        async def back() -> None:
            errors.complain("the connection is back")

        if self._client is None:
            self._client = await connect(
                self.settings, disconnected_cb=lost, reconnected_cb=back, **options
            )
        return self._client

    async def server(self) -> tuple[str, str]:
        """The address and the version of the server that the connection leads to."""
        client = await self.client()
        url, version = client.connected_url, repr(client.connected_server_version)
        address = "" if url is None else f"{url.hostname}:{url.port}"
        return address, version.removeprefix("<nats server v").removesuffix(">")

    async def js(self) -> jetstow.JetStreamContext:
        """The connection's JetStream."""
        options = {"timeout": self.settings.timeout} if self.settings.timeout else {}
        return (await self.client()).jetstream(**options)

    async def store(self, bucket: str) -> jetstow.ObjectStore:
        """A bucket, opened once. Raises `BucketNotFoundError`."""
        if bucket not in self._stores:
            store = await (await self.js()).object_store(bucket)
            key = self.settings.key
            self._stores[bucket] = store if key is None else store.encrypted(key)
        return self._stores[bucket]

    async def say(self, text: str) -> None:
        """Text on standard output."""
        await self.output.write(
            text.encode(getattr(sys.stdout, "encoding", None) or "utf-8", "backslashreplace")
        )

    def complain(self, error: Exception) -> None:
        """Tell of a failure and go on; the exit code is the first one's."""
        errors.report(error, verbose=self.settings.verbose)
        self.code = self.code or errors.code(error)


async def connect(settings: Settings, **options: Any) -> jetstow.Client:
    """A connection that says nothing by itself: failures are raised where they matter."""

    async def note(error: Exception) -> None:
        _log.debug("%s", error)

    import jetstow

    if settings.creds:
        options["user_credentials"] = str(settings.creds)
    if settings.timeout:
        options["connect_timeout"] = settings.timeout
    servers = settings.server.split(",") if settings.server else None
    return await jetstow.connect(servers, name="jetstow", error_cb=note, **options)
