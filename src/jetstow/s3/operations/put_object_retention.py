"""PutObjectRetention: keep a version of an object until a time."""

from __future__ import annotations

from jetstow.s3.call import Call
from jetstow.s3.object_lock import bypasses_governance, check_object_lock, parse_retention
from jetstow.s3.result import Result
from jetstow.s3.versions import as_s3_errors


async def put_object_retention(call: Call) -> Result:
    """Set the retention, or remove it."""
    check_object_lock(call.bucket)
    retention = parse_retention(await call.payload.read_document(), call.now)
    bypasses = bypasses_governance(call, call.key)
    async with as_s3_errors(call.bucket, call.key, call.version):
        await call.bucket.store.set_retention(
            call.key, retention, version=call.version, bypass_governance=bypasses
        )
    return Result()
