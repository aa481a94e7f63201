"""Requests to JetStream, and its refusals as errors of ours.

Beside `replies.py`, which receives the answers, nothing else speaks to the server.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from jetstow._core.protocol.api_errors import answer, unavailable
from jetstow._core.protocol.context import Target
from jetstow._core.protocol.message import Message, status
from jetstow._core.protocol.metadata import json_encode
from jetstow._core.transport.inbox import B, Replies
from jetstow._core.transport.mailbox import Mailbox
from jetstow._core.transport.retry import TROUBLE, Outage

if TYPE_CHECKING:
    from nats.aio.client import Client

_versions: dict[str, tuple[int, int]] = {}

T = TypeVar("T")


class JetStream:
    """JetStream as one account of one connection sees it.

    `timeout`, in seconds, is the longest silence that one request waits through. Where
    nobody answers, requests are made again for `endurance` seconds.
    """

    def __init__(self, nc: Client, prefix: str, timeout: float, endurance: float = 0.0) -> None:
        self.nc = nc
        self.prefix = prefix
        self.timeout = timeout
        self.endurance = endurance

    def enduring(self, seconds: float) -> JetStream:
        """The same, which asks again for so long."""
        return JetStream(self.nc, self.prefix, self.timeout, seconds)

    @property
    def replies(self) -> Replies:
        """The connection's inbox."""
        return Replies.of(self.nc)

    @property
    def server_version(self) -> tuple[int, int]:
        """Major and minor version of the server that the connection leads to."""
        version = self.nc.connected_server_version
        said = repr(version)
        if said not in _versions:
            # nats-py compiles a regular expression each time that it is asked.
            try:
                _versions[said] = version.major, version.minor
            except ValueError:
                _versions[said] = 0, 0
        return _versions[said]

    async def open(self, kind: type[B], target: Target) -> B:
        """A mailbox as patient as this context."""
        return await self.replies.open(kind, target, self.timeout)

    async def call(
        self,
        target: Target,
        subject: str,
        payload: bytes = b"",
        headers: dict[str, str] | None = None,
    ) -> Message:
        """Send one message, once, and return the one that answers it."""
        with await self.open(Mailbox, target) as box:
            await box.send(subject, payload, headers=headers)
            message = await box.next()
        if status(message) == 503:
            raise unavailable(target)
        return message

    async def insist(self, target: Target, step: Callable[[], Awaitable[T]]) -> T:
        """Take a step that may be taken twice, as often as an outage allows."""
        outage = None
        while True:
            try:
                return await step()
            except TROUBLE as error:
                outage = outage or Outage(self, target)
                await outage.survive(error)

    async def request(self, target: Target, api: str, body: object = None) -> dict[str, Any]:
        """Ask the JetStream API, as in `request(target, "STREAM.INFO.x")`; return its answer.

        Whatever is asked for here may be asked for again, after an outage. Raises a
        `ServerError` or what its code stands for; see `refusal`.
        """
        payload = b"" if body is None else json_encode(body)

        async def ask() -> dict[str, Any]:
            return answer(target, await self.call(target, f"{self.prefix}.{api}", payload))

        return await self.insist(target, ask)

    async def list_streams(
        self, verb: Literal["NAMES", "LIST"], subject: str
    ) -> AsyncGenerator[Any, None]:
        """The streams that hold messages of a subject: their names, or all about them."""
        seen = 0
        while True:
            page = await self.request(
                Target(), f"STREAM.{verb}", {"subject": subject, "offset": seen}
            )
            streams = page.get("streams") or []
            for stream in streams:
                yield stream
            seen += len(streams)
            if not streams or seen >= page.get("total", 0):
                return
