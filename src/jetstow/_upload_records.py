"""The records of the S3 gateway's multipart uploads, as far as other programs read them.

The gateway is an extra. `jetstow gc` must spare the chunks of its uploads without it.

Records are read from the leader: replicas may lag, and what is missing in a list is taken as gone.
A list without a leader may be empty (docs/decisions/0049).
nats-py's `watch` may report the end of the records before the first one has arrived.
"""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import Final, NamedTuple

import msgspec
from nats.js.client import JetStreamContext

from jetstow._core.bucket.stored_message import decode_stored_message
from jetstow._core.protocol.api_errors import decode_stream_info
from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.protocol.metadata import json_encode
from jetstow._core.protocol.timestamps import parse_timestamp
from jetstow._core.transport.jetstream_api import JetStreamAPI
from jetstow.errors import BucketNotFoundError

# The key-value bucket. The key of an upload is BUCKET.ID.0, and that of a part BUCKET.ID.NUMBER.
UPLOAD_RECORDS: Final = "JETSTOW_S3_UPLOADS"

_STREAM: Final = f"KV_{UPLOAD_RECORDS}"
_SUBJECT: Final = f"$KV.{UPLOAD_RECORDS}."
_MAX_CONCURRENT_READS: Final = 64


class Record(NamedTuple):
    """The value of a key, its revision, and when the server stored it."""

    key: str
    value: bytes
    revision: int
    time: datetime.datetime


class _Chunks(msgspec.Struct):
    nuid: str = ""


def keep_uploads(
    js: JetStreamContext, bucket: str
) -> Callable[[Sequence[str]], Awaitable[set[str]]]:
    """Return a function for `collect_garbage(keep=...)`: it keeps the chunks of uploads.

    The gateway records a NUID before it writes the first chunk.
    """

    async def keep(nuids: Sequence[str]) -> set[str]:
        return await _recorded_nuids(js, bucket) & set(nuids)

    return keep


def records_api(js: JetStreamContext) -> JetStreamAPI:
    """Return the API for requests to the stream of the records. They outlast an election."""
    api = JetStreamAPI.of_connection(js._nc, js._prefix, js._timeout, "")  # noqa: SLF001
    return api.of_stream(has_replicas=api.retry_timeout > 0)


async def read_record(js: JetStreamContext, key: str) -> Record | None:
    """Return the record of a key; None if there is none.

    Raises: `ConnectionLostError`, `TimeoutError`, `JetStreamUnavailableError`.
    """
    api, query = f"STREAM.MSG.GET.{_STREAM}", json_encode({"last_by_subj": _SUBJECT + key})
    try:
        message = await records_api(js).request_decoded(
            ErrorContext(UPLOAD_RECORDS), api, query, decode_stored_message
        )
    except BucketNotFoundError:
        return None
    if message is None or not message.data:
        return None  # a delete marker is empty
    seconds = parse_timestamp(message.time) / 10**9
    time = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    return Record(key, message.data, message.seq, time)


async def read_records(js: JetStreamContext, keys: Sequence[str]) -> AsyncGenerator[Record, None]:
    """Yield the records of keys, in their order. Those that do not exist are left out."""
    for start in range(0, len(keys), _MAX_CONCURRENT_READS):
        batch = keys[start : start + _MAX_CONCURRENT_READS]
        for record in await asyncio.gather(*(read_record(js, key) for key in batch)):
            if record is not None:
                yield record


async def list_keys(js: JetStreamContext, pattern: str) -> list[str]:
    """Return the keys that match a pattern, those with a delete marker included.

    Raises: what `read_record` raises.
    """
    keys: list[str] = []
    while True:
        # nats-py's `stream_info` has no offset, and the server ends a page at 100,000 subjects.
        query = json_encode({"subjects_filter": _SUBJECT + pattern, "offset": len(keys)})
        try:
            info = await records_api(js).request_decoded(
                ErrorContext(UPLOAD_RECORDS), f"STREAM.INFO.{_STREAM}", query, decode_stream_info
            )
        except BucketNotFoundError:
            return []
        page = info["state"].get("subjects") or {}
        keys += [subject.removeprefix(_SUBJECT) for subject in page]
        if not page or len(keys) >= info.get("total", 0):
            return keys


async def _recorded_nuids(js: JetStreamContext, bucket: str) -> set[str]:
    """Return the NUIDs of the chunks that the parts of uploads to a bucket are written to."""
    keys = await list_keys(js, f"{bucket}.*.0")
    return {
        msgspec.msgpack.decode(record.value, type=_Chunks).nuid
        async for record in read_records(js, keys)
    }
