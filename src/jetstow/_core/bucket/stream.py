"""The stream of a bucket: read, publish, purge and count its messages."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, Final, Self

from jetstow._core.bucket.disk_probe import DiskProbe
from jetstow._core.bucket.name_cache import NameCache
from jetstow._core.bucket.purge_request import Purged, request_purge
from jetstow._core.bucket.stored_message import StoredMessage, decode_stored_message
from jetstow._core.bucket.stored_times import StoredTimes
from jetstow._core.bucket.stream_config import may_have_other_subjects
from jetstow._core.protocol import subjects
from jetstow._core.protocol.api_errors import NO_MESSAGE, decode_stream_info
from jetstow._core.protocol.cipher import Key
from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.protocol.metadata import json_encode
from jetstow._core.protocol.versions import Versioning, versioning_of
from jetstow._core.transport.jetstream_api import DEFAULT_PREFIX, JetStreamAPI
from jetstow.errors import BucketNotFoundError, ServerError

# An offset behind every list of subjects: the server then returns their number without the list.
OFFSET_PAST_END: Final = 10**12

# How long Direct Get is not used after no server has replied to it, in seconds.
DIRECT_GET_PAUSE: Final = 10.0

# The server's error codes for a message to delete that does not exist.
_MESSAGE_NOT_FOUND: Final = frozenset({NO_MESSAGE, 10043, 10057})


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

    def __init__(
        self, js: JetStreamAPI, bucket: str, config: dict[str, Any], created: str | None = None
    ) -> None:
        self.config = config
        # The time at which the stream was created, as the server states it.
        self.created = created
        # The bucket in the subjects of the messages. A mirror may have those of another bucket.
        self.subject_bucket = bucket
        # The stream and the domain that acknowledgements must have. The response to STREAM.CREATE
        # has no domain: then the first acknowledgement decides.
        self.ack_origin: tuple[object, object] | None = None
        # The subjects of a bucket have no domain: published messages reach the streams of all
        # domains with these subjects.
        self.needs_subject_check = js.prefix != DEFAULT_PREFIX
        # Only a stream with replicas can elect another leader.
        self.api = js.of_stream(has_replicas=self.replicas > 1)
        self.bucket = bucket
        self.name = subjects.stream_name(bucket)
        self.timeout = js.timeout
        self.names = NameCache()
        self.times = StoredTimes(self)
        # Purges of unused chunks that no caller waits for, of all objects like this one.
        self.purges = self.api.inbox.state.unawaited((js.prefix, self.name))
        # Open indexes: each returns the newest version of a name that is not current, "" if there
        # is none, or None if it does not know.
        self.version_sources: list[Callable[[str], Awaitable[str | None]]] = []
        self.disk_probe = DiskProbe(self.api, bucket, self.name)
        self._no_direct_get_until = 0.0

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
        if not self.config.get(option, False) or self.api.server_version < (2, 11):
            return False
        return not self._no_direct_get_until or time.monotonic() > self._no_direct_get_until

    @property
    def versioning(self) -> Versioning | None:
        """The state of versioning; None if the bucket never had versions."""
        return versioning_of(self.config)

    def disable_direct_get(self, *, for_good: bool = True) -> None:
        """Stop using Direct Get after it has failed: for good, or for a moment."""
        self._no_direct_get_until = math.inf if for_good else time.monotonic() + DIRECT_GET_PAUSE

    @property
    def replicas(self) -> int:
        """The number of servers that store the bucket."""
        return self.config.get("num_replicas") or 1

    @property
    def max_message_size(self) -> int:
        """The largest message with its headers: of the server, or of the stream if that is less."""
        limit = self.config.get("max_msg_size", -1)
        max_payload = self.api.nc.max_payload
        return min(max_payload, limit) if limit > 0 else max_payload

    async def info(self, **options: object) -> dict[str, Any]:
        """Return the configuration and state of the stream, and keep the configuration.

        If the bucket was created again since, forget what is cached of the former one.
        """
        info = await self._request_info(self.error_context(), options)
        self.config.clear()
        self.config.update(info["config"])
        if not may_have_other_subjects(self.bucket, self.config):
            self.subject_bucket = self.bucket
        if self.created is not None and info.get("created") != self.created:
            self.names.clear()
            self._no_direct_get_until = 0.0
        self.created = info.get("created")
        return info

    async def check_same(self, created: str | None) -> dict[str, Any]:
        """Check that the bucket is still the one that was created at that time; return its info.

        Raises: `BucketNotFoundError` (it was deleted, or deleted and created again).
        """
        info = await self.info()
        if created is not None and info.get("created") != created:
            context = self.error_context()
            raise context.error(
                BucketNotFoundError, f"{context} was deleted, and created again at {self.created}"
            )
        return info

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
        api, body = f"STREAM.MSG.GET.{self.name}", json_encode(query)
        if retry:
            return await self.api.request_decoded(context, api, body, decode_stored_message)
        reply = await self.api.send_request(context, f"{self.api.prefix}.{api}", body)
        return decode_stored_message(context, reply)

    async def _request_info(
        self, context: ErrorContext, options: dict[str, object]
    ) -> dict[str, Any]:
        api, body = f"STREAM.INFO.{self.name}", json_encode(options) if options else b""
        return await self.api.request_decoded(context, api, body, decode_stream_info)

    def publish_subject(self, subject: str) -> str:
        """Return where to publish a message, so that the stream stores it under a subject."""
        prefix = self.api.subject_prefix
        return f"{prefix}.{subject}" if prefix else subject

    def set_domain(self, info: dict[str, Any]) -> None:
        """Set the JetStream domain from the response to STREAM.INFO."""
        self.ack_origin = self.name, info.get("domain")

    async def purge(
        self,
        context: ErrorContext,
        subject: str,
        *,
        below: int | None = None,
        keep: int | None = None,
    ) -> Purged:
        """Purge the messages of a subject in one request: see `purge_subject` for many messages.

        With `below`, only messages with lower sequences are purged; with `keep`, all except that
        number of the last ones.
        """
        if below is not None and below <= 1:
            return Purged(0, was_resent=False)  # the server would ignore it, and purge everything
        body: dict[str, object] = {"filter": subject}
        if below is not None:
            body["seq"] = below
        if keep:
            body["keep"] = keep
        return await request_purge(self.api, context, self.name, body)

    async def delete_message(self, context: ErrorContext, seq: int) -> None:
        """Delete one message, if it exists."""
        try:
            await self.api.request(context, f"STREAM.MSG.DELETE.{self.name}", {"seq": seq})
        except ServerError as error:
            if error.err_code not in _MESSAGE_NOT_FOUND:
                raise

    async def count_messages(self, context: ErrorContext, subject: str) -> int:
        """Return the number of messages of a subject, from the leader."""
        info = await self._request_info(context, {"subjects_filter": subject})
        return int((info["state"].get("subjects") or {}).get(subject, 0))

    async def subject_counts(self, pattern: str) -> AsyncGenerator[tuple[str, int], None]:
        """Yield the subjects that match a pattern, with their numbers of messages.

        Each request returns a page of up to 100,000 subjects.
        """
        offset = 0
        while True:
            info = await self.info(subjects_filter=pattern, offset=offset)
            page = info["state"].get("subjects") or {}
            for item in page.items():
                yield item
            offset += len(page)
            if not page or offset >= info.get("total", 0):
                return
