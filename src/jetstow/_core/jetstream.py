"""Requests to JetStream, and its refusals as errors of ours.

Beside `replies.py`, which receives the answers, nothing else speaks to the server.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

import msgspec

from jetstow._core.mailbox import Mailbox, Message
from jetstow._core.outage import TROUBLE, Outage
from jetstow._core.replies import B, Replies
from jetstow._core.target import Target
from jetstow._core.wire import json_encode
from jetstow.errors import (
    BucketExistsError,
    BucketFullError,
    BucketNotFoundError,
    BucketSealedError,
    InvalidOptionError,
    JetstowError,
    JetStreamUnavailableError,
    ServerError,
)

if TYPE_CHECKING:
    from nats.aio.client import Client

# The server's error codes that mean something to us (`err_code`, not the HTTP-like `code`).
NO_MESSAGE: Final = 10037
WRONG_LAST_SEQUENCE: Final = frozenset({10071, 10164})
_STREAM_NOT_FOUND: Final = 10059
_STREAM_EXISTS: Final = 10058
_SEALED: Final = 10109
_BAD_CONFIG: Final = frozenset({10052, 10074})  # with the code 500, as if it were the server's
_FULL: Final = frozenset({10002, 10023, 10028, 10047, 10077})
_NO_JETSTREAM: Final = frozenset({10008, 10035, 10039, 10076})

_PURPOSE: Final = {
    _STREAM_NOT_FOUND: (BucketNotFoundError, "{target} is not there: its bucket does not exist"),
    _STREAM_EXISTS: (BucketExistsError, "{target} exists already with another configuration"),
    _SEALED: (BucketSealedError, "{target} cannot change: the bucket is sealed"),
}

_versions: dict[str, tuple[int, int]] = {}

_decode = msgspec.json.Decoder(dict[str, Any]).decode

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


def answer(target: Target, message: Message) -> dict[str, Any]:
    """The JSON of an answer. Raises what it says is wrong."""
    try:
        body = _decode(message.data)
    except (ValueError, RecursionError):
        raise unreadable(target, message.data) from None
    if error := body.get("error"):
        raise refusal(target, error if isinstance(error, dict) else {"description": str(error)})
    return body


def unreadable(target: Target, data: bytes) -> ServerError:
    """The server has said something, and nobody knows what."""
    return target.error(
        ServerError, f"the server's answer for {target} cannot be read: {data[:80]!r}"
    )


def status(message: Message) -> int | None:
    """The status of a message that carries one instead of data.

    A stored message, which anybody may have sent, is none, whatever is in its headers.
    """
    headers = {} if message.data else message.headers or {}
    stored = "Nats-Sequence" in headers or message.reply.startswith("$JS.ACK.")
    value = "" if stored else headers.get("Status", "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else None


def unavailable(target: Target) -> JetStreamUnavailableError:
    """Nobody listens where JetStream should."""
    return target.error(
        JetStreamUnavailableError,
        f"nothing answers for {target}: JetStream is off, the account has none, or the stream "
        "has no leader",
    )


def refusal(target: Target, error: dict[str, Any]) -> JetstowError:
    """The server's refusal as an error of ours, with the server's code and sentence in it."""
    err_code, code = _number(error.get("err_code")), _number(error.get("code"))
    said = error.get("description", "no reason given")
    raised: JetstowError
    if err_code in _PURPOSE:
        kind, sentence = _PURPOSE[err_code]
        raised = target.error(kind, sentence.format(target=target))
    elif err_code in _FULL:
        raised = target.error(BucketFullError, f"there is no room for {target}: {said}")
    elif err_code in _NO_JETSTREAM:
        raised = target.error(JetStreamUnavailableError, f"no JetStream for {target}: {said}")
    else:
        raised = target.error(ServerError, f"the server refused a request for {target}: {said}")
    raised.code, raised.err_code = code, err_code
    return raised


def _number(value: object) -> int | None:
    return value if isinstance(value, int) else None


def invalid_config(error: ServerError, target: Target) -> JetstowError:
    """A configuration that the server does not take is the caller's to mend."""
    if error.code != 400 and error.err_code not in _BAD_CONFIG:
        return error
    raised = target.error(InvalidOptionError, error.message)
    raised.code, raised.err_code = error.code, error.err_code
    return raised
