"""DeleteBucketOwnershipControls: remove the rule of who owns the objects of a bucket."""

from __future__ import annotations

from jetstow.s3.call import Call
from jetstow.s3.reserved import OWNERSHIP
from jetstow.s3.result import Result, no_content


async def delete_bucket_ownership_controls(call: Call) -> Result:
    """Remove the setting."""
    async with call.buckets.changing(call.bucket) as settings:
        settings.pop(OWNERSHIP, None)
    return no_content()
