"""The operations on multipart uploads, in the route table."""

from __future__ import annotations

from typing import Final

from jetstow.s3.access import Access
from jetstow.s3.operations.abort_multipart_upload import abort_multipart_upload
from jetstow.s3.operations.complete_multipart_upload import complete_multipart_upload
from jetstow.s3.operations.create_multipart_upload import create_multipart_upload
from jetstow.s3.operations.list_multipart_uploads import list_multipart_uploads
from jetstow.s3.operations.list_parts import list_parts
from jetstow.s3.operations.upload_part import upload_part
from jetstow.s3.operations.upload_part_copy import upload_part_copy
from jetstow.s3.route import BUCKET, OBJECT, Route
from jetstow.s3.sources import COPY_SOURCE

_READ, _WRITE = Access.READ, Access.WRITE
_ALL: Final = "uploads"
_ONE: Final = "uploadId"
_PART: Final = (_ONE, "partNumber")

MULTIPART_ROUTES: Final = (
    Route("ListMultipartUploads", "GET", BUCKET, list_multipart_uploads, _READ, _ALL),
    Route("CreateMultipartUpload", "POST", OBJECT, create_multipart_upload, _WRITE, _ALL),
    Route("ListParts", "GET", OBJECT, list_parts, _READ, _ONE),
    Route(
        "UploadPartCopy", "PUT", OBJECT, upload_part_copy, _WRITE, _ONE, COPY_SOURCE, accepts=_PART
    ),
    Route("UploadPart", "PUT", OBJECT, upload_part, _WRITE, _ONE, accepts=_PART),
    Route("CompleteMultipartUpload", "POST", OBJECT, complete_multipart_upload, _WRITE, _ONE),
    Route("AbortMultipartUpload", "DELETE", OBJECT, abort_multipart_upload, _WRITE, _ONE),
)
