"""The records of the S3 gateway's multipart uploads, as far as other programs read them.

The gateway is an extra. `jetstow gc` must spare the chunks of its uploads without it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import msgspec
from nats.js.client import JetStreamContext
from nats.js.errors import NotFoundError

# The key-value bucket. The key of an upload is BUCKET.ID.0, and that of a part BUCKET.ID.NUMBER.
UPLOAD_RECORDS: Final = "JETSTOW_S3_UPLOADS"


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


async def _recorded_nuids(js: JetStreamContext, bucket: str) -> set[str]:
    """Return the NUIDs of the chunks that the parts of uploads to a bucket are written to."""
    try:
        records = await js.key_value(UPLOAD_RECORDS)
    except NotFoundError:
        return set()
    nuids = set()
    watcher = await records.watch(f"{bucket}.*.0", ignore_deletes=True)
    try:
        while (entry := await watcher.updates()) is not None:
            nuids.add(msgspec.msgpack.decode(entry.value or b"", type=_Chunks).nuid)
    finally:
        await watcher.stop()
    return nuids
