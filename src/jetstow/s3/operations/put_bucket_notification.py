"""PutBucketNotificationConfiguration: replace the rules by which events are published."""

from __future__ import annotations

from jetstow.s3.call import Call
from jetstow.s3.events.consumer import ensure_consumer, remove_consumer
from jetstow.s3.events.rules import parse_rules
from jetstow.s3.json_settings import dump_setting
from jetstow.s3.reserved import NOTIFICATION
from jetstow.s3.result import Result


async def put_bucket_notification(call: Call) -> Result:
    """Replace the rules. Events begin with the next change of an object; without rules, they end.

    The consumer exists before the rules do: no change after the response is without its event.
    """
    rules = parse_rules(await call.payload.read_document())
    await call.check_background("notifications")
    js, stream = call.services.default_buckets.js, call.bucket.store.bucket
    async with call.buckets.changing(call.bucket) as settings:
        if NOTIFICATION not in settings or not rules:
            await remove_consumer(js, stream)  # an old one would begin with old changes
        settings.pop(NOTIFICATION, None)
        if rules:
            await ensure_consumer(js, stream)
            settings[NOTIFICATION] = dump_setting(rules)
    return Result()
