"""What a stream really holds: every metadata message, and every chunk without its bytes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from jetstow._core.bucket.consumer import create_consumer, delete_consumer, start_at
from jetstow._core.bucket.stream import StoredMessage, Stream
from jetstow._core.protocol import subjects
from jetstow._core.protocol.message import status
from jetstow._core.protocol.metadata import json_encode
from jetstow._core.protocol.msg_metadata import MsgMetadata
from jetstow._core.protocol.timestamps import parse_timestamp
from jetstow._core.read.direct_get import DirectWindows
from jetstow._core.read.windows import NoDirectGetError, WindowMessage
from jetstow._core.transport.mailbox import Mailbox
from jetstow._core.transport.retry import RETRIED_ERRORS

# Metadata that is asked for at once, and the bytes that one message is taken for.
_BATCH: Final = 1_024
_META_BYTES: Final = 512

# Chunks whose headers are asked for at once, and requests to the leader under way at once.
_HEADS: Final = 4_096
_MAX_CONCURRENT_REQUESTS: Final = 64

# Consumers one after another that have told of nothing, until nothing is taken to be left.
_MAX_EMPTY_CONSUMERS: Final = 3

# How long a server waits for messages that it counts and does not find, in nanoseconds. Later
# ones know at once, and of older ones one would hear nothing at all.
_WAIT: Final = 10**9

MetadataMessage: TypeAlias = StoredMessage | WindowMessage


class MessageHead(NamedTuple):
    """A message without its bytes: where it lies, how long it is, when it was stored (ns)."""

    subject: str
    seq: int
    size: int
    time: int


async def scan_metadata(stream: Stream, after: int = 0) -> AsyncGenerator[MetadataMessage, None]:
    """Every metadata message behind a sequence, several of a name too, up to what is the last
    one now; perhaps a few that come later. Those of one name come in their order.

    Replicas answer as far as they are, and older servers' consumers leave some out: there,
    the leader is asked for each.
    """
    pattern, last = subjects.all_meta_subject(stream.bucket), await last_sequence(stream)
    if stream.has_batched_get and stream.replicas == 1:
        try:
            async with aclosing(_scan_by_window(stream, pattern, after + 1, last)) as each:
                async for piece in each:
                    yield piece
            return
        except NoDirectGetError:
            stream.disable_direct_get()
    one_by_one = _scan_one_by_one(stream, pattern, after + 1, last)
    async with aclosing(one_by_one if after else _scan_by_name(stream, pattern, last)) as found:
        async for stored in found:
            yield stored


async def last_sequence(stream: Stream) -> int:
    """The sequence of the last message, by the leader's word."""
    return int((await stream.info())["state"]["last_seq"])


async def _scan_by_window(
    stream: Stream, pattern: str, seq: int, last: int
) -> AsyncGenerator[WindowMessage, None]:
    context, outage = stream.error_context(), stream.api.retry_policy(stream.error_context())
    source = DirectWindows(stream, context, pattern)
    while seq <= last:
        begun = seq
        try:
            with await source.request(seq, _BATCH, _META_BYTES) as window:
                while (piece := await window.next_message()) is not None:
                    outage.succeeded()
                    seq = piece.seq + 1
                    yield piece
        except RETRIED_ERRORS as error:
            await outage.wait_or_raise(error)
            continue
        if seq == begun:
            return


async def _scan_one_by_one(
    stream: Stream, subject: str, seq: int, last: int
) -> AsyncGenerator[StoredMessage, None]:
    context = stream.error_context()
    while seq <= last and (stored := await stream.next(context, subject, seq)) is not None:
        seq = stored.seq + 1
        yield stored


async def _scan_by_name(
    stream: Stream, pattern: str, last: int
) -> AsyncGenerator[StoredMessage, None]:
    async def all_of(subject: str) -> list[StoredMessage]:
        return [stored async for stored in _scan_one_by_one(stream, subject, 1, last)]

    everyone = [subject async for subject, _ in stream.subjects(pattern)]
    for start in range(0, len(everyone), _MAX_CONCURRENT_REQUESTS):
        answers = await asyncio.gather(
            *map(all_of, everyone[start : start + _MAX_CONCURRENT_REQUESTS])
        )
        for stored in [each for answer in answers for each in answer]:
            yield stored


async def scan_heads(
    stream: Stream,
    subject: str,
    policy: Literal["all", "last_per_subject"] = "all",
    *,
    after: int = 0,
) -> AsyncGenerator[MessageHead, None]:
    """The messages of a subject up to what is the last one now, or the last one of each.

    With `after`, all those that lie behind that sequence.

    A consumer tells of them that sends no bytes. On servers before 2.10 some may be left out
    that were stored while others were purged.
    """
    outage, last = stream.api.retry_policy(stream.error_context()), await last_sequence(stream)
    fruitless = 0
    while fruitless < _MAX_EMPTY_CONSUMERS and after < last:
        fruitless += 1
        run = _ConsumerScan(stream, subject, policy, after)
        try:
            async with aclosing(run.heads()) as each:
                async for head in each:
                    outage.succeeded()
                    fruitless = 0
                    if head.seq > last:
                        return
                    after = head.seq
                    yield head
        except RETRIED_ERRORS as error:
            await outage.wait_or_raise(error)
        if run.is_complete:
            return


class _ConsumerScan:
    """One consumer, and what it tells. Where it does not get to its end, another one goes on."""

    def __init__(self, stream: Stream, subject: str, policy: str, after: int) -> None:
        self.is_complete = False
        self._stream = stream
        self._subject = subject
        # A run that goes on tells of a subject again where it has a later message by then.
        self._begin = start_at(after + 1) if after else {"deliver_policy": policy}

    async def heads(self) -> AsyncGenerator[MessageHead, None]:
        stream, context = self._stream, self._stream.error_context()
        made = await create_consumer(
            stream, context, self._subject, headers_only=True, **self._begin
        )
        consumer, left = str(made["name"]), int(made.get("num_pending", 0))
        api = f"{stream.api.prefix}.CONSUMER.MSG.NEXT.{stream.name}.{consumer}"
        waits = {"expires": _WAIT} if stream.api.server_version < (2, 11) else {}
        try:
            while left > 0:
                box = await stream.api.inbox.open_subscription(Mailbox, context, stream.timeout)
                with box:
                    count = min(left, _HEADS)
                    await box.send(api, json_encode({"batch": count, "no_wait": True} | waits))
                    for _ in range(count):
                        message = await box.next()
                        if status(message) is not None:
                            # Purged meanwhile, so that there are fewer than there were.
                            self.is_complete = status(message) == 404
                            return
                        place = MsgMetadata.parse(message.reply)
                        left = place.pending
                        size = (message.headers or {}).get("Nats-Msg-Size", "0")
                        yield MessageHead(message.subject, place.stream_seq, int(size), place.time)
                        if not left:
                            break
            self.is_complete = True
        finally:
            await delete_consumer(stream, context, consumer)


async def server_time(stream: Stream, info: dict[str, Any]) -> int:
    """The server's time, which stamps the messages too, in nanoseconds; `info` is the stream's.

    Servers before 2.10 tell it only of what they make.
    """
    if (told := info.get("ts")) is None:
        context, pattern = stream.error_context(), subjects.all_meta_subject(stream.bucket)
        made = await create_consumer(stream, context, pattern, deliver_policy="new")
        await delete_consumer(stream, context, str(made["name"]))
        told = made["created"]
    return parse_timestamp(str(told))
