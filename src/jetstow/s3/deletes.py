"""Delete one object: the only code that does."""

from __future__ import annotations

from jetstow.errors import RevisionMismatchError
from jetstow.s3.buckets import Bucket
from jetstow.s3.conditions import NO_CONDITIONS, WriteConditions, find_info


async def delete_one(bucket: Bucket, key: str, conditions: WriteConditions = NO_CONDITIONS) -> None:
    """Delete an object if its conditions hold. It is not an error if there is none.

    Raises: `S3Error` (PreconditionFailed), and what `delete` raises.
    """
    if not conditions:
        await bucket.store.delete(key, missing_ok=True)
        return
    while (info := await find_info(bucket.store, key)) is not None:
        conditions.check(info)
        try:
            await bucket.store.delete(key, expected_revision=info.revision)
        except RevisionMismatchError:
            continue  # it was changed: check the new one
        return
