"""Publish the events of one bucket: receive its metadata, publish, acknowledge."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

import nats.errors
import nats.js.errors
from nats.aio.msg import Msg

from jetstow import Client, JetStreamContext
from jetstow._core.protocol.metadata import decode_info
from jetstow._core.protocol.msg_metadata import MsgMetadata
from jetstow._core.protocol.subjects import object_name
from jetstow.errors import BadObjectMetaError, JetstowError
from jetstow.models import ObjectInfo
from jetstow.s3.buckets import Bucket, Buckets
from jetstow.s3.errors import S3Error
from jetstow.s3.events.consumer import CONSUMER, deliver_subject, ensure_consumer
from jetstow.s3.events.record import Event, event_of
from jetstow.s3.events.rules import find_rule, load_rules

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
                await asyncio.gather(*(self._handle(msg, bucket) for msg in self._group))
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

    async def _handle(self, message: Msg, bucket: Bucket) -> None:
        info = self._decode(message)
        event = None if info is None else event_of(info, message.headers or {})
        if event is not None:
            rule = find_rule(load_rules(bucket), event.name, event.info.name)
            if rule is not None and event.id not in self._published:
                await self._publish(message, event, event.encode(bucket, rule))
                self._published.append(event.id)
        with suppress(*NATS_ERRORS):  # it comes again, and is recognized
            await message.ack()

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

    async def _publish(self, message: Msg, event: Event, payload: bytes) -> None:
        """Publish an event until a stream has stored it, or the server has received it."""
        headers = {"Nats-Msg-Id": event.id}
        while True:
            try:
                if await self._is_captured(event.subject):
                    await self.js.publish(event.subject, payload, headers=headers)
                else:
                    await self.client.publish(event.subject, payload, headers=headers)
                    await self.client.flush()
                return
            except NATS_ERRORS as error:
                self._captured.pop(event.subject, None)
                _log.warning("event %s of bucket %r waits: %s", event.id, self.name, error)
                await asyncio.sleep(_PAUSE)
                with suppress(*NATS_ERRORS):
                    await message.in_progress()

    async def _is_captured(self, subject: str) -> bool:
        """Return whether a stream stores what is published on a subject.

        Only then there is an answer. A stream that is created since stores the event all the same.
        """
        asked, is_captured = self._captured.get(subject, (0.0, False))
        now = time.monotonic()
        if now - asked > _CAPTURED_AGE:
            try:
                await self.js.find_stream_name_by_subject(subject)
                is_captured = True
            except nats.js.errors.NotFoundError:
                is_captured = False
            self._captured[subject] = now, is_captured
        return is_captured

    async def _return_messages(self) -> None:
        """Let the server send what was not acknowledged to another gateway at once."""
        while not self._received.empty():
            self._group.append(self._received.get_nowait())
        for message in self._group:
            if not message.is_acked:
                await message.nak()
