"""A proxy that counts the round trips of a client, and can delay them."""

from __future__ import annotations

import queue
import re
import socket
import threading
import time
from contextlib import suppress
from typing import Self
from urllib.parse import urlsplit

_PUBLISHED = re.compile(rb"(?:^|\r\n)H?PUB ")


class Proxy:
    """Forwards one client to a server.

    A round trip begins with the first message that the client publishes after it received data.
    Messages that it sends together are one round trip. Each takes `round_trip` seconds longer, at
    any rate.
    """

    def __init__(self, url: str, round_trip: float = 0.0) -> None:
        self._delay = round_trip / 2
        address = urlsplit(url)
        self._server = (address.hostname, address.port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        self._lock = threading.Lock()
        self._reply_received = True
        self._round_trips = 0
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self._listener.getsockname()[1]}"

    def reset(self) -> None:
        """Set the counter to zero."""
        with self._lock:
            self._round_trips, self._reply_received = 0, True

    @property
    def round_trips(self) -> int:
        return self._round_trips

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for each in [self._listener, *self._sockets]:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._server)
                self._sockets += [client, server]
                for each in (client, server):  # a link does not wait for more data
                    each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                for pair in ((client, server, True), (server, client, False)):
                    threading.Thread(target=self._pump, args=pair, daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket, asks: bool) -> None:
        due: queue.SimpleQueue[tuple[float, bytes]] = queue.SimpleQueue()
        sender = threading.Thread(target=self._send, args=(due, target), daemon=True)
        sender.start()
        with suppress(OSError):
            while data := source.recv(1 << 18):
                self._count(data, asks)
                due.put((time.monotonic() + self._delay, data))
        due.put((0.0, b""))

    @staticmethod
    def _send(due: queue.SimpleQueue[tuple[float, bytes]], target: socket.socket) -> None:
        """Send what was received, each piece at its time."""
        with suppress(OSError):
            while (item := due.get())[1]:
                time.sleep(max(0.0, item[0] - time.monotonic()))
                target.sendall(item[1])
            target.shutdown(socket.SHUT_WR)

    def _count(self, data: bytes, asks: bool) -> None:
        with self._lock:
            if not asks:
                self._reply_received = True
            elif _PUBLISHED.search(data) and self._reply_received:
                self._round_trips += 1
                self._reply_received = False
