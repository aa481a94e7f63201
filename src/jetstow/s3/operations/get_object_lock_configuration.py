"""GetObjectLockConfiguration: the rule for new objects of a bucket with object lock."""

from __future__ import annotations

from jetstow.s3.call import Call
from jetstow.s3.object_lock import configuration_document
from jetstow.s3.result import Result


async def get_object_lock_configuration(call: Call) -> Result:
    """Return the configuration."""
    return Result(xml=configuration_document(call.bucket))
