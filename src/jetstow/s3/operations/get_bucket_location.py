"""GetBucketLocation: the location constraint that the bucket was created with."""

from __future__ import annotations

from jetstow.s3.call import Call
from jetstow.s3.reserved import LOCATION
from jetstow.s3.result import Result
from jetstow.s3.xml.writing import document, escape


async def get_bucket_location(call: Call) -> Result:
    """Return the location. It is empty if the request that created the bucket had none."""
    location = call.bucket.settings.get(LOCATION, "")
    return Result(xml=document("LocationConstraint", escape(location)))
