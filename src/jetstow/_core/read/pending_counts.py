"""How many messages of a subject lie at or after a sequence, without reading any of them.

A batched Direct Get for fewer than no messages answers with the end of the batch alone, and
that tells how many follow (docs/decisions/0012). On older servers a new consumer tells the
same of the place where it would begin.
"""

from __future__ import annotations

import asyncio
from typing import Final

from jetstow._core.bucket.consumer import create_consumer, delete_consumer, start_at
from jetstow._core.bucket.stream import Stream
from jetstow._core.protocol.context import ErrorContext
from jetstow._core.protocol.message import status
from jetstow._core.protocol.metadata import json_encode
from jetstow._core.read.direct_get import END_OF_BATCH, NO_SUCH_MESSAGE
from jetstow._core.read.windows import NoDirectGetError
from jetstow._core.transport.mailbox import Mailbox
from jetstow.errors import PermissionDeniedError

# Questions of one round. A consumer is something to make, and to clear away.
_MAX_BATCH_QUERIES: Final = 64
_MAX_CONSUMERS: Final = 6

_PENDING: Final = "Nats-Num-Pending"


def max_queries(stream: Stream) -> int:
    """How many sequences to ask about in one round."""
    return _MAX_BATCH_QUERIES if stream.has_batched_get else _MAX_CONSUMERS


async def pending_counts(
    stream: Stream, context: ErrorContext, subject: str, seqs: list[int]
) -> dict[int, int]:
    """How many messages of a subject lie at or after sequences, told in one round trip.

    The first one is always among those that are told of; where consumers tell, few others are.
    """
    if stream.has_batched_get:
        try:
            told = await pending_counts_by_batch(stream, context, subject, seqs)
            return dict(zip(seqs, told, strict=True))
        except NoDirectGetError:
            stream.disable_direct_get()
    few = seqs[:: -(-len(seqs) // _MAX_CONSUMERS)]
    told = await asyncio.gather(
        *(_pending_count_by_consumer(stream, context, subject, seq) for seq in few)
    )
    return dict(zip(few, told, strict=True))


async def pending_counts_by_batch(
    stream: Stream, context: ErrorContext, subject: str, seqs: list[int]
) -> list[int]:
    """The same, or `NoDirectGetError` where the answer is another one than it should be."""
    api = f"{stream.api.prefix}.DIRECT.GET.{stream.name}"
    found: dict[int, int] = {}
    # A server that sends a message all the same counts those behind it.
    sent = [0] * len(seqs)
    with await stream.api.open(Mailbox, context) as box:
        try:
            for number, seq in enumerate(seqs):
                which = {"seq": seq, "next_by_subj": subject, "batch": -1}
                await box.send(api, json_encode(which), suffix=f".{number}")
            while len(found) < len(seqs):
                message = await box.next()
                number = int(message.subject.rpartition(".")[2])
                code, headers = status(message), message.headers or {}
                if code == END_OF_BATCH:
                    found[number] = int(headers.get(_PENDING, 0)) + sent[number]
                elif code == NO_SUCH_MESSAGE:
                    found[number] = 0
                elif code is None and _PENDING in headers:
                    sent[number] += 1
                else:
                    raise NoDirectGetError
        except PermissionDeniedError as error:
            raise NoDirectGetError from error
    return [found[number] for number in range(len(seqs))]


async def _pending_count_by_consumer(
    stream: Stream, context: ErrorContext, subject: str, seq: int
) -> int:
    made = await create_consumer(stream, context, subject, **start_at(seq))
    try:
        return int(made.get("num_pending", 0))
    finally:
        await delete_consumer(stream, context, str(made["name"]))
