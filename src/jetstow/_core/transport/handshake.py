"""A nats-py client whose connection attempts survive a blocked event loop.

nats-py bounds each step of a connection with `asyncio.wait_for`, which reports a server as silent
if the program blocked the loop for that long. Some of its steps have no bound: waits for the
socket to take bytes, and for the PONG in TLS. So the bounds are deadlines here.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

import nats.aio.client

from jetstow._core.aio.deadline import Deadline, deadline

if TYPE_CHECKING:
    from nats.aio.client import Srv


# For a websocket, nats-py does not bound the connection: the option bounds its end.
_WEBSOCKET_SCHEMES: Final = frozenset({"ws", "wss"})


class HandshakeClient(nats.aio.client.Client):
    """A nats-py client. Each step of a connection may take `connect_timeout` seconds.

    The steps are the socket, INFO, the TLS handshake, and the reply to CONNECT and PING.
    """

    _step: Deadline | None = None

    async def _connect_to_server(self, s: Srv) -> None:
        if s.uri.scheme in _WEBSOCKET_SCHEMES:
            async with deadline(self.options["connect_timeout"]):
                await super()._connect_to_server(s)
            return
        async with self._bounded_steps():
            await super()._connect_to_server(s)

    async def _process_connect_init(self) -> None:
        async with self._bounded_steps():
            await super()._process_connect_init()

    async def _process_info(self, info: dict[str, Any], initial_connection: bool = False) -> None:
        self._start_step()
        await super()._process_info(info, initial_connection)

    def _connect_command(self) -> bytes:
        self._start_step()
        return super()._connect_command()

    def _start_step(self) -> None:
        if self._step is not None:
            self._step.restart()

    @asynccontextmanager
    async def _bounded_steps(self) -> AsyncIterator[None]:
        seconds, self.options["connect_timeout"] = self.options["connect_timeout"], None
        try:
            async with deadline(seconds) as self._step:
                yield
        finally:
            self._step, self.options["connect_timeout"] = None, seconds
