"""GetPublicAccessBlock: which public ACLs a bucket refuses or ignores."""

from __future__ import annotations

from jetstow.s3.call import Call
from jetstow.s3.errors import S3Error
from jetstow.s3.ownership import PUBLIC_ACCESS_FLAGS, public_access_flags
from jetstow.s3.reserved import PUBLIC_ACCESS
from jetstow.s3.result import Result
from jetstow.s3.xml.writing import document, text


async def get_public_access_block(call: Call) -> Result:
    """Return the flags. If they were never set, that is an error."""
    if PUBLIC_ACCESS not in call.bucket.settings:
        raise S3Error("NoSuchPublicAccessBlockConfiguration", BucketName=call.bucket.name)
    flags = public_access_flags(call.bucket)
    return Result(
        xml=document(
            "PublicAccessBlockConfiguration",
            *(text(flag, flag in flags) for flag in PUBLIC_ACCESS_FLAGS),
        )
    )
