"""Send the answer to a request: the only code that writes responses."""

from __future__ import annotations

from contextlib import aclosing
from typing import Final

from jetstow.http import ObjectResponse
from jetstow.http.asgi import Receive, Send, response_start
from jetstow.s3.body.raw import RawBody
from jetstow.s3.errors import ClientGoneError, S3Error
from jetstow.s3.result import Result
from jetstow.s3.xml.writing import error_document

_WITHOUT_BODY: Final = frozenset({204, 304})


class Responder:
    """Sends one response. `started`, `status` and `sent` (bytes of the body) describe it."""

    def __init__(self, method: str, request_id: str, receive: Receive, send: Send) -> None:
        self.started = False
        self.status = 0
        self.sent = 0
        self.cors_headers: dict[str, str] = {}
        self.body: RawBody | None = None
        self._is_head = method == "HEAD"
        self._request_id = request_id
        self._receive = receive
        self._send = send

    async def send_result(self, result: Result) -> None:
        """Send the result of an operation.

        Raises: `ClientGoneError`, what reading the object or the stream raises.
        """
        headers = dict(result.headers)
        if result.response is not None:
            await self._send_object(result.response, headers)
        elif result.stream is not None:
            await self._start(result.status, headers)
            async with aclosing(result.stream) as stream:
                async for piece in stream:
                    await self._write(piece)
            await self._finish()
        else:
            body = b""
            if result.xml is not None:
                body = result.xml.encode("utf-8", "replace")
                headers["content-type"] = "application/xml"
            elif result.text is not None:
                body = result.text.encode()
                headers["content-type"] = result.media_type
            await self._send_body(result.status, headers, body)

    async def _send_object(self, response: ObjectResponse, headers: dict[str, str]) -> None:
        try:
            await self._prepare(response.selection.status, headers)
        except BaseException:
            await response.close()
            raise
        response.headers |= headers
        try:
            await response({}, self._receive, self._send)
        finally:
            self.sent = response.bytes_sent
        if not self._is_head and self.sent < response.selection.length:
            raise ClientGoneError

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
        await self._prepare(status, headers)
        await self._send(response_start(status, headers))

    async def _prepare(self, status: int, headers: dict[str, str]) -> None:
        """Add the headers that all responses have."""
        if self._must_close:
            headers["connection"] = "close"
        elif self.body is not None and not self.body.ended:
            await self.body.drain()
            if not self.body.ended:
                headers["connection"] = "close"
        headers |= self.cors_headers
        headers["x-amz-request-id"] = self._request_id
        self.started, self.status = True, status

    @property
    def _must_close(self) -> bool:
        # The next request would begin in the middle of the unread body.
        return self.body is not None and not self.body.can_drain

    async def _write(self, piece: bytes) -> None:
        self.sent += len(piece)
        await self._send({"type": "http.response.body", "body": piece, "more_body": True})

    async def _finish(self) -> None:
        if self.body is not None and not self.body.ended:
            # Closing a connection with unread bytes resets it, and the client may lose the
            # response. It has all of it now; let it read that while it sends.
            await self.body.drain()
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})
