"""DeleteObject: delete an object, or nothing if there is none, or one version of it."""

from __future__ import annotations

from jetstow.s3.call import Call
from jetstow.s3.conditions import delete_conditions
from jetstow.s3.deletes import delete_one
from jetstow.s3.result import Result, no_content


async def delete_object(call: Call) -> Result:
    """Delete the object, if the conditions of the request hold."""
    version, conditions = call.version, delete_conditions(call.request.headers)
    deleted = await delete_one(call.buckets, call.bucket, call.key, version, conditions)
    return no_content(deleted.headers)
