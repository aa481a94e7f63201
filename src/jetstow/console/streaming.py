"""Responses that are made while they are sent: their work ends when the client goes away."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import StreamingResponse

from jetstow.console.access import request_id
from jetstow.console.errors import error_fields, to_console_error
from jetstow.http.asgi import Receive, Scope, Send, until_disconnect
from jetstow.s3.errors import unexpected

NDJSON: Final = "application/x-ndjson"

_log = logging.getLogger("jetstow.console")


class Streamed(StreamingResponse):
    """A response with the pieces of a generator, which is closed at the end in any case.

    If the generator raises an error, the response stays incomplete, and the server closes the
    connection: the client does not take what it has received for all. `on_end` is called when the
    response has ended, in any case.
    """

    def __init__(
        self,
        pieces: AsyncGenerator[bytes, None],
        media_type: str,
        headers: Mapping[str, str] | None = None,
        *,
        on_end: Callable[[], None] | None = None,
    ) -> None:
        super().__init__(pieces, headers=headers, media_type=media_type)
        self._pieces = pieces
        self._on_end = on_end

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response.

        Raises: what the generator raises.
        """
        try:
            await until_disconnect(self._send(send, is_head=scope["method"] == "HEAD"), receive)
        finally:
            if self._on_end is not None:
                self._on_end()

    async def _send(self, send: Send, *, is_head: bool) -> None:
        async with aclosing(self._pieces) as pieces:
            await send({
                "type": "http.response.start",
                "status": self.status_code,
                "headers": self.raw_headers,
            })  # fmt: skip
            if not is_head:
                async for piece in pieces:
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def ndjson(request: Request, lines: AsyncGenerator[Any, None]) -> Streamed:
    """Return a response with a line of JSON for each value of a generator.

    If it raises an error, the last line has it.
    """
    return Streamed(_encoded(request, lines), NDJSON)


async def _encoded(request: Request, lines: AsyncGenerator[Any, None]) -> AsyncGenerator[bytes]:
    async with aclosing(lines):
        try:
            async for line in lines:
                yield msgspec.json.encode(line) + b"\n"
        except Exception as error:  # noqa: BLE001 - every error becomes the last line
            request_name = request_id(request)
            if to_console_error(error).status >= 500:
                _log.error("%s %s", request_name, error, exc_info=unexpected(error))
            yield msgspec.json.encode({"error": error_fields(error, request_name)}) + b"\n"
