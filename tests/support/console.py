"""A gateway with the web console in a thread, and clients of its API.

with RunningConsole(server.url) as console, console.sign_in(OWNER) as client:
    client.get("buckets").json()
"""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Self

import httpx

from jetstow.console import Console, PreviewApp
from jetstow.console.sessions import COOKIE, new_token
from jetstow.s3 import Gateway, Key
from jetstow.s3.server import listen, serving
from tests.support.gateway import OWNER, RunningGateway


class RunningConsole(RunningGateway):
    """A gateway with a console and previews on loopback, with the keys of `gateway.KEYS`.

    `console` is the application, with `previews` or without. The other options are those of
    `RunningGateway`.
    """

    console: Console

    def __init__(
        self,
        nats_url: str,
        *,
        previews: bool = True,
        **options: Any,
    ) -> None:
        super().__init__(nats_url, **options)
        self._previews = previews

    def sign_in(self, key: Key = OWNER) -> ConsoleClient:
        """Return a client with a session of a key."""
        client = ConsoleClient(self.url)
        client.sign_in(key)
        return client

    def sign_in_cookie(self, key: Key = OWNER) -> str:
        """Return the header Cookie of a new session, for requests that are written byte by byte."""
        assert self.gateway is not None, "it runs"
        return f"{COOKIE}={new_token(key, self.gateway.clock().timestamp()).encode()}"

    @asynccontextmanager
    async def _serving(self, gateway: Gateway, listener: socket.socket) -> AsyncIterator[None]:
        previews = listen(self.host, 0)
        port = previews.getsockname()[1] if self._previews else None
        self.console = Console(gateway, preview_port=port)
        options: dict[str, Any] = {
            "certificate": self._certificate,
            "drain_timeout": self._drain_timeout,
        }
        async with (
            self.console.running(),
            serving(PreviewApp(gateway), previews, **options),
            serving(self.console, listener, **options),
        ):
            try:
                yield
            finally:
                self.console.drain()


class ConsoleClient(httpx.Client):
    """A client of the API: paths are relative to it, and changes have the CSRF token.

    `session` describes the session, as of the sign-in.
    """

    def __init__(self, url: str, **options: Any) -> None:
        super().__init__(base_url=f"{url}/_console/api/", timeout=20, **options)
        self.url = url
        self.session: dict[str, Any] = {}

    def __enter__(self) -> Self:  # a client that has signed in is open already
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def sign_in(self, key: Key) -> None:
        """Begin a session of a key."""
        credentials = {"access_key": key.access_key, "secret_key": key.secret_key}
        response = self.post("session", json=credentials)
        assert response.status_code == 200, response.text
        self.session = response.json()
        self.headers["x-csrf-token"] = self.session["csrf"]

    def created(self, bucket: str) -> str:
        """Return when a bucket was created, which a delete of objects states."""
        with ConsoleClient(self.url) as owner:
            owner.sign_in(OWNER)
            return str(owner.get(f"buckets/{bucket}").json()["created"])

    def s3(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send an operation of S3: `path` is `BUCKET/KEY?QUERY`, encoded."""
        return self.request(method, f"{self.url}/_console/s3/{path}", **options)


def error_code(response: httpx.Response) -> str:
    """Return the code of an error of the API."""
    return str(response.json()["error"]["code"])
