"""The admin address: health, readiness, metrics."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from jetstow import Client, JetStreamContext
from jetstow.http.asgi import Receive, Scope, Send, response_start

# How long JetStream may take to answer a request for readiness, in seconds.
READY_TIMEOUT: Final = 2.0


class Admin:
    """An ASGI application with `/healthz`, `/readyz` and `/metrics`.

    `/healthz` is 503 if the process should be restarted: the NATS connection is closed, which it
    never is by an outage. `/readyz` is 503 if requests would fail now: before `start`, after
    `stop`, or if JetStream does not answer.
    """

    def __init__(self, client: Client, js: JetStreamContext, registry: CollectorRegistry) -> None:
        self._client = client
        self._js = js
        self._registry = registry
        self._is_ready: Callable[[], bool] = lambda: False

    def start(self, is_ready: Callable[[], bool] = lambda: True) -> None:
        """Report that the gateway is ready if `is_ready` returns True."""
        self._is_ready = is_ready

    def stop(self) -> None:
        """Report that the gateway takes no more requests."""
        self._is_ready = lambda: False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Serve a request."""
        pages: dict[str, Callable[[], Awaitable[tuple[HTTPStatus, bytes]]]] = {
            "/healthz": self._health,
            "/readyz": self._readiness,
            "/metrics": self._metrics,
        }
        page = pages.get(scope["path"])
        if page is None:
            status, body = HTTPStatus.NOT_FOUND, b"not found\n"
        elif scope["method"] not in ("GET", "HEAD"):
            status, body = HTTPStatus.METHOD_NOT_ALLOWED, b"method not allowed\n"
        else:
            status, body = await page()
        is_metrics = scope["path"] == "/metrics" and status == HTTPStatus.OK
        content_type = CONTENT_TYPE_LATEST if is_metrics else "text/plain; charset=utf-8"
        headers = {"content-type": content_type, "content-length": str(len(body))}
        await send(response_start(status, headers))
        await send(
            {"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body}
        )

    async def _health(self) -> tuple[HTTPStatus, bytes]:
        if self._client.is_closed:
            return HTTPStatus.SERVICE_UNAVAILABLE, b"the NATS connection is closed\n"
        return HTTPStatus.OK, b"ok\n"

    async def _readiness(self) -> tuple[HTTPStatus, bytes]:
        if not self._is_ready():
            return HTTPStatus.SERVICE_UNAVAILABLE, b"the gateway or a worker is not running\n"
        try:
            async with asyncio.timeout(READY_TIMEOUT):
                await self._js.account_info()
        except Exception as error:  # noqa: BLE001 - any: requests of clients would fail, too
            reason = str(error) or type(error).__name__
            return HTTPStatus.SERVICE_UNAVAILABLE, f"JetStream: {reason}\n".encode()
        return HTTPStatus.OK, b"ok\n"

    async def _metrics(self) -> tuple[HTTPStatus, bytes]:
        # With several workers, it reads the files of all of them.
        return HTTPStatus.OK, await asyncio.to_thread(generate_latest, self._registry)
