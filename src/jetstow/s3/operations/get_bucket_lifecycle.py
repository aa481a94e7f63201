"""GetBucketLifecycleConfiguration: the lifecycle rules of a bucket."""

from __future__ import annotations

from jetstow.s3.call import Call
from jetstow.s3.errors import S3Error
from jetstow.s3.lifecycle.documents import rules_document
from jetstow.s3.lifecycle.rules import load_lifecycle_rules
from jetstow.s3.result import Result


async def get_bucket_lifecycle(call: Call) -> Result:
    """Return the rules. Without rules, that is an error."""
    rules = load_lifecycle_rules(call.bucket)
    if not rules:
        raise S3Error("NoSuchLifecycleConfiguration", BucketName=call.bucket.name)
    return Result(xml=rules_document(rules))
