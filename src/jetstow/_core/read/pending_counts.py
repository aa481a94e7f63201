"""Count the messages of a subject at or after a sequence, without reading them.

A batched Direct Get with `"batch": -1` returns only the end of the batch, with the number of
messages that follow (docs/decisions/0012). On older servers, a new consumer that starts at the
sequence reports the same number.
"""

from __future__ import annotations

import asyncio
from typing import Final

from jetstow._core.bucket.consumer import create_consumer, delete_consumer, start_at
from jetstow._core.bucket.stream import Stream
from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.protocol.message import NO_RESPONDERS, status
from jetstow._core.protocol.metadata import json_encode
from jetstow._core.read.direct_get import END_OF_BATCH, NO_SUCH_MESSAGE
from jetstow._core.read.windows import NoDirectGetError
from jetstow._core.transport.mailbox import Mailbox
from jetstow.errors import PermissionDeniedError

# Sequences per round trip. Each consumer has to be created and deleted.
_MAX_BATCH_QUERIES: Final = 64
_MAX_CONSUMERS: Final = 6

_PENDING: Final = "Nats-Num-Pending"


def max_queries(stream: Stream) -> int:
    """Return the number of sequences to query in one round trip."""
    return _MAX_BATCH_QUERIES if stream.has_batched_get else _MAX_CONSUMERS


async def pending_counts(
    stream: Stream, context: ErrorContext, subject: str, seqs: list[int]
) -> dict[int, int]:
    """Return, by sequence, how many messages of a subject are at or after it, in one round trip.

    The first sequence is always in the result. With consumers, only a few of the others are.
    """
    if stream.has_batched_get:
        try:
            counts = await pending_counts_by_batch(stream, context, subject, seqs)
            return dict(zip(seqs, counts, strict=True))
        except NoDirectGetError as error:
            stream.disable_direct_get(for_good=error.for_good)
    selected = seqs[:: -(-len(seqs) // _MAX_CONSUMERS)]
    counts = await asyncio.gather(
        *(_pending_count_by_consumer(stream, context, subject, seq) for seq in selected)
    )
    return dict(zip(selected, counts, strict=True))


async def pending_counts_by_batch(
    stream: Stream, context: ErrorContext, subject: str, seqs: list[int]
) -> list[int]:
    """Return how many messages of a subject are at or after each sequence, by Direct Get.

    Raises: `NoDirectGetError` (also for an unexpected reply).
    """
    api = f"{stream.api.prefix}.DIRECT.GET.{stream.name}"
    counts: dict[int, int] = {}
    # If a server sends messages nevertheless, it counts only those after them.
    received = [0] * len(seqs)
    with await stream.api.open_mailbox(Mailbox, context) as mailbox:
        try:
            for number, seq in enumerate(seqs):
                body = {"seq": seq, "next_by_subj": subject, "batch": -1}
                await mailbox.send(api, json_encode(body), suffix=f".{number}")
            while len(counts) < len(seqs):
                message = await mailbox.next()
                number = int(message.subject.rpartition(".")[2])
                code, headers = status(message), message.headers or {}
                if code == END_OF_BATCH:
                    counts[number] = int(headers.get(_PENDING, 0)) + received[number]
                elif code == NO_SUCH_MESSAGE:
                    counts[number] = 0
                elif code is None and _PENDING in headers:
                    received[number] += 1
                else:
                    raise NoDirectGetError(for_good=code != NO_RESPONDERS)
        except PermissionDeniedError as error:
            raise NoDirectGetError from error
    return [counts[number] for number in range(len(seqs))]


async def _pending_count_by_consumer(
    stream: Stream, context: ErrorContext, subject: str, seq: int
) -> int:
    reply = await create_consumer(stream, context, subject, **start_at(seq))
    try:
        return int(reply.get("num_pending", 0))
    finally:
        await delete_consumer(stream, context, str(reply["name"]))
