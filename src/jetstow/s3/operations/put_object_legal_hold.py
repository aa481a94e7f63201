"""PutObjectLegalHold: keep a version of an object until its legal hold is removed."""

from __future__ import annotations

from jetstow.s3.call import Call
from jetstow.s3.object_lock import check_object_lock, parse_legal_hold
from jetstow.s3.result import Result
from jetstow.s3.versions import as_s3_errors


async def put_object_legal_hold(call: Call) -> Result:
    """Set the legal hold, or remove it."""
    check_object_lock(call.bucket)
    is_on = parse_legal_hold(await call.payload.read_document())
    async with as_s3_errors(call.bucket, call.key, call.version):
        await call.bucket.store.set_legal_hold(call.key, is_on, version=call.version)
    return Result()
