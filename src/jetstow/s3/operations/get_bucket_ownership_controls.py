"""GetBucketOwnershipControls: who owns the objects of a bucket."""

from __future__ import annotations

from jetstow.s3.call import Call
from jetstow.s3.errors import S3Error
from jetstow.s3.reserved import OWNERSHIP
from jetstow.s3.result import Result
from jetstow.s3.xml.writing import document, element, text


async def get_bucket_ownership_controls(call: Call) -> Result:
    """Return the rule. Without one, that is an error."""
    ownership = call.bucket.settings.get(OWNERSHIP)
    if ownership is None:
        raise S3Error("OwnershipControlsNotFoundError", BucketName=call.bucket.name)
    rule = element("Rule", text("ObjectOwnership", ownership))
    return Result(xml=document("OwnershipControls", rule))
