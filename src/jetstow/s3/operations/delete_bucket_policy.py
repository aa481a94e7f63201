"""DeleteBucketPolicy: remove the policy of a bucket."""

from __future__ import annotations

from jetstow.s3.call import Call
from jetstow.s3.reserved import POLICY
from jetstow.s3.result import Result, no_content


async def delete_bucket_policy(call: Call) -> Result:
    """Remove the policy."""
    async with call.buckets.changing(call.bucket) as settings:
        settings.pop(POLICY, None)
    return no_content()
