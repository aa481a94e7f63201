"""DeleteObject: delete an object, or nothing if there is none."""

from __future__ import annotations

from jetstow.s3.call import Call
from jetstow.s3.conditions import delete_conditions
from jetstow.s3.deletes import delete_one
from jetstow.s3.result import Result, no_content
from jetstow.s3.versions import check_version


async def delete_object(call: Call) -> Result:
    """Delete the object, if the conditions of the request hold."""
    check_version(call.request.query)
    await delete_one(call.bucket, call.key, delete_conditions(call.request.headers))
    return no_content()
