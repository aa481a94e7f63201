"""uvicorn's HTTP protocol with limits that it lacks: of heads, and of clients that do not read."""

from __future__ import annotations

import asyncio
from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from jetstow.s3.request import new_request_id
from jetstow.s3.send_timeout import SendTimeout
from jetstow.s3.xml.writing import error_document

# Amazon allows 8 KiB of headers. Presigned URLs with a session token have 4 KiB.
MAX_HEAD_SIZE: Final = 64 * 1024
MAX_HEADERS: Final = 256
# How long a client may take to send the request line and the headers, in seconds.
HEAD_TIMEOUT: Final = 30.0
# How long an idle client may take to answer the end of TLS at shutdown, in seconds. Clients with a
# pool of connections do not read until the next request, and asyncio waits for 30 seconds.
CLOSE_TIMEOUT: Final = 1.0


class Protocol(HttpToolsProtocol):
    """Closes a connection whose request line and headers are too long, too slow, or not valid.

    That of a client that does not read the response is aborted.
    """

    _head_size = 0
    _requests = 0
    _reads_head = True
    _head_timer: asyncio.TimerHandle | None = None
    _send_timeout: SendTimeout | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first request."""
        super().connection_made(transport)
        self._start_head_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timers."""
        self._stop_head_timer()
        if self._send_timeout is not None:
            self._send_timeout.stop()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Wait for the client, which has not read what is buffered for it."""
        super().pause_writing()
        if self._send_timeout is None:
            self._send_timeout = SendTimeout(self.transport)
        self._send_timeout.start()

    def resume_writing(self) -> None:
        """Send more."""
        super().resume_writing()
        if self._send_timeout is not None:
            self._send_timeout.stop()

    def shutdown(self) -> None:
        """Close the connection if it is idle, else after the response in progress."""
        super().shutdown()
        # What a slow client has not received of the last response is sent first.
        if self.transport.is_closing() and not self.transport.get_write_buffer_size():
            self.loop.call_later(CLOSE_TIMEOUT, self.transport.abort)

    def data_received(self, data: bytes) -> None:
        """Parse received bytes."""
        reads_head, requests = self._reads_head, self._requests
        if reads_head:
            self._start_head_timer()
        super().data_received(data)
        # The parser collects an unfinished header without limit before it calls `on_header`.
        if reads_head and self._requests == requests:
            self._head_size += len(data)
            if self._head_size > MAX_HEAD_SIZE and not self.transport.is_closing():
                self.send_400_response("")

    def on_url(self, url: bytes) -> None:
        """Add to the request line."""
        self._check(len(self.url) + len(url) <= MAX_HEAD_SIZE)
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Add a header."""
        self._check(len(self.headers) < MAX_HEADERS and len(name) + len(value) <= MAX_HEAD_SIZE)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Begin the request."""
        self._stop_head_timer()
        self._reads_head = False
        self._requests += 1
        self._check(sum(len(n) + len(v) for n, v in self.headers) <= MAX_HEAD_SIZE)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Wait for the next request."""
        self._reads_head, self._head_size = True, 0
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's is plain text
        """Refuse what is no HTTP request, in XML, and close the connection."""
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is not None and cycle.response_started and not cycle.response_complete:
            self.transport.close()  # in the middle of a response
            return
        too_large = self._head_size > MAX_HEAD_SIZE
        code = "RequestHeaderSectionTooLarge" if too_large else "InvalidRequest"
        request_id = new_request_id()
        message = "The request line or the headers are too long, or are not valid HTTP."
        body = error_document(code, message, "/", request_id).encode()
        head = (
            "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-type: application/xml\r\n"
            f"x-amz-request-id: {request_id}\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()

    def _check(self, fits: bool) -> None:
        if not fits:
            self._head_size = MAX_HEAD_SIZE + 1
            raise ValueError("the request line or the headers are too long")

    def _start_head_timer(self) -> None:
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(HEAD_TIMEOUT, self._on_head_timeout)

    def _stop_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _on_head_timeout(self) -> None:
        self._head_timer = None
        if not self.transport.is_closing():
            self.transport.close()
