"""AbortMultipartUpload: remove an upload and its parts."""

from __future__ import annotations

from jetstow.s3.call import Call
from jetstow.s3.result import Result, no_content


async def abort_multipart_upload(call: Call) -> Result:
    """Remove the upload. An upload that is complete has no record: its object stays."""
    await call.uploads.abort(call.bucket, call.key, call.request.query["uploadId"])
    return no_content()
