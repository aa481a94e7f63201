"""GetObject: the bytes of an object, or a range of them."""

from __future__ import annotations

from jetstow.s3.call import Call
from jetstow.s3.reads import read_object
from jetstow.s3.result import Result


async def get_object(call: Call) -> Result:
    """Return the object."""
    return await read_object(call)
