"""Requests to JetStream, and its refusals as errors of ours.

Beside `replies.py`, which receives the answers, nothing else speaks to the server.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from jetstow._core.protocol.api_errors import decode_response, no_responders
from jetstow._core.protocol.context import ErrorContext
from jetstow._core.protocol.message import Message, status
from jetstow._core.protocol.metadata import json_encode
from jetstow._core.transport.inbox import B, Inbox
from jetstow._core.transport.mailbox import Mailbox
from jetstow._core.transport.retry import RETRIED_ERRORS, RetryPolicy

if TYPE_CHECKING:
    from nats.aio.client import Client

_versions: dict[str, tuple[int, int]] = {}

T = TypeVar("T")


class JetStreamAPI:
    """JetStream as one account of one connection sees it.

    `timeout`, in seconds, is the longest silence that one request waits through. Where
    nobody answers, requests are made again for `endurance` seconds.
    """

    def __init__(self, nc: Client, prefix: str, timeout: float, retry_timeout: float = 0.0) -> None:
        self.nc = nc
        self.prefix = prefix
        self.timeout = timeout
        self.retry_timeout = retry_timeout

    def with_retry_timeout(self, seconds: float) -> JetStreamAPI:
        """The same, which asks again for so long."""
        return JetStreamAPI(self.nc, self.prefix, self.timeout, seconds)

    def retry_policy(self, context: ErrorContext) -> RetryPolicy:
        """The retries of one call on this connection."""
        return RetryPolicy(self.inbox.state, context, self.retry_timeout)

    @property
    def inbox(self) -> Inbox:
        """The connection's inbox."""
        return Inbox.of(self.nc)

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

    async def open(self, kind: type[B], context: ErrorContext) -> B:
        """A mailbox as patient as this context."""
        return await self.inbox.open_mailbox(kind, context, self.timeout)

    async def call(
        self,
        context: ErrorContext,
        subject: str,
        payload: bytes = b"",
        headers: dict[str, str] | None = None,
    ) -> Message:
        """Send one message, once, and return the one that answers it."""
        with await self.open(Mailbox, context) as box:
            await box.send(subject, payload, headers=headers)
            message = await box.next()
        if status(message) == 503:
            raise no_responders(context)
        return message

    async def retry(self, context: ErrorContext, step: Callable[[], Awaitable[T]]) -> T:
        """Take a step that may be taken twice, as often as an outage allows."""
        policy = None
        while True:
            try:
                return await step()
            except RETRIED_ERRORS as error:
                policy = policy or self.retry_policy(context)
                await policy.wait_or_raise(error)

    async def request(self, context: ErrorContext, api: str, body: object = None) -> dict[str, Any]:
        """Ask the JetStream API, as in `request(context, "STREAM.INFO.x")`; return its answer.

        Whatever is asked for here may be asked for again, after an outage. Raises a
        `ServerError` or what its code stands for; see `refusal`.
        """
        payload = b"" if body is None else json_encode(body)

        async def ask() -> dict[str, Any]:
            return decode_response(
                context, await self.call(context, f"{self.prefix}.{api}", payload)
            )

        return await self.retry(context, ask)

    async def list_streams(
        self, verb: Literal["NAMES", "LIST"], subject: str
    ) -> AsyncGenerator[Any, None]:
        """The streams that hold messages of a subject: their names, or all about them."""
        seen = 0
        while True:
            page = await self.request(
                ErrorContext(), f"STREAM.{verb}", {"subject": subject, "offset": seen}
            )
            streams = page.get("streams") or []
            for stream in streams:
                yield stream
            seen += len(streams)
            if not streams or seen >= page.get("total", 0):
                return
