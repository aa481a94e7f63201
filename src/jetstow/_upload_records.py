"""The records of the S3 gateway's multipart uploads, as far as other programs read them.

The gateway is an extra. `jetstow gc` must spare the chunks of its uploads without it.

Records are read from the leader: replicas may lag, and what is missing in a list is taken as gone.
nats-py's `watch` may report the end of the records before the first one has arrived.
"""

from __future__ import annotations

import asyncio
import datetime
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import Any, Final, NamedTuple

import msgspec
from nats.js.client import JetStreamContext
from nats.js.errors import NotFoundError

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


async def read_record(js: JetStreamContext, key: str) -> Record | None:
    """Return the record of a key; None if there is none."""
    try:
        message = await js.get_last_msg(_STREAM, _SUBJECT + key)
    except NotFoundError:
        return None
    if "KV-Operation" in (message.headers or {}):
        return None  # a delete marker
    assert message.time is not None, "messages of a stream have a time"
    return Record(key, message.data or b"", message.seq or 0, message.time)


async def read_records(js: JetStreamContext, keys: Sequence[str]) -> AsyncGenerator[Record, None]:
    """Yield the records of keys, in their order. Those that do not exist are left out."""
    for start in range(0, len(keys), _MAX_CONCURRENT_READS):
        batch = keys[start : start + _MAX_CONCURRENT_READS]
        for record in await asyncio.gather(*(read_record(js, key) for key in batch)):
            if record is not None:
                yield record


async def list_keys(js: JetStreamContext, pattern: str) -> list[str]:
    """Return the keys that match a pattern, those with a delete marker included."""
    keys: list[str] = []
    while True:
        request = {"subjects_filter": _SUBJECT + pattern, "offset": len(keys)}
        try:
            info = await _request_info(js, request)
        except NotFoundError:
            return []
        page = info["state"].get("subjects") or {}
        keys += [subject.removeprefix(_SUBJECT) for subject in page]
        if not page or len(keys) >= info.get("total", 0):
            return keys


async def _request_info(js: JetStreamContext, request: dict[str, object]) -> dict[str, Any]:
    # nats-py's `stream_info` has no offset, and the server ends a page at 100,000 subjects.
    api = f"{js._prefix}.STREAM.INFO.{_STREAM}"  # noqa: SLF001
    return await js._api_request(api, json.dumps(request).encode())  # noqa: SLF001


async def _recorded_nuids(js: JetStreamContext, bucket: str) -> set[str]:
    """Return the NUIDs of the chunks that the parts of uploads to a bucket are written to."""
    keys = await list_keys(js, f"{bucket}.*.0")
    return {
        msgspec.msgpack.decode(record.value, type=_Chunks).nuid
        async for record in read_records(js, keys)
    }
