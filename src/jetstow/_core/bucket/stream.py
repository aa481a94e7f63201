"""The stream that holds a bucket: read its messages, publish to it, purge it."""

from __future__ import annotations

import copy
from collections.abc import AsyncGenerator
from typing import Any, Final, Self

import msgspec

from jetstow._core.bucket.location_cache import LocationCache
from jetstow._core.protocol import subjects
from jetstow._core.protocol.api_errors import (
    NO_MESSAGE,
    api_error,
    decode_response,
    no_responders,
    unreadable_response,
)
from jetstow._core.protocol.cipher import Key
from jetstow._core.protocol.context import ErrorContext
from jetstow._core.transport.api import JetStreamAPI
from jetstow._core.transport.retry import LEADER_ELECTION_TIMEOUT
from jetstow.errors import BucketNotFoundError, JetStreamUnavailableError, ServerError


class StoredMessage(msgspec.Struct, frozen=True):
    """A message as the stream holds it; `time` is RFC 3339 in UTC."""

    subject: str
    seq: int
    time: str
    data: bytes = b""


class _Reply(msgspec.Struct):
    message: StoredMessage | None = None
    error: dict[str, Any] | None = None


# What the server says of a message that is to be deleted and is not there.
_MESSAGE_NOT_FOUND: Final = frozenset({NO_MESSAGE, 10043, 10057})

_decode_reply = msgspec.json.Decoder(_Reply).decode


class Stream:
    """One bucket's stream on the server, and how its encrypted objects are looked at.

    With a `key`, what is written is encrypted, and what is encrypted is read with it. One that
    `shows_stored` reads and writes encrypted objects as they are.
    """

    key: Key | None = None
    shows_stored = False

    def __init__(self, js: JetStreamAPI, bucket: str, config: dict[str, Any]) -> None:
        self.config = config
        # One server has no leader to lose: where it is silent, it is in trouble itself.
        self.api = js.with_retry_timeout(LEADER_ELECTION_TIMEOUT if self.replicas > 1 else 0.0)
        self.bucket = bucket
        self.name = subjects.stream_name(bucket)
        self.timeout = js.timeout
        self.locations = LocationCache()
        self._direct_get_disabled = False

    def view(self, *, key: Key | None = None, as_stored: bool = False) -> Self:
        """The same stream, looked at in another way."""
        other = copy.copy(self)
        other.key, other.shows_stored = key, as_stored
        return other

    def error_context(self, name: str | None = None) -> ErrorContext:
        """What errors of a request for that object, or for the bucket, are about."""
        return ErrorContext(self.bucket, name)

    @property
    def has_batched_get(self) -> bool:
        """Whether Direct Get answers batches: server 2.11, and a stream that allows it."""
        kind = "mirror_direct" if self.config.get("mirror") else "allow_direct"
        allowed = self.config.get(kind, False) and not self._direct_get_disabled
        return bool(allowed) and self.api.server_version >= (2, 11)

    def disable_direct_get(self) -> None:
        """It has turned out not to work."""
        self._direct_get_disabled = True

    @property
    def replicas(self) -> int:
        """How many servers hold the bucket."""
        return self.config.get("num_replicas") or 1

    async def info(self, **options: object) -> dict[str, Any]:
        """The stream's configuration and state."""
        return await self.api.request(
            self.error_context(), f"STREAM.INFO.{self.name}", options or None
        )

    async def last(self, context: ErrorContext, subject: str) -> StoredMessage | None:
        """The last message of a subject, as the stream's leader has it."""
        return await self._get(context, {"last_by_subj": subject})

    async def next(self, context: ErrorContext, subject: str, seq: int) -> StoredMessage | None:
        """The first message of a subject from a sequence on, as the stream's leader has it."""
        return await self._get(context, {"next_by_subj": subject, "seq": seq})

    async def _get(self, context: ErrorContext, which: dict[str, object]) -> StoredMessage | None:
        api = f"{self.api.prefix}.STREAM.MSG.GET.{self.name}"
        payload = msgspec.json.encode(which)

        async def ask() -> StoredMessage | None:
            data = (await self.api.call(context, api, payload)).data
            try:
                reply = _decode_reply(data)
            except (ValueError, RecursionError):
                raise unreadable_response(context, data) from None
            if reply.error is None:
                return reply.message
            if reply.error.get("err_code") == NO_MESSAGE:
                return None
            raise api_error(context, reply.error)

        return await self.api.retry(context, ask)

    async def publish(
        self, context: ErrorContext, subject: str, payload: bytes, headers: dict[str, str]
    ) -> int:
        """Store one message; return its sequence.

        Nothing is sent twice: after an outage it is the caller who knows what that would mean.
        """
        try:
            message = await self.api.call(context, subject, payload, headers)
        except JetStreamUnavailableError:
            raise await self.no_responders_error(context) from None
        return int(decode_response(context, message)["seq"])

    async def no_responders_error(
        self, context: ErrorContext
    ) -> BucketNotFoundError | JetStreamUnavailableError:
        """Why nobody takes the bucket's messages: it is gone, or JetStream is."""
        try:
            await self.info()
        except (BucketNotFoundError, JetStreamUnavailableError) as error:
            return error
        return no_responders(context)

    async def purge(self, context: ErrorContext, subject: str, *, below: int | None = None) -> int:
        """Drop the messages of a subject, those before a sequence or all; return how many."""
        body: dict[str, object] = {"filter": subject}
        if below is not None:
            body["seq"] = below
        reply = await self.api.request(context, f"STREAM.PURGE.{self.name}", body)
        return int(reply.get("purged", 0))

    async def delete_message(self, context: ErrorContext, seq: int) -> None:
        """Drop one message; none may be there."""
        try:
            await self.api.request(context, f"STREAM.MSG.DELETE.{self.name}", {"seq": seq})
        except ServerError as error:
            if error.err_code not in _MESSAGE_NOT_FOUND:
                raise

    async def count(self, context: ErrorContext, subject: str) -> int:
        """How many messages a subject has, by its leader's word."""
        body = {"subjects_filter": subject}
        info = await self.api.request(context, f"STREAM.INFO.{self.name}", body)
        return int((info["state"].get("subjects") or {}).get(subject, 0))

    async def subjects(self, pattern: str) -> AsyncGenerator[tuple[str, int], None]:
        """The subjects that match a pattern, and how many messages each has.

        A request tells a page of 100,000.
        """
        seen = 0
        while True:
            body = {"subjects_filter": pattern, "offset": seen}
            reply = await self.api.request(self.error_context(), f"STREAM.INFO.{self.name}", body)
            page = reply["state"].get("subjects") or {}
            for told in page.items():
                yield told
            seen += len(page)
            if not page or seen >= reply.get("total", 0):
                return
