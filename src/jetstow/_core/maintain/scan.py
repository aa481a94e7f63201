"""Scans of a bucket's stream: all metadata messages, and all chunks without their bytes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final, Literal, NamedTuple, TypeAlias

from jetstow._core.bucket.consumer import create_consumer, delete_consumer, start_at
from jetstow._core.bucket.stored_message import StoredMessage
from jetstow._core.bucket.stream import Stream
from jetstow._core.protocol import subjects
from jetstow._core.protocol.message import status
from jetstow._core.protocol.metadata import json_encode
from jetstow._core.protocol.msg_metadata import MsgMetadata
from jetstow._core.read.direct_get import DirectWindows
from jetstow._core.read.windows import NoDirectGetError, WindowMessage, cut_off_error
from jetstow._core.transport.mailbox import Mailbox
from jetstow._core.transport.retry import RETRIED_ERRORS
from jetstow.errors import TimeoutError

# Metadata messages of one window, and the estimated size of each.
_METADATA_BATCH: Final = 1_024
_METADATA_SIZE_ESTIMATE: Final = 512

# Messages of one pull from a consumer.
_MESSAGE_BATCH: Final = 4_096

# Concurrent requests to the leader.
_MAX_CONCURRENT_REQUESTS: Final = 64

# Consumers in a row that deliver nothing, until the scan takes the remaining messages as purged.
_MAX_EMPTY_CONSUMERS: Final = 3

# Servers before 2.11 do not reply to a pull without wait if pending messages were purged. They end
# a pull with an expiry, in nanoseconds.
_PULL_EXPIRY: Final = 10**9

MetadataMessage: TypeAlias = StoredMessage | WindowMessage


class MessageInfo(NamedTuple):
    """A message without its bytes; `time` is when it was stored, in nanoseconds."""

    subject: str
    seq: int
    size: int
    time: int


async def scan_metadata(stream: Stream, after: int = 0) -> AsyncGenerator[MetadataMessage, None]:
    """Yield every metadata message after a sequence, up to the current last one.

    A name may have several messages; these are in order. A few messages that are published during
    the scan may follow.

    Replicas may lag, and consumers of old servers leave messages out. So without batched Direct Get
    from a single server, each message is requested from the leader.
    """
    pattern, last = subjects.all_meta_subject(stream.subject_bucket), await last_sequence(stream)
    if stream.has_batched_get and stream.replicas == 1:
        try:
            async with aclosing(_scan_by_window(stream, pattern, after + 1, last)) as messages:
                async for message in messages:
                    yield message
            return
        except NoDirectGetError as error:
            stream.disable_direct_get(for_good=error.for_good)
    if after:
        requested = _scan_one_by_one(stream, pattern, after + 1, last)
    else:
        requested = _scan_by_name(stream, pattern, last)
    async with aclosing(requested):
        async for stored in requested:
            yield stored


async def last_sequence(stream: Stream) -> int:
    """Return the sequence of the last message, from the leader."""
    return int((await stream.info())["state"]["last_seq"])


async def _scan_by_window(
    stream: Stream, pattern: str, seq: int, last: int
) -> AsyncGenerator[WindowMessage, None]:
    context, policy = stream.error_context(), stream.api.retry_policy(stream.error_context())
    source = DirectWindows(stream, context, pattern)
    while seq <= last:
        start = seq
        try:
            with await source.request(seq, _METADATA_BATCH, _METADATA_SIZE_ESTIMATE) as window:
                while (message := await window.next_message()) is not None:
                    policy.succeeded()
                    seq = message.seq + 1
                    yield message
        except RETRIED_ERRORS as error:
            await policy.wait_or_raise(error)
            continue
        if seq == start:
            return


async def _scan_one_by_one(
    stream: Stream, subject: str, seq: int, last: int
) -> AsyncGenerator[StoredMessage, None]:
    context = stream.error_context()
    while seq <= last and (stored := await stream.next_message(context, subject, seq)) is not None:
        seq = stored.seq + 1
        yield stored


async def _scan_by_name(
    stream: Stream, pattern: str, last: int
) -> AsyncGenerator[StoredMessage, None]:
    async def messages_of(subject: str) -> list[StoredMessage]:
        return [stored async for stored in _scan_one_by_one(stream, subject, 1, last)]

    names = [subject async for subject, _ in stream.subject_counts(pattern)]
    for start in range(0, len(names), _MAX_CONCURRENT_REQUESTS):
        batch = names[start : start + _MAX_CONCURRENT_REQUESTS]
        for messages in await asyncio.gather(*map(messages_of, batch)):
            for stored in messages:
                yield stored


async def scan_messages(
    stream: Stream, subject: str, policy: Literal["all", "last_per_subject"] = "all"
) -> AsyncGenerator[MessageInfo, None]:
    """Yield the messages of a subject up to the current last one, without their bytes.

    The messages come from a consumer with headers only. Servers before 2.10 may leave out messages
    that were stored while others were purged, and a replica may lag: it lacks the newest ones.
    """
    retries, last = stream.api.retry_policy(stream.error_context()), await last_sequence(stream)
    empty_consumers = after = 0
    while empty_consumers < _MAX_EMPTY_CONSUMERS and after < last:
        empty_consumers += 1
        scan = _ConsumerScan(stream, subject, policy, after)
        try:
            async with aclosing(scan.messages()) as messages:
                async for message in messages:
                    retries.succeeded()
                    empty_consumers = 0
                    if message.seq > last:
                        return
                    after = message.seq
                    yield message
        except RETRIED_ERRORS as error:
            await retries.wait_or_raise(error)
        if scan.is_complete:
            return


class _ConsumerScan:
    """The messages of one consumer. If it ends early, another consumer continues."""

    def __init__(self, stream: Stream, subject: str, policy: str, after: int) -> None:
        self.is_complete = False
        self._stream = stream
        self._subject = subject
        # With "last_per_subject", a continued scan may return a subject again: its newer message.
        self._start = start_at(after + 1) if after else {"deliver_policy": policy}

    async def messages(self) -> AsyncGenerator[MessageInfo, None]:
        """Yield the messages until the consumer has delivered all that were pending."""
        stream, context = self._stream, self._stream.error_context()
        response = await create_consumer(
            stream, context, self._subject, headers_only=True, **self._start
        )
        consumer, pending = str(response["name"]), int(response.get("num_pending", 0))
        api = f"{stream.api.prefix}.CONSUMER.MSG.NEXT.{stream.name}.{consumer}"
        expires = {"expires": _PULL_EXPIRY} if stream.api.server_version < (2, 11) else {}
        try:
            while pending > 0:
                mailbox = await stream.api.inbox.open_subscription(Mailbox, context, stream.timeout)
                with mailbox:
                    batch = min(pending, _MESSAGE_BATCH)
                    pull = {"batch": batch, "no_wait": True} | expires
                    await mailbox.send(api, json_encode(pull))
                    for received in range(batch):
                        try:
                            message = await mailbox.next()
                        except TimeoutError:
                            if received == 1 and stream.api.is_imported:
                                raise cut_off_error(context) from None
                            raise
                        if (code := status(message)) is not None:
                            # Messages were purged, so that fewer than `batch` exist.
                            self.is_complete = code == 404
                            return
                        metadata = MsgMetadata.parse(message.reply)
                        pending = metadata.pending
                        size = int((message.headers or {}).get("Nats-Msg-Size", "0"))
                        yield MessageInfo(message.subject, metadata.stream_seq, size, metadata.time)
                        if not pending:
                            break
            self.is_complete = True
        finally:
            await delete_consumer(stream, context, consumer)
