"""Send the answer to a request: the only code that writes responses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Any, Final

from jetstow.s3.body.raw import RawBody, Receive
from jetstow.s3.errors import ClientGoneError, S3Error
from jetstow.s3.result import Result
from jetstow.s3.xml.writing import error_document

Send = Callable[[dict[str, Any]], Awaitable[None]]

_WITHOUT_BODY: Final = frozenset({204, 304})


class Responder:
    """Sends one response. `started`, `status` and `sent` (bytes of the body) describe it."""

    def __init__(self, method: str, request_id: str, receive: Receive, send: Send) -> None:
        self.started = False
        self.status = 0
        self.sent = 0
        self.body: RawBody | None = None
        self._is_head = method == "HEAD"
        self._request_id = request_id
        self._receive = receive
        self._send = send

    async def send_result(self, result: Result) -> None:
        """Send the result of an operation.

        Raises: `ClientGoneError`, what the stream raises.
        """
        headers = dict(result.headers)
        if result.stream is not None:
            async with aclosing(result.stream) as stream:  # type: ignore[type-var]
                await self._start(result.status, headers)
                if not self._is_head:
                    await self._send_stream(stream)
                await self._finish()
            return
        body = b""
        if result.xml is not None:
            body = result.xml.encode("utf-8", "replace")
            headers["content-type"] = "application/xml"
        await self._send_body(result.status, headers, body)

    async def send_error(self, error: S3Error, resource: str) -> None:
        """Send an error as XML. A response to HEAD has no body."""
        text = error_document(error.code, error.message, resource, self._request_id, **error.fields)
        headers = {"content-type": "application/xml", **error.headers}
        await self._send_body(error.status, headers, text.encode("utf-8", "replace"))

    async def _send_body(self, status: int, headers: dict[str, str], body: bytes) -> None:
        if status in _WITHOUT_BODY:
            body = b""
        elif not self._is_head or "content-length" not in headers:
            headers["content-length"] = str(len(body))
        await self._start(status, headers)
        if body and not self._is_head:
            await self._write(body)
        await self._finish()

    async def _start(self, status: int, headers: dict[str, str]) -> None:
        if self._must_close:
            headers["connection"] = "close"
        elif self.body is not None and not self.body.ended:
            await self.body.drain()
            if not self.body.ended:
                headers["connection"] = "close"
        headers["x-amz-request-id"] = self._request_id
        self.started, self.status = True, status
        raw = [(name.encode("latin-1"), _header_bytes(value)) for name, value in headers.items()]
        await self._send({"type": "http.response.start", "status": status, "headers": raw})

    @property
    def _must_close(self) -> bool:
        # The next request would begin in the middle of the unread body.
        return self.body is not None and not self.body.can_drain

    async def _send_stream(self, stream: AsyncIterator[bytes]) -> None:
        """Send a stream until it ends or the client closes the connection.

        `send` raises nothing if the client is gone: only `receive` reports it.
        """
        gone = asyncio.create_task(self._wait_until_gone())
        try:
            async for piece in stream:
                if gone.done():
                    raise ClientGoneError
                await self._write(piece)
        finally:
            gone.cancel()

    async def _wait_until_gone(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def _write(self, piece: bytes) -> None:
        self.sent += len(piece)
        await self._send({"type": "http.response.body", "body": piece, "more_body": True})

    async def _finish(self) -> None:
        if self.body is not None and not self.body.ended:
            # Closing a connection with unread bytes resets it, and the client may lose the
            # response. It has all of it now; let it read that while it sends.
            await self.body.drain()
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})


def _header_bytes(value: str) -> bytes:
    """Return a header's value. uvicorn refuses control characters, which a key may contain."""
    cleaned = "".join(character for character in value if character >= " " or character == "\t")
    return cleaned.encode("latin-1", "replace")
