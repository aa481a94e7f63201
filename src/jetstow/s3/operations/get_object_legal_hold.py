"""GetObjectLegalHold: whether a version of an object has a legal hold."""

from __future__ import annotations

from jetstow.s3.call import Call
from jetstow.s3.object_lock import check_object_lock
from jetstow.s3.result import Result
from jetstow.s3.versions import find_version
from jetstow.s3.xml.writing import document, text


async def get_object_legal_hold(call: Call) -> Result:
    """Return the status, which is OFF if none was ever set."""
    check_object_lock(call.bucket)
    info = await find_version(call.bucket, call.key, call.version)
    return Result(xml=document("LegalHold", text("Status", "ON" if info.legal_hold else "OFF")))
