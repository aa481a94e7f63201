"""NATS on a plain blocking socket: no library, no event loop, no digest.

It makes and fills the buckets that the clients are measured on, and it is the limit that
they are measured against. Only the standard library is needed.
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
    """What stands before a payload of `size` bytes, which is still to be read."""

    header: bytes
    size: int

    @property
    def status(self) -> bytes:
        """`204` and the like; empty for a message as any other."""
        return self.header[9:12] if self.header[8:9] == b" " else b""


class Wire:
    """A connection with one inbox. Messages come one after another, as the server sends them."""

    def __init__(self, url: str) -> None:
        address = urlsplit(url)
        self._socket = socket.create_connection((address.hostname, address.port), timeout=10)
        self._socket.settimeout(None)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = bytearray(512 << 10)
        self._view = memoryview(self._buffer)
        self._at = self._end = 0
        self._numbers = itertools.count()
        self._line()  # INFO
        options: dict[str, object] = {"verbose": False, "pedantic": False, "headers": True}
        options |= {
            "no_responders": True,
            "lang": "bare",
            "version": "1",
            "protocol": 1,
            "name": "limit",
        }
        self.send(b"CONNECT " + json.dumps(options).encode() + b"\r\nSUB _INBOX.bare.* 1\r\n")
        self.send(b"PING\r\n")
        while self._line() != b"PONG":
            pass

    def close(self) -> None:
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- out -----------------------------------------------------------------------------

    def send(self, *parts: Buffer) -> None:
        """All parts, in one system call where the kernel takes them."""
        sent = self._socket.sendmsg(parts)
        for part in parts:
            if sent < len(part):
                self._socket.sendall(memoryview(part)[sent:])
            sent = max(0, sent - len(part))

    def publish(self, subject: bytes, data: Buffer, header: bytes = b"") -> None:
        """Publish and ask for an answer in the inbox."""
        reply = b"_INBOX.bare.%d" % next(self._numbers)
        if header:
            sizes = (len(header), len(header) + len(data))
            self.send(b"HPUB %b %b %d %d\r\n" % (subject, reply, *sizes), header, data, CRLF)
        else:
            self.send(b"PUB %b %b %d\r\n" % (subject, reply, len(data)), data, CRLF)

    # -- in ------------------------------------------------------------------------------

    def message(self) -> Message:
        """The next message's head. Its payload must be consumed before the next one."""
        while True:
            kind, *fields = self._line().split(b" ")
            if kind == b"HMSG":
                length = int(fields[-2])
                return Message(self._take(length), int(fields[-1]) - length)
            if kind == b"MSG":
                return Message(b"", int(fields[-1]))
            if kind == b"PING":
                self.send(b"PONG\r\n")
            elif kind == b"-ERR":
                raise ConnectionError(b" ".join(fields).decode())

    def pieces(self, message: Message) -> Iterator[memoryview]:
        """A message's payload where it lies in the reused buffer, good until the next piece."""
        left = message.size
        while left:
            if self._at == self._end:
                self._receive()
            stop = min(self._end, self._at + left)
            piece = self._view[self._at : stop]
            self._at = stop
            left -= len(piece)
            yield piece
        self._take(2)

    def skip(self, message: Message) -> int:
        """Leave a payload where it is; return its size."""
        for _ in self.pieces(message):
            pass
        return message.size

    def answer(self) -> dict[str, Any]:
        """The next message, as JSON. Raises `RuntimeError` with what the server said."""
        message = self.message()
        if message.status:
            raise RuntimeError(f"the server answered {message.header!r}")
        data = self._take(message.size)
        self._take(2)
        decoded: dict[str, Any] = json.loads(data)
        if error := decoded.get("error"):
            raise RuntimeError(str(error.get("description")))
        return decoded

    def api(self, subject: str, body: object = None) -> dict[str, Any]:
        """One request to JetStream."""
        data = b"" if body is None else json.dumps(body).encode()
        self.publish(f"$JS.API.{subject}".encode(), data)
        return self.answer()

    # -- the buffer ----------------------------------------------------------------------

    def _line(self) -> bytes:
        while (stop := self._buffer.find(CRLF, self._at, self._end)) < 0:
            self._receive()
        line = bytes(self._view[self._at : stop])
        self._at = stop + 2
        return line

    def _take(self, size: int) -> bytes:
        while self._end - self._at < size:
            self._receive()
        taken = bytes(self._view[self._at : self._at + size])
        self._at += size
        return taken

    def _receive(self) -> None:
        rest = self._end - self._at
        if rest:
            self._view[:rest] = self._view[self._at : self._end]
        self._at, self._end = 0, rest
        received = self._socket.recv_into(self._view[rest:])
        if not received:
            raise ConnectionError("the server closed the connection")
        self._end += received
