"""The console as an ASGI application in front of the gateway: which of them serves a request."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Router

from jetstow.console import background
from jetstow.console.access import authenticate
from jetstow.console.context import Context
from jetstow.console.errors import error_response, to_console_error
from jetstow.console.objects import PREFIX as OBJECTS
from jetstow.console.objects import serve_object
from jetstow.console.routes import ROUTES
from jetstow.console.security import (
    OBJECT_POLICY,
    check_origin,
    is_code_request,
    page_policy,
    security_headers,
    with_headers,
    with_sandbox,
)
from jetstow.console.session_api import PATH as SESSION
from jetstow.console.static_files import file_response, page_response
from jetstow.console.unread_body import limit_unread_body
from jetstow.http.asgi import Message, Receive, Scope, Send
from jetstow.s3.app import Gateway
from jetstow.s3.errors import ClientGoneError, S3Error, unexpected
from jetstow.s3.observe import CLIENT_GONE, Record
from jetstow.s3.request import new_request_id

PREFIX: Final = "/_console"
_API: Final = f"{PREFIX}/api"
# What the page needs to show that NATS is away.
_WITHOUT_NATS: Final = frozenset({SESSION, f"{_API}/health"})
_STATIC: Final = f"{PREFIX}/static/"
# In the access log.
_OPERATION: Final = "Console"

_log = logging.getLogger("jetstow.console")


class Console:
    """Serves the console below `/_console`, and passes all other requests to the gateway.

    `preview_port` is the port of the listener for previews, if there is one.
    """

    def __init__(self, gateway: Gateway, *, preview_port: int | None = None) -> None:
        self.context = Context(gateway, preview_port)
        self._api = Router(ROUTES, redirect_slashes=False)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Do the console's work between requests, until the block ends."""
        async with background.running(self.context):
            yield

    def drain(self) -> None:
        """End the responses that have no end of their own: the gateway begins to stop."""
        self.context.draining.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] != "http":
            return
        self.context.gateway.key_reload.check()
        request = Request(scope, receive)
        path = scope["raw_path"].decode("latin-1")
        # Keys of a bucket that is in the host name may begin with the same text.
        is_console = path == PREFIX or path.startswith(f"{PREFIX}/")
        is_of_bucket = self.context.gateway.is_bucket_host(request.headers.get("host", ""))
        if is_console and not is_of_bucket:
            scope["app"] = self  # then the router raises errors instead of sending them
            scope["jetstow.console"] = self.context
            receive, send = limit_unread_body(scope, receive, send)
            send = with_headers(send, self._headers(request, path))
            await self._serve(Request(scope, receive), path, send)
        elif is_of_bucket:
            await self.context.gateway(scope, receive, send)
        else:
            await self._serve_gateway(request, scope, receive, send)

    def _headers(self, request: Request, path: str) -> dict[str, str]:
        if path.startswith(OBJECTS):
            return security_headers(OBJECT_POLICY) | {"cache-control": "private, no-cache"}
        headers = security_headers(page_policy(self.context.preview_origin(request)))
        if path.startswith(f"{_API}/"):
            headers["cache-control"] = "no-store"
        return headers

    async def _serve_gateway(
        self, request: Request, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Pass a request to the gateway. Objects of it have the same origin as the console."""
        is_own = request.headers.get("sec-fetch-site") == "same-origin"
        if is_own and is_code_request(request.headers):
            response = Response(status_code=HTTPStatus.FORBIDDEN)
            await response(scope, *limit_unread_body(scope, receive, send))
            return
        await self.context.gateway(scope, receive, with_sandbox(send))

    async def _serve(self, request: Request, path: str, send: Send) -> None:
        """Serve a request of the console, and answer errors with JSON."""
        scope, receive = request.scope, request.receive
        gateway = self.context.gateway
        record = Record(new_request_id(), request.method, path, operation=_OPERATION)
        record.client = request.client.host if request.client else ""
        scope["jetstow.request_id"] = record.request_id
        scope["jetstow.record"] = record

        async def counting(message: Message) -> None:
            if message["type"] == "http.response.start":
                record.status = message["status"]
            elif message["type"] == "http.response.body":
                record.sent += len(message.get("body", b""))
            await send(message)

        gateway.availability.begin()
        try:
            try:
                await self._route(request, path, counting)
            except asyncio.CancelledError:
                if not gateway.availability.has_ended_request():
                    raise
                raise S3Error("ServiceUnavailable") from None
        except (ClientGoneError, ClientDisconnect):
            record.status = record.status or CLIENT_GONE
        except Exception as error:  # noqa: BLE001 - every error becomes a response
            known = to_console_error(error)
            record.error = known.code
            if known.status >= 500 or record.status:
                _log.error("%s %s %s", record.request_id, path, error, exc_info=unexpected(error))
            if not record.status:
                await error_response(known, record.request_id)(scope, receive, counting)
            # If it has begun, it stays incomplete: the server closes the connection.
        finally:
            gateway.availability.end()
            if record.operation == _OPERATION:
                gateway.access_log.write(record)

    async def _route(self, request: Request, path: str, send: Send) -> None:
        scope, receive = request.scope, request.receive
        if path.startswith((f"{_API}/", OBJECTS)):
            await self._serve_session(request, path, send)
            return
        if request.method not in ("GET", "HEAD"):
            raise S3Error("MethodNotAllowed")
        if path == PREFIX:
            response: Response = RedirectResponse(f"{PREFIX}/", HTTPStatus.PERMANENT_REDIRECT)
        elif path.startswith(_STATIC):
            response = file_response(request, path.removeprefix(_STATIC))
        else:
            response = page_response(request)
        await response(scope, receive, send)

    async def _serve_session(self, request: Request, path: str, send: Send) -> None:
        """Serve a request that needs a session: all of the API but the request that begins one.

        Raises: `ConsoleError`, `S3Error`, what the handler raises.
        """
        scope, receive = request.scope, request.receive
        is_available = self.context.gateway.availability.is_available
        if not is_available and path not in _WITHOUT_NATS:
            raise S3Error("ServiceUnavailable")
        if path == SESSION and request.method == "POST":
            check_origin(request.headers)
        else:
            session = await authenticate(request)
            scope["jetstow.session"] = session
            scope["jetstow.record"].access_key = session.key.access_key
            if path.startswith(OBJECTS):
                scope["jetstow.record"].operation = ""  # the gateway logs its operations itself
                await serve_object(scope, receive, send, session)
                return
        inner = dict(scope, path=scope["path"].removeprefix(_API), root_path="")
        await self._api(inner, receive, send)
