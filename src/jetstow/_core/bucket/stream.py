"""The stream that holds a bucket: read its messages, publish to it, purge it."""

from __future__ import annotations

import copy
from collections.abc import AsyncGenerator
from typing import Any, Final, Self

import msgspec

from jetstow._core.bucket.location_cache import Known
from jetstow._core.protocol import subjects
from jetstow._core.protocol.api_errors import NO_MESSAGE, answer, refusal, unavailable, unreadable
from jetstow._core.protocol.cipher import Key
from jetstow._core.protocol.context import Target
from jetstow._core.transport.api import JetStream
from jetstow._core.transport.retry import ELECTION
from jetstow.errors import BucketNotFoundError, JetStreamUnavailableError, ServerError


class Stored(msgspec.Struct, frozen=True):
    """A message as the stream holds it; `time` is RFC 3339 in UTC."""

    subject: str
    seq: int
    time: str
    data: bytes = b""


class _Reply(msgspec.Struct):
    message: Stored | None = None
    error: dict[str, Any] | None = None


# What the server says of a message that is to be deleted and is not there.
_NOT_THERE: Final = frozenset({NO_MESSAGE, 10043, 10057})

_decode_reply = msgspec.json.Decoder(_Reply).decode


class Stream:
    """One bucket's stream on the server, and how its encrypted objects are looked at.

    With a `key`, what is written is encrypted, and what is encrypted is read with it. One that
    `shows_stored` reads and writes encrypted objects as they are.
    """

    key: Key | None = None
    shows_stored = False

    def __init__(self, js: JetStream, bucket: str, config: dict[str, Any]) -> None:
        self.config = config
        # One server has no leader to lose: where it is silent, it is in trouble itself.
        self.js = js.enduring(ELECTION if self.replicas > 1 else 0.0)
        self.bucket = bucket
        self.name = subjects.stream_of(bucket)
        self.timeout = js.timeout
        self.known = Known()
        self._avoids_direct_get = False

    def seen(self, *, key: Key | None = None, as_stored: bool = False) -> Self:
        """The same stream, looked at in another way."""
        other = copy.copy(self)
        other.key, other.shows_stored = key, as_stored
        return other

    def target(self, name: str | None = None) -> Target:
        """What errors of a request for that object, or for the bucket, are about."""
        return Target(self.bucket, name)

    @property
    def has_batched_get(self) -> bool:
        """Whether Direct Get answers batches: server 2.11, and a stream that allows it."""
        kind = "mirror_direct" if self.config.get("mirror") else "allow_direct"
        allowed = self.config.get(kind, False) and not self._avoids_direct_get
        return bool(allowed) and self.js.server_version >= (2, 11)

    def avoid_direct_get(self) -> None:
        """It has turned out not to work."""
        self._avoids_direct_get = True

    @property
    def replicas(self) -> int:
        """How many servers hold the bucket."""
        return self.config.get("num_replicas") or 1

    async def info(self, **options: object) -> dict[str, Any]:
        """The stream's configuration and state."""
        return await self.js.request(self.target(), f"STREAM.INFO.{self.name}", options or None)

    async def last(self, target: Target, subject: str) -> Stored | None:
        """The last message of a subject, as the stream's leader has it."""
        return await self._get(target, {"last_by_subj": subject})

    async def next(self, target: Target, subject: str, seq: int) -> Stored | None:
        """The first message of a subject from a sequence on, as the stream's leader has it."""
        return await self._get(target, {"next_by_subj": subject, "seq": seq})

    async def _get(self, target: Target, which: dict[str, object]) -> Stored | None:
        api = f"{self.js.prefix}.STREAM.MSG.GET.{self.name}"
        payload = msgspec.json.encode(which)

        async def ask() -> Stored | None:
            data = (await self.js.call(target, api, payload)).data
            try:
                reply = _decode_reply(data)
            except (ValueError, RecursionError):
                raise unreadable(target, data) from None
            if reply.error is None:
                return reply.message
            if reply.error.get("err_code") == NO_MESSAGE:
                return None
            raise refusal(target, reply.error)

        return await self.js.insist(target, ask)

    async def publish(
        self, target: Target, subject: str, payload: bytes, headers: dict[str, str]
    ) -> int:
        """Store one message; return its sequence.

        Nothing is sent twice: after an outage it is the caller who knows what that would mean.
        """
        try:
            message = await self.js.call(target, subject, payload, headers)
        except JetStreamUnavailableError:
            raise await self.absence(target) from None
        return int(answer(target, message)["seq"])

    async def absence(self, target: Target) -> BucketNotFoundError | JetStreamUnavailableError:
        """Why nobody takes the bucket's messages: it is gone, or JetStream is."""
        try:
            await self.info()
        except (BucketNotFoundError, JetStreamUnavailableError) as error:
            return error
        return unavailable(target)

    async def purge(self, target: Target, subject: str, *, below: int | None = None) -> int:
        """Drop the messages of a subject, those before a sequence or all; return how many."""
        body: dict[str, object] = {"filter": subject}
        if below is not None:
            body["seq"] = below
        reply = await self.js.request(target, f"STREAM.PURGE.{self.name}", body)
        return int(reply.get("purged", 0))

    async def remove(self, target: Target, seq: int) -> None:
        """Drop one message; none may be there."""
        try:
            await self.js.request(target, f"STREAM.MSG.DELETE.{self.name}", {"seq": seq})
        except ServerError as error:
            if error.err_code not in _NOT_THERE:
                raise

    async def count(self, target: Target, subject: str) -> int:
        """How many messages a subject has, by its leader's word."""
        body = {"subjects_filter": subject}
        info = await self.js.request(target, f"STREAM.INFO.{self.name}", body)
        return int((info["state"].get("subjects") or {}).get(subject, 0))

    async def subjects(self, pattern: str) -> AsyncGenerator[tuple[str, int], None]:
        """The subjects that match a pattern, and how many messages each has.

        A request tells a page of 100,000.
        """
        seen = 0
        while True:
            body = {"subjects_filter": pattern, "offset": seen}
            reply = await self.js.request(self.target(), f"STREAM.INFO.{self.name}", body)
            page = reply["state"].get("subjects") or {}
            for told in page.items():
                yield told
            seen += len(page)
            if not page or seen >= reply.get("total", 0):
                return
