"""A NATS client on a plain blocking socket: no library, no event loop, no digest.

It creates and fills the buckets that the clients are measured on, and it is the limit that they are
compared with. It needs the standard library only.
"""

from __future__ import annotations

import itertools
import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

Buffer = bytes | bytearray | memoryview

CRLF = b"\r\n"


@dataclass(frozen=True)
class Message:
    """The header of a message, before its payload of `size` bytes is read."""

    header: bytes
    size: int

    @property
    def status(self) -> bytes:
        """The status code, such as `204`; empty without one."""
        return self.header[9:12] if self.header[8:9] == b" " else b""


class SocketClient:
    """A connection with one inbox. It reads messages in the order of the server."""

    def __init__(self, url: str) -> None:
        address = urlsplit(url)
        self._socket = socket.create_connection((address.hostname, address.port), timeout=10)
        self._socket.settimeout(None)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = bytearray(512 << 10)
        self._view = memoryview(self._buffer)
        self._start = self._end = 0
        self._numbers = itertools.count()
        self._read_line()  # INFO
        options: dict[str, object] = {"verbose": False, "pedantic": False, "headers": True}
        options |= {
            "no_responders": True,
            "lang": "socket",
            "version": "1",
            "protocol": 1,
            "name": "limit",
        }
        self.send(b"CONNECT " + json.dumps(options).encode() + b"\r\nSUB _INBOX.bare.* 1\r\n")
        self.send(b"PING\r\n")
        while self._read_line() != b"PONG":
            pass

    def close(self) -> None:
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- send ----------------------------------------------------------------------------

    def send(self, *parts: Buffer) -> None:
        """Send all parts, in one system call if the kernel accepts them."""
        sent = self._socket.sendmsg(parts)
        for part in parts:
            if sent < len(part):
                self._socket.sendall(memoryview(part)[sent:])
            sent = max(0, sent - len(part))

    def publish(self, subject: bytes, data: Buffer, header: bytes = b"") -> None:
        """Publish with a reply subject in the inbox."""
        reply = b"_INBOX.bare.%d" % next(self._numbers)
        if header:
            sizes = (len(header), len(header) + len(data))
            self.send(b"HPUB %b %b %d %d\r\n" % (subject, reply, *sizes), header, data, CRLF)
        else:
            self.send(b"PUB %b %b %d\r\n" % (subject, reply, len(data)), data, CRLF)

    # -- receive -------------------------------------------------------------------------

    def message(self) -> Message:
        """Read the header of the next message. The payload must be read before the next message."""
        while True:
            kind, *fields = self._read_line().split(b" ")
            if kind == b"HMSG":
                length = int(fields[-2])
                return Message(self._read(length), int(fields[-1]) - length)
            if kind == b"MSG":
                return Message(b"", int(fields[-1]))
            if kind == b"PING":
                self.send(b"PONG\r\n")
            elif kind == b"-ERR":
                raise ConnectionError(b" ".join(fields).decode())

    def payload(self, message: Message) -> Iterator[memoryview]:
        """Yield the payload in pieces of a reused buffer. A piece is valid until the next one."""
        left = message.size
        while left:
            if self._start == self._end:
                self._receive()
            stop = min(self._end, self._start + left)
            piece = self._view[self._start : stop]
            self._start = stop
            left -= len(piece)
            yield piece
        self._read(2)

    def skip(self, message: Message) -> int:
        """Skip the payload and return its size."""
        for _ in self.payload(message):
            pass
        return message.size

    def reply(self) -> dict[str, Any]:
        """Read the next message as JSON.

        Raises: `RuntimeError` (with the error of the server).
        """
        message = self.message()
        if message.status:
            raise RuntimeError(f"the server replied {message.header!r}")
        data = self._read(message.size)
        self._read(2)
        decoded: dict[str, Any] = json.loads(data)
        if error := decoded.get("error"):
            raise RuntimeError(str(error.get("description")))
        return decoded

    def api_request(self, subject: str, body: object = None) -> dict[str, Any]:
        """Send a JetStream API request and return its reply."""
        data = b"" if body is None else json.dumps(body).encode()
        self.publish(f"$JS.API.{subject}".encode(), data)
        return self.reply()

    # -- buffer --------------------------------------------------------------------------

    def _read_line(self) -> bytes:
        while (stop := self._buffer.find(CRLF, self._start, self._end)) < 0:
            self._receive()
        line = bytes(self._view[self._start : stop])
        self._start = stop + 2
        return line

    def _read(self, size: int) -> bytes:
        while self._end - self._start < size:
            self._receive()
        taken = bytes(self._view[self._start : self._start + size])
        self._start += size
        return taken

    def _receive(self) -> None:
        rest = self._end - self._start
        if rest:
            self._view[:rest] = self._view[self._start : self._end]
        self._start, self._end = 0, rest
        received = self._socket.recv_into(self._view[rest:])
        if not received:
            raise ConnectionError("the server closed the connection")
        self._end += received
