"""PutBucketLifecycleConfiguration: replace the lifecycle rules of a bucket."""

from __future__ import annotations

from jetstow.s3.call import Call
from jetstow.s3.json_settings import dump_setting
from jetstow.s3.lifecycle.documents import parse_rules
from jetstow.s3.reserved import LIFECYCLE
from jetstow.s3.result import Result


async def put_bucket_lifecycle(call: Call) -> Result:
    """Replace the rules. They apply to existing objects, too."""
    rules = parse_rules(await call.payload.read_document())
    await call.check_background("lifecycle rules")
    async with call.buckets.changing(call.bucket) as settings:
        settings[LIFECYCLE] = dump_setting(rules)
    return Result()
