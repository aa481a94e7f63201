"""GetObjectRetention: until when a version of an object is kept."""

from __future__ import annotations

from jetstow.s3.call import Call
from jetstow.s3.object_lock import check_object_lock, retention_document
from jetstow.s3.result import Result
from jetstow.s3.versions import find_version


async def get_object_retention(call: Call) -> Result:
    """Return the retention."""
    check_object_lock(call.bucket)
    return Result(xml=retention_document(await find_version(call.bucket, call.key, call.version)))
