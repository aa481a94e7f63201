"""The stream of a bucket: read, publish, purge and count its messages."""

from __future__ import annotations

import copy
from collections.abc import AsyncGenerator
from contextlib import suppress
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
from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.protocol.message import Message
from jetstow._core.protocol.metadata import json_encode
from jetstow._core.transport.jetstream_api import DEFAULT_PREFIX, JetStreamAPI
from jetstow._core.transport.retry import LEADER_ELECTION_TIMEOUT
from jetstow.errors import (
    BucketNotFoundError,
    JetStreamUnavailableError,
    PermissionDeniedError,
    ServerError,
    WrongStreamError,
)


class StoredMessage(msgspec.Struct, frozen=True):
    """A message in the stream; `time` is RFC 3339 in UTC."""

    subject: str
    seq: int
    time: str
    data: bytes = b""


class _GetResponse(msgspec.Struct):
    message: StoredMessage | None = None
    error: dict[str, Any] | None = None


# The server's error codes for a message to delete that does not exist.
_MESSAGE_NOT_FOUND: Final = frozenset({NO_MESSAGE, 10043, 10057})

_decode_get_response = msgspec.json.Decoder(_GetResponse).decode


class Stream:
    """The stream of one bucket, and a view of its encrypted objects.

    With a `key`, new objects are encrypted, and encrypted objects are decrypted; others are refused
    unless `allow_plain`. They may also be those of the bucket `original_bucket`. With
    `is_as_stored`, encrypted objects are read and written as their stored bytes.
    """

    key: Key | None = None
    allow_plain = False
    original_bucket: str | None = None
    is_as_stored = False

    def __init__(self, js: JetStreamAPI, bucket: str, config: dict[str, Any]) -> None:
        self.config = config
        # The stream and the domain that acknowledgements must have. The response to STREAM.CREATE
        # has no domain: then the first acknowledgement decides.
        self.ack_origin: tuple[object, object] | None = None
        # The subjects of a bucket have no domain: published messages reach the streams of all
        # domains with these subjects.
        self.needs_subject_check = js.prefix != DEFAULT_PREFIX
        # Only a stream with replicas can elect another leader. A retry of another one is useless.
        self.api = js.with_retry_timeout(LEADER_ELECTION_TIMEOUT if self.replicas > 1 else 0.0)
        self.bucket = bucket
        self.name = subjects.stream_name(bucket)
        self.timeout = js.timeout
        self.locations = LocationCache()
        self._direct_get_disabled = False

    def view(
        self,
        *,
        key: Key | None = None,
        allow_plain: bool = False,
        original_bucket: str | None = None,
        as_stored: bool = False,
    ) -> Self:
        """Return the same stream with another view of its encrypted objects."""
        other = copy.copy(self)
        other.key, other.allow_plain, other.original_bucket = key, allow_plain, original_bucket
        other.is_as_stored = as_stored
        return other

    def error_context(self, name: str | None = None) -> ErrorContext:
        """Return the context of a request for an object, or for the bucket."""
        return ErrorContext(self.bucket, name)

    @property
    def has_batched_get(self) -> bool:
        """Whether the server and the stream support batched Direct Get (server 2.11)."""
        option = "mirror_direct" if self.config.get("mirror") else "allow_direct"
        allowed = self.config.get(option, False) and not self._direct_get_disabled
        return bool(allowed) and self.api.server_version >= (2, 11)

    def disable_direct_get(self) -> None:
        """Stop using Direct Get after it has failed."""
        self._direct_get_disabled = True

    @property
    def replicas(self) -> int:
        """The number of servers that store the bucket."""
        return self.config.get("num_replicas") or 1

    async def info(self, **options: object) -> dict[str, Any]:
        """Return the configuration and state of the stream."""
        return await self.api.request(
            self.error_context(), f"STREAM.INFO.{self.name}", options or None
        )

    async def last_message(
        self, context: ErrorContext, subject: str, *, retry: bool = True
    ) -> StoredMessage | None:
        """Return the last message of a subject from the leader; None if there is none."""
        return await self._get(context, {"last_by_subj": subject}, retry=retry)

    async def next_message(
        self, context: ErrorContext, subject: str, seq: int
    ) -> StoredMessage | None:
        """Return the first message of a subject from a sequence on, from the leader."""
        return await self._get(context, {"next_by_subj": subject, "seq": seq})

    async def _get(
        self, context: ErrorContext, query: dict[str, object], *, retry: bool = True
    ) -> StoredMessage | None:
        api = f"STREAM.MSG.GET.{self.name}"
        if retry:
            return await self.api.request_decoded(context, api, json_encode(query), _stored_message)
        subject = f"{self.api.prefix}.{api}"
        reply = await self.api.send_request(context, subject, json_encode(query))
        return _stored_message(context, reply)

    def publish_subject(self, subject: str) -> str:
        """Return where to publish a message, so that the stream stores it under a subject."""
        prefix = self.api.subject_prefix
        return f"{prefix}.{subject}" if prefix else subject

    async def publish(
        self, context: ErrorContext, subject: str, payload: bytes, headers: dict[str, str]
    ) -> int:
        """Store one message under a subject, and return its sequence.

        It is not sent again after an error: the caller must find out whether it was stored.
        """
        target = self.publish_subject(subject)
        try:
            message = await self.api.send_request(context, target, payload, headers)
        except JetStreamUnavailableError:
            raise await self.no_responders_error(context, subject) from None
        ack = decode_response(context, message)
        if (origin := (ack.get("stream"), ack.get("domain"))) != self.ack_origin:
            self.check_ack(context, *origin)
        return int(ack["seq"])

    def set_domain(self, info: dict[str, Any]) -> None:
        """Set the JetStream domain from the response to STREAM.INFO."""
        self.ack_origin = self.name, info.get("domain")

    async def check_subjects(self, context: ErrorContext) -> None:
        """Check that no other stream of the local account stores what is published.

        A leaf node delivers published messages to its own streams and to those of its hub,
        whatever domain the API requests are for. An account that imports another one's API may
        have streams of its own. Without access to the local API, skip the check.

        Raises: `WrongStreamError`.
        """
        own = await self.info()
        self.set_domain(own)
        local = JetStreamAPI(self.api.nc, DEFAULT_PREFIX, self.api.timeout)
        subject = self.publish_subject(subjects.all_chunks_subject(self.bucket))
        others: list[tuple[object, object]] = []
        with suppress(JetStreamUnavailableError, PermissionDeniedError, ServerError):
            response = await local.request(context, "STREAM.NAMES", {"subject": subject})
            for name in response.get("streams") or []:
                info = await local.request(context, f"STREAM.INFO.{name}")
                # A stream of another account may have the same name and domain.
                if info["created"] != own["created"]:
                    others.append((name, info.get("domain")))
        if others:
            raise self._wrong_stream(context, *others[0])
        self.needs_subject_check = False

    def check_ack(self, context: ErrorContext, stream: object, domain: object) -> None:
        """Check that an acknowledgement is from the bucket's own stream.

        Raises: `WrongStreamError`.
        """
        if self.ack_origin is None:
            self.ack_origin = self.name, domain
        if (stream, domain) != self.ack_origin:
            raise self._wrong_stream(context, stream, domain)

    def _wrong_stream(
        self, context: ErrorContext, stream: object, domain: object
    ) -> WrongStreamError:
        own, other = (
            f"stream {name!r}" + (f" in domain {where!r}" if where else "")
            for name, where in (self.ack_origin or (self.name, None), (stream, domain))
        )
        subject = self.publish_subject(subjects.all_subject(self.bucket))
        return context.error(
            WrongStreamError,
            f"messages for {context} to {subject!r} are stored by {other}, not only by {own}: "
            "connect to a server of the bucket's own domain, or set subject_prefix if the account "
            "imports the subjects with a prefix",
        )

    async def no_responders_error(
        self, context: ErrorContext, subject: str
    ) -> BucketNotFoundError | JetStreamUnavailableError:
        """Return the reason for "no responders" to a message: no stream receives it."""
        try:
            await self.info()
        except (BucketNotFoundError, JetStreamUnavailableError) as error:
            return error
        if self.api.prefix == DEFAULT_PREFIX and not self.api.subject_prefix:
            return no_responders(context)
        return context.error(
            JetStreamUnavailableError,
            f"no stream receives messages to {self.publish_subject(subject)!r}, which {context} "
            "needs: if the account imports the subjects with a prefix, set subject_prefix",
        )

    async def purge(self, context: ErrorContext, subject: str, *, below: int | None = None) -> int:
        """Purge the messages of a subject, and return their number.

        With `below`, only messages with lower sequences are purged.
        """
        body: dict[str, object] = {"filter": subject}
        if below is not None:
            body["seq"] = below
        response = await self.api.request(context, f"STREAM.PURGE.{self.name}", body)
        return int(response.get("purged", 0))

    async def delete_message(self, context: ErrorContext, seq: int) -> None:
        """Delete one message, if it exists."""
        try:
            await self.api.request(context, f"STREAM.MSG.DELETE.{self.name}", {"seq": seq})
        except ServerError as error:
            if error.err_code not in _MESSAGE_NOT_FOUND:
                raise

    async def count_messages(self, context: ErrorContext, subject: str) -> int:
        """Return the number of messages of a subject, from the leader."""
        body = {"subjects_filter": subject}
        info = await self.api.request(context, f"STREAM.INFO.{self.name}", body)
        return int((info["state"].get("subjects") or {}).get(subject, 0))

    async def subject_counts(self, pattern: str) -> AsyncGenerator[tuple[str, int], None]:
        """Yield the subjects that match a pattern, with their numbers of messages.

        Each request returns a page of up to 100,000 subjects.
        """
        offset = 0
        while True:
            body = {"subjects_filter": pattern, "offset": offset}
            info = await self.api.request(self.error_context(), f"STREAM.INFO.{self.name}", body)
            page = info["state"].get("subjects") or {}
            for item in page.items():
                yield item
            offset += len(page)
            if not page or offset >= info.get("total", 0):
                return


def _stored_message(context: ErrorContext, reply: Message) -> StoredMessage | None:
    """Decode the response to STREAM.MSG.GET."""
    try:
        response = _decode_get_response(reply.data)
    except (ValueError, RecursionError):
        raise unreadable_response(context, reply.data) from None
    if response.error is None:
        return response.message
    if response.error.get("err_code") == NO_MESSAGE:
        return None
    raise api_error(context, response.error)
