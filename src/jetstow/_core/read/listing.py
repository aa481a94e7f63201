"""The metadata of all objects of a bucket, without a consumer.

With one replica, batched Direct Get reads all metadata subjects. Replicas may lag, so with several
the leader lists the subjects and is asked for each.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, suppress
from functools import partial
from typing import Final, TypeAlias

from jetstow._core.aio.garbage_collector import without_collections
from jetstow._core.bucket.stored_message import StoredMessage
from jetstow._core.bucket.stream import OFFSET_PAST_END, Stream
from jetstow._core.protocol.common_metadata import decode_lines, info_of_common
from jetstow._core.protocol.metadata import decode_info
from jetstow._core.protocol.subjects import all_meta_subject, meta_subject, object_name
from jetstow._core.read.direct_get import DirectWindows
from jetstow._core.read.filters import ALL_NAMES, NameFilter
from jetstow._core.read.pending_counts import pending_counts_by_batch
from jetstow._core.read.windows import MESSAGE_OVERHEAD, NoDirectGetError, Window, WindowMessage
from jetstow._core.transport.retry import RETRIED_ERRORS
from jetstow.errors import BadObjectMetaError, PermissionDeniedError
from jetstow.models import ObjectInfo

_log = logging.getLogger("jetstow.read")

# Messages of one batch, and the assumed size of each in bytes: the server ends a batch at 16 MiB.
# The next batch can only be requested when one has ended, so few large batches are faster. On a
# slow link, batches have fewer messages.
_BATCH_MESSAGES: Final = 16_384
_META_BYTES: Final = 512

# Concurrent requests to the leader, if it is asked for each name.
_MAX_CONCURRENT_READS: Final = 64

# A metadata message from the leader, or from a batch.
_MetadataMessage: TypeAlias = StoredMessage | WindowMessage


async def iter_infos(
    stream: Stream, names: NameFilter = ALL_NAMES
) -> AsyncGenerator[ObjectInfo, None]:
    """Yield the metadata of the selected names, delete markers included, in order of revisions.

    Nothing is buffered. An object that is changed during the iteration is yielded again with its
    new revision. Unreadable metadata is logged and skipped.
    """
    async for messages in _all_metadata(stream, names, unique=True):
        for _, info in _decode_all(stream, messages, names):
            if isinstance(info, ObjectInfo):
                yield info
            else:
                _log.warning("skipped: %s", info)


async def list_infos(stream: Stream, names: NameFilter = ALL_NAMES) -> list[ObjectInfo]:
    """Return the same as a list with one entry for each name, the newest."""
    infos, unreadable = await list_all(stream, names)
    for error in unreadable:
        _log.warning("skipped: %s", error)
    return infos


async def list_all(
    stream: Stream, names: NameFilter = ALL_NAMES
) -> tuple[list[ObjectInfo], list[BadObjectMetaError]]:
    """Return the same as `list_infos`, and an error for each name with unreadable metadata."""
    infos: dict[str, ObjectInfo] = {}
    unreadable: dict[str, BadObjectMetaError] = {}
    async for messages in _all_metadata(stream, names, unique=False):
        for name, info in _decode_all(stream, messages, names):
            infos.pop(name, None)
            if isinstance(info, ObjectInfo):
                infos[name] = info
            else:
                unreadable[name] = info
    errors = [error for name, error in unreadable.items() if name not in infos]
    return list(infos.values()), errors


@without_collections
def _decode_all(
    stream: Stream, messages: Sequence[_MetadataMessage], names: NameFilter
) -> list[tuple[str, ObjectInfo | BadObjectMetaError]]:
    """Return the selected names in messages, with their infos; an error if one is unreadable."""
    result: list[tuple[str, ObjectInfo | BadObjectMetaError]] = []
    if not names.selects_all:  # decode what is selected only
        messages = [m for m in messages if _selected_name(stream, m.subject, names) is not None]
    commons = decode_lines([message.data for message in messages]) if messages else []
    bucket = stream.bucket
    for number, message in enumerate(messages):
        common = None if commons is None else commons[number]
        # Names in the metadata may be wrong. If one is right, its subject need not be decoded.
        name = common.name if common is not None else None
        if not name or meta_subject(stream.subject_bucket, name) != message.subject:
            name = object_name(stream.subject_bucket, message.subject)
        if name is None:
            continue
        info: ObjectInfo | BadObjectMetaError
        try:
            if common is None:
                info = decode_info(
                    bucket, name, message.data, revision=message.seq, mtime=message.time
                )
            else:
                info = info_of_common(bucket, name, common, message.seq, message.time)
        except BadObjectMetaError as error:
            info = error.with_traceback(None)  # its frame has the list
        result.append((name, info))
    return result


def _selected_name(stream: Stream, subject: str, names: NameFilter) -> str | None:
    """Return the name in a subject, or None if it is not selected. Its metadata is not decoded."""
    name = object_name(stream.subject_bucket, subject)
    return name if name is None or names.selects(name) else None


async def _all_metadata(
    stream: Stream, names: NameFilter, *, unique: bool
) -> AsyncGenerator[Sequence[_MetadataMessage], None]:
    """Yield the metadata messages of at least the selected names, in batches.

    A name is one token of a subject, in base64: the server cannot select names by their prefix.

    With `unique`, a name has one message unless it changes during the iteration.
    """
    if stream.has_batched_get and stream.replicas == 1:
        try:
            async for messages in _read_by_batch(stream, unique=unique):
                yield messages
            return
        except NoDirectGetError as error:
            stream.disable_direct_get(for_good=error.for_good)
    yield await _read_by_name(stream, names)


async def _read_by_batch(
    stream: Stream, *, unique: bool
) -> AsyncGenerator[Sequence[WindowMessage], None]:
    """Read all metadata subjects by batched Direct Get.

    Metadata is rolled up to one message for each name, but some clients publish it without. With
    `unique`, everything is then buffered until the last message of each name is known.
    """
    context = stream.error_context()
    source = DirectWindows(stream, context, all_meta_subject(stream.subject_bucket))
    window = await _request_batch(source, stream, 1)
    try:
        check = partial(_has_one_message_each, stream)
        buffering = unique and not await stream.api.retry(context, check)
    except BaseException:
        window.close()
        raise
    buffered: dict[str, WindowMessage] = {}
    created = stream.created if unique else None
    async with aclosing(_batches(stream, source, window, created)) as batches:
        async for messages in batches:
            if not buffering:
                yield messages
                continue
            for message in messages:
                buffered.pop(message.subject, None)
                buffered[message.subject] = message
    if buffered:
        yield list(buffered.values())


async def _batches(
    stream: Stream, source: DirectWindows, first: Window, created: str | None
) -> AsyncGenerator[list[WindowMessage], None]:
    """Yield the messages of the first window and of those after it, as they arrive.

    `created` is when the bucket was created, if that was requested after the first window.

    Raises: `BucketNotFoundError` (the bucket was deleted, or deleted and created again).
    """

    async def request_next(seq: int) -> Window:
        nonlocal created
        window = await _request_batch(source, stream, seq)
        try:
            with suppress(PermissionDeniedError):
                created = (await stream.check_same(created))["created"]
        except BaseException:
            window.close()
            raise
        return window

    policy = stream.api.retry_policy(stream.error_context())
    window: Window | None = first
    seq, pending = 1, 0
    try:
        while window is not None:
            try:
                messages, at_end = await window.next_messages()
            except RETRIED_ERRORS as error:
                await policy.wait_or_raise(error)
                window.close()
                window = await request_next(seq)
                continue
            if messages:
                policy.succeeded()
                seq, pending = messages[-1].seq + 1, messages[-1].pending
            if at_end:
                # The end of a batch has a newer count: names changed since have moved behind it.
                pending = pending if window.pending_after is None else window.pending_after
                window.close()
                # The server prepares the next batch while the caller uses this one.
                window = await request_next(seq) if pending else None
                pending = 0
            yield messages
    finally:
        if window is not None:
            window.close()


async def _request_batch(source: DirectWindows, stream: Stream, seq: int) -> Window:
    allowed = source.max_window_size // (_META_BYTES + MESSAGE_OVERHEAD)
    count = min(_BATCH_MESSAGES, max(1, allowed))
    request = partial(source.request, seq, count, _META_BYTES)
    return await stream.api.retry(stream.error_context(), request)


async def _has_one_message_each(stream: Stream) -> bool:
    """Return whether there are as many metadata messages as names. False without permission."""
    pattern = all_meta_subject(stream.subject_bucket)
    try:
        info, counts = await asyncio.gather(
            stream.info(subjects_filter=pattern, offset=OFFSET_PAST_END),
            pending_counts_by_batch(stream, stream.error_context(), pattern, [1]),
        )
    except PermissionDeniedError:
        return False
    return counts == [info.get("total", 0)]


async def _read_by_name(stream: Stream, names: NameFilter) -> list[StoredMessage]:
    """List the subjects and read the last message of each, from the leader."""
    context, pattern = stream.error_context(), all_meta_subject(stream.subject_bucket)
    subjects = [
        subject
        async for subject, _ in stream.subject_counts(pattern)
        if _selected_name(stream, subject, names) is not None
    ]
    created = stream.created
    messages: list[StoredMessage] = []
    for start in range(0, len(subjects), _MAX_CONCURRENT_READS):
        # Not a task group: its caller would have to catch groups of errors.
        batch = subjects[start : start + _MAX_CONCURRENT_READS]
        requests = [stream.last_message(context, subject) for subject in batch]
        replies = await asyncio.gather(*requests)
        messages += [message for message in replies if message is not None]
    await stream.check_same(created)
    return sorted(messages, key=lambda message: message.seq)
