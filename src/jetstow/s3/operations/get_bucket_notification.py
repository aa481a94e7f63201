"""GetBucketNotificationConfiguration: which events of a bucket are published."""

from __future__ import annotations

from jetstow.s3.call import Call
from jetstow.s3.events.rules import load_event_rules, rules_document
from jetstow.s3.result import Result


async def get_bucket_notification(call: Call) -> Result:
    """Return the configuration, which is empty if no events are published."""
    return Result(xml=rules_document(load_event_rules(call.bucket)))
