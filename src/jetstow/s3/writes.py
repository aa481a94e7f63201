"""Store the body of a request as an object: nothing is committed before it is verified."""

from __future__ import annotations

from jetstow.models import ObjectInfo
from jetstow.s3.body.payload import Payload
from jetstow.s3.buckets import Bucket
from jetstow.s3.objects import Attributes, sum_entries


async def store_payload(
    bucket: Bucket,
    key: str,
    payload: Payload,
    attributes: Attributes,
    *,
    expected_revision: int | None = None,
) -> ObjectInfo:
    """Store a payload under a key, with its ETag and checksum.

    Raises: `S3Error` (the body is not what the request declares), and what `put` raises.
    """
    # The seam to the writer whose `meta` may be set until it is committed: until it exists, the
    # ETag is added by a second message, and an object is for a moment visible without it.
    info = await bucket.store.put(
        key, payload, attributes.meta(key), expected_revision=expected_revision
    )
    attributes.reserved |= sum_entries(payload.etag, payload.checksum, info.digest or "")
    return await bucket.store.update_meta(
        key, attributes.meta(key), expected_revision=info.revision
    )
