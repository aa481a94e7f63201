"""GetBucketCors: the CORS rules of a bucket."""

from __future__ import annotations

from jetstow.s3.call import Call
from jetstow.s3.cors import load_cors_rules, rules_document
from jetstow.s3.errors import S3Error
from jetstow.s3.result import Result


async def get_bucket_cors(call: Call) -> Result:
    """Return the rules. Without rules, that is an error."""
    rules = load_cors_rules(call.bucket)
    if not rules:
        raise S3Error("NoSuchCORSConfiguration", BucketName=call.bucket.name)
    return Result(xml=rules_document(rules))
