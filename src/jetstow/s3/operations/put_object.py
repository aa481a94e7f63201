"""PutObject: store the body of a request as an object."""

from __future__ import annotations

from jetstow.s3 import objects
from jetstow.s3.call import Call
from jetstow.s3.conditions import put_conditions
from jetstow.s3.lifecycle.rules import expiration_headers, load_lifecycle_rules
from jetstow.s3.new_object import parse_attributes
from jetstow.s3.result import Result
from jetstow.s3.versions import new_headers
from jetstow.s3.writes import store_payload


async def put_object(call: Call) -> Result:
    """Store the object. Return its ETag and checksum."""
    attributes = parse_attributes(call)
    call.payload.require_length()
    conditions = put_conditions(call.request.headers)
    has_rules = bool(load_lifecycle_rules(call.bucket))  # they depend on the time of the write
    info = await store_payload(
        call.bucket, call.key, call.payload, attributes, conditions, dated=has_rules
    )
    headers = {"etag": objects.etag(info)} | expiration_headers(call.bucket, info)
    if call.payload.checksum is not None:
        headers |= call.payload.checksum.headers
    return Result(headers=headers | call.bucket.key_headers | new_headers(call.bucket, info))
