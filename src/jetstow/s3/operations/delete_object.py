"""DeleteObject: delete an object, or nothing if there is none."""

from __future__ import annotations

from jetstow.s3.call import Call
from jetstow.s3.result import Result, no_content


async def delete_object(call: Call) -> Result:
    """Delete the object."""
    await call.bucket.store.delete(call.key, missing_ok=True)
    return no_content()
