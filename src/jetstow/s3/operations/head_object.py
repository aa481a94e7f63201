"""HeadObject: the headers of an object."""

from __future__ import annotations

from jetstow.s3.call import Call
from jetstow.s3.reads import read_object
from jetstow.s3.result import Result


async def head_object(call: Call) -> Result:
    """Return the headers that GetObject returns."""
    return await read_object(call)
