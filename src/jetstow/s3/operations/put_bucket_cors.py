"""PutBucketCors: replace the CORS rules of a bucket."""

from __future__ import annotations

from jetstow.s3.call import Call
from jetstow.s3.cors import parse_rules
from jetstow.s3.json_settings import dump_setting
from jetstow.s3.reserved import CORS
from jetstow.s3.result import Result


async def put_bucket_cors(call: Call) -> Result:
    """Replace the rules."""
    rules = parse_rules(await call.payload.read_document())
    async with call.buckets.changing(call.bucket) as settings:
        settings[CORS] = dump_setting(rules)
    return Result()
