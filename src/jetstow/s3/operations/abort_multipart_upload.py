"""AbortMultipartUpload: remove an upload and its parts."""

from __future__ import annotations

from typing import Final

from jetstow.http.dates import parse_date
from jetstow.s3.call import Call
from jetstow.s3.conditions import failed
from jetstow.s3.result import Result, no_content

_MATCH_TIME: Final = "x-amz-if-match-initiated-time"


async def abort_multipart_upload(call: Call) -> Result:
    """Remove the upload. An upload that is complete has no record: its object stays."""
    upload_id = call.request.query["uploadId"]
    if (time := call.request.header(_MATCH_TIME)) is not None:
        upload, _ = await call.uploads.find(call.bucket, call.key, upload_id)
        if parse_date(time) != upload.initiated.replace(microsecond=0):
            raise failed(_MATCH_TIME)
    await call.uploads.abort(call.bucket, call.key, upload_id)
    return no_content()
