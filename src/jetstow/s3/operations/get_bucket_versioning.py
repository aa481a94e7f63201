"""GetBucketVersioning: whether a bucket keeps versions."""

from __future__ import annotations

from jetstow.s3.call import Call
from jetstow.s3.result import Result
from jetstow.s3.xml.writing import document, text


async def get_bucket_versioning(call: Call) -> Result:
    """Return the state, without a Status if the bucket never had versions."""
    versioning = call.bucket.status.versioning
    status = None if versioning is None else versioning.capitalize()
    return Result(xml=document("VersioningConfiguration", text("Status", status)))
