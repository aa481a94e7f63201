"""The body of an HTTP request as it is sent: idle timeout, lost clients, unread rests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from typing import Final

from jetstow.http.asgi import Message, Receive
from jetstow.s3.errors import ClientGoneError, S3Error

# How long a client may send nothing in the middle of a body, in seconds. uvicorn has no limit.
IDLE_TIMEOUT: Final = 60.0

# A rest of at most this many bytes is read after a response, so that the connection can be used
# again, or so that the client reads the response before the connection is reset.
_MAX_DRAINED: Final = 1024 * 1024
_DRAIN_TIMEOUT: Final = 2.0


class RawBody:
    """The bytes of a request's body, before they are decoded. Iterate once."""

    def __init__(
        self, headers: Mapping[str, str], receive: Receive, timeout: float = IDLE_TIMEOUT
    ) -> None:
        length = headers.get("content-length")
        self.chunked = headers.get("transfer-encoding") is not None
        # The HTTP parser has checked the number, and refuses both headers together.
        self.length = None if self.chunked else int(length or 0)
        self.has_length = length is not None
        self.received = 0
        self._receive = receive
        self._timeout = timeout
        self._started = False
        self._first = b""
        self._expects_continue = headers.get("expect", "").lower() == "100-continue"
        # Without a body, there is nothing to read. Clients that expect "100 Continue" get it before
        # an empty body, too: after a response without it, botocore cannot parse the next response
        # on the connection, and waits for its end.
        self.ended = self.length == 0 and not self._expects_continue

    async def begin(self) -> None:
        """Send "100 Continue" and read the first bytes, which the iteration yields."""
        if not (self._started or self.ended):
            self._first = await self._read()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if self._first:
            first, self._first = self._first, b""
            yield first
        while not self.ended:
            if piece := await self._read():
                yield piece

    async def receive(self) -> Message:
        """Return the next message, for an application that reads the body itself."""
        self._started = True
        message = await self._receive()
        if message["type"] == "http.request":
            self.ended = not message.get("more_body", False)
            self.received += len(message.get("body", b""))
        return message

    async def _read(self) -> bytes:
        """Return the next bytes. uvicorn sends "100 Continue" at the first call."""
        try:
            async with asyncio.timeout(self._timeout):
                message = await self.receive()
        except TimeoutError:
            raise S3Error("RequestTimeout") from None
        if message["type"] == "http.disconnect":
            raise ClientGoneError
        piece: bytes = message.get("body", b"")
        return piece

    @property
    def can_drain(self) -> bool:
        """Whether the rest is short enough to read it, so that the connection stays usable."""
        if self._expects_continue and not self._started:
            return False  # the client has sent nothing, and may or may not do so now
        if self.ended:
            return True
        return self.length is not None and self.length - self.received <= _MAX_DRAINED

    async def drain(self) -> None:
        """Read the rest of the body and discard it, up to a limit of bytes and of time."""
        if self._expects_continue and not self._started:
            return
        limit = self.received + _MAX_DRAINED
        with suppress(TimeoutError, ClientGoneError, S3Error):
            async with asyncio.timeout(_DRAIN_TIMEOUT):
                while not self.ended and self.received <= limit:
                    await self._read()
