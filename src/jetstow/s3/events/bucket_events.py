"""Publish the events of one bucket: receive its metadata, publish, acknowledge."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import nats.errors
import nats.js.errors
from nats.aio.msg import Msg

from jetstow import Client, JetStreamContext
from jetstow._core.protocol.metadata import decode_info
from jetstow._core.protocol.msg_metadata import MsgMetadata
from jetstow._core.protocol.subjects import object_name
from jetstow._core.protocol.versions import versioning_of
from jetstow.errors import BadObjectMetaError, JetstowError, ObjectNotFoundError
from jetstow.models import ObjectInfo
from jetstow.s3.buckets import Bucket, Buckets
from jetstow.s3.errors import S3Error
from jetstow.s3.events.consumer import CONSUMER, deliver_subject, ensure_consumer
from jetstow.s3.events.record import Event, event_of
from jetstow.s3.events.rules import find_rule, load_event_rules

_log = logging.getLogger("jetstow.s3.events")

# What a request may raise while NATS is away, or if the user lacks a permission.
NATS_ERRORS: Final = (JetstowError, nats.errors.Error, nats.js.errors.Error, TimeoutError)

# How many events are published at the same time, and the pause after a failure, in seconds.
_MAX_GROUP: Final = 64
_PAUSE: Final = 1.0
# How long the answer is used whether a stream captures a subject, in seconds.
_CAPTURED_AGE: Final = 10.0
# How many revisions are remembered, to see that an acknowledgement was lost.
_REMEMBERED: Final = 1024


@dataclass(slots=True)
class BucketEvents:
    """The events of a bucket, whose name in S3 is `name`. `run` publishes them until it ends."""

    client: Client
    js: JetStreamContext
    buckets: Buckets
    name: str
    bucket: str
    _received: asyncio.Queue[Msg] = field(default_factory=asyncio.Queue)
    _group: list[Msg] = field(default_factory=list)
    _published: deque[str] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))
    _captured: dict[str, tuple[float, bool]] = field(default_factory=dict)

    async def run(self) -> None:
        """Publish events until the bucket is deleted.

        Raises: `NATS_ERRORS` (the consumer cannot be created).
        """
        await ensure_consumer(self.js, self.bucket)
        subscription = await self.client.subscribe(
            deliver_subject(self.bucket), queue=CONSUMER, cb=self._received.put
        )
        try:
            while True:
                self._group = [await self._received.get()]
                while not self._received.empty() and len(self._group) < _MAX_GROUP:
                    self._group.append(self._received.get_nowait())
                bucket = await self._open()
                if bucket is None:
                    return
                # Each is sent before the next one, in the order of the changes.
                steps = [await self._prepare(message, bucket) for message in self._group]
                await asyncio.gather(*(step() for step in steps))
        finally:
            with suppress(*NATS_ERRORS):
                await subscription.unsubscribe()
                await self._return_messages()

    async def _open(self) -> Bucket | None:
        """Return the bucket as it is now: after the messages were received. None: it is gone."""
        while True:
            try:
                return await self.buckets.open(self.name)
            except S3Error:
                return None
            except NATS_ERRORS as error:
                _log.warning("events of bucket %r wait: %s", self.name, error)
                await asyncio.sleep(_PAUSE)

    async def _prepare(self, message: Msg, bucket: Bucket) -> Callable[[], Awaitable[None]]:
        """Return the function that publishes the event of a message, if it has one."""
        info = self._decode(message)
        versioning = versioning_of({"metadata": bucket.status.stream_info.config.metadata})
        event = None if info is None else event_of(info, message.headers or {}, versioning)
        if event is None or event.id in self._published:
            return partial(_acknowledge, message)
        rule = find_rule(load_event_rules(bucket), event.name, event.key)
        if rule is None or await self._is_kept(bucket, event):
            return partial(_acknowledge, message)
        payload = event.encode(bucket, rule)
        is_captured = await self._is_captured(event.subject)
        return partial(self._publish, message, event, payload, is_captured=is_captured)

    async def _is_kept(self, bucket: Bucket, event: Event) -> bool:
        """Return whether an event is not the removal of its version: it is the current one now."""
        if not event.is_of_kept:
            return False
        while True:
            try:
                await bucket.store.get_info(event.key, version=event.version)
                return True
            except ObjectNotFoundError:
                return False
            except NATS_ERRORS as error:
                _log.warning("event %s of bucket %r waits: %s", event.id, self.name, error)
                await asyncio.sleep(_PAUSE)

    def _decode(self, message: Msg) -> ObjectInfo | None:
        name = object_name(self.bucket, message.subject)
        if name is None:
            return None
        metadata = MsgMetadata.parse(message.reply)
        try:
            return decode_info(
                self.bucket, name, message.data,
                revision=metadata.stream_seq, mtime=metadata.timestamp,
            )  # fmt: skip
        except BadObjectMetaError as error:
            _log.warning("skipped: %s", error)
            return None

    async def _publish(
        self, message: Msg, event: Event, payload: bytes, *, is_captured: bool
    ) -> None:
        """Publish an event until a stream has stored it, or the server has received it."""
        headers = {"Nats-Msg-Id": event.id}
        while True:
            try:
                if is_captured:
                    await self.js.publish(event.subject, payload, headers=headers)
                else:
                    await self.client.publish(event.subject, payload, headers=headers)
                    await self.client.flush()
                break
            except NATS_ERRORS as error:
                _log.warning("event %s of bucket %r waits: %s", event.id, self.name, error)
                await asyncio.sleep(_PAUSE)
                with suppress(*NATS_ERRORS):
                    await message.in_progress()
            self._captured.pop(event.subject, None)
            is_captured = await self._is_captured(event.subject)
        self._published.append(event.id)
        await _acknowledge(message)

    async def _is_captured(self, subject: str) -> bool:
        """Return whether a stream stores what is published on a subject.

        Only then there is an answer. A stream that is created since stores the event all the same.
        """
        asked, is_captured = self._captured.get(subject, (0.0, False))
        while time.monotonic() - asked > _CAPTURED_AGE:
            asked = time.monotonic()
            try:
                await self.js.find_stream_name_by_subject(subject)
                is_captured = True
            except nats.js.errors.NotFoundError:
                is_captured = False
            except NATS_ERRORS as error:
                _log.warning("events of bucket %r wait: %s", self.name, error)
                await asyncio.sleep(_PAUSE)
                asked = 0.0
                continue
            self._captured[subject] = asked, is_captured
        return is_captured

    async def _return_messages(self) -> None:
        """Let the server send what was not acknowledged to another gateway at once."""
        while not self._received.empty():
            self._group.append(self._received.get_nowait())
        for message in self._group:
            if not message.is_acked:
                await message.nak()


async def _acknowledge(message: Msg) -> None:
    with suppress(*NATS_ERRORS):  # it comes again, and is recognized
        await message.ack()
