"""DeletePublicAccessBlock: remove the public access block of a bucket."""

from __future__ import annotations

from jetstow.s3.call import Call
from jetstow.s3.reserved import PUBLIC_ACCESS
from jetstow.s3.result import Result, no_content


async def delete_public_access_block(call: Call) -> Result:
    """Remove the setting."""
    async with call.buckets.changing(call.bucket) as settings:
        settings.pop(PUBLIC_ACCESS, None)
    return no_content()
