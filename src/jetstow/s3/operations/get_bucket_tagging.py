"""GetBucketTagging: the tags of a bucket."""

from __future__ import annotations

from jetstow.s3.call import Call
from jetstow.s3.errors import S3Error
from jetstow.s3.reserved import TAGS
from jetstow.s3.result import Result
from jetstow.s3.tags import load_tags, tag_document


async def get_bucket_tagging(call: Call) -> Result:
    """Return the tags. Without tags, that is an error."""
    stored = call.bucket.settings.get(TAGS)
    if stored is None:
        raise S3Error("NoSuchTagSet", BucketName=call.bucket.name)
    return Result(xml=tag_document(load_tags(stored)))
