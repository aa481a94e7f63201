"""The run of a command: its settings, its output, its exit code and its connection."""

from __future__ import annotations

import asyncio
import sys
import time
from contextlib import AbstractContextManager, suppress
from typing import TYPE_CHECKING, Any, Final, Self

from jetstow.cli import errors, progress
from jetstow.cli.connection import Settings, connect
from jetstow.cli.parsers import Address
from jetstow.cli.render import format_duration
from jetstow.cli.stdio import AsyncOutput

if TYPE_CHECKING:
    import jetstow

# How long the close of the connection may take, in seconds.
CLOSE_TIMEOUT: Final = 3.0


class Session:
    """A run of one command: its settings, its output, its exit code and its connection.

    The connection is opened on first use and closed with the session.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.output = AsyncOutput()
        self.exit_code = errors.OK
        self._client: jetstow.Client | None = None
        self._lost_at: float | None = None
        self._last_error: Exception | None = None
        self._waits = False
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

    async def client(self, **options: Any) -> jetstow.Client:
        """Return the connection; open it on the first call, with options of `jetstow.connect`.

        It reports on stderr when it is lost and restored. By default, it reconnects as long as any
        connection of the library. If it waits for its server without limit, it reports that.

        Raises: as `jetstow.connect`.
        """
        if self._client is None:
            self._waits = options.get("max_reconnect_attempts", 0) < 0
            self._client = await connect(
                self.settings,
                on_error=self._on_error,
                disconnected_cb=self._on_disconnect,
                reconnected_cb=self._on_reconnect,
                **options,
            )
        return self._client

    def _on_error(self, error: Exception) -> None:
        if self._waits and self._client is None and self._last_error is None:
            source = self.settings.server_source
            self.notify(f"cannot connect to NATS ({source}): {errors.cause(error)}; trying again")
        self._last_error = error

    async def _on_disconnect(self) -> None:
        # Not while the session closes it. nats-py also calls this when it gives up.
        if self._client is not None and self._lost_at is None:
            self._lost_at = time.monotonic()
            self.notify("connection lost; reconnecting")

    async def _on_reconnect(self) -> None:
        self._lost_at = None
        self.notify("reconnected")

    def explain(self, error: Exception) -> Exception:
        """Return an error, with the reason if the connection was lost and not restored."""
        from jetstow.errors import ConnectionLostError

        if self._lost_at is None or not isinstance(error, ConnectionLostError):
            return error
        subject = "" if error.bucket is None else f"{Address(error.bucket, error.name or '')}: "
        duration = format_duration(round(time.monotonic() - self._lost_at)) or "0s"
        reason = "" if self._last_error is None else f": {errors.cause(self._last_error)}"
        lost = errors.OutageError(
            f"{subject}the connection was lost and not restored within {duration}{reason}"
        )
        lost.__notes__ = errors.notes(error)
        return lost.with_traceback(error.__traceback__)

    def notify(self, text: str) -> None:
        """Print a line about the run of the command on stderr, unless it is quiet."""
        if not self.settings.quiet:
            errors.print_message(text)

    async def connected_server(self) -> tuple[str, str]:
        """Return address and version of the server."""
        client = await self.client()
        url, version = client.connected_url, repr(client.connected_server_version)
        address = "" if url is None else f"{url.hostname}:{url.port}"
        return address, version.removeprefix("<nats server v").removesuffix(">")

    async def js(self) -> jetstow.JetStreamContext:
        """Return the JetStream context of the connection."""
        return (await self.client()).jetstream(**self.settings.js_options)

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

    def progress(
        self, label: str, size: int | None = None, *, hidden: bool = False
    ) -> AbstractContextManager[progress.Report | None]:
        """Provide the `progress` callback of a transfer, as `progress.progress`."""
        return progress.progress(label, size, hidden=hidden or self.settings.quiet)

    def report(self, error: Exception) -> None:
        """Print an error and go on. The first one decides the exit code."""
        errors.report(error, verbose=self.settings.verbose)
        self.exit_code = self.exit_code or errors.exit_code(error)
