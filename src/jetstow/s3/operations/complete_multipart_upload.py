"""CompleteMultipartUpload: the parts of an upload become an object."""

from __future__ import annotations

from collections.abc import Sequence

from jetstow.models import ObjectInfo
from jetstow.s3 import objects
from jetstow.s3.call import Call
from jetstow.s3.conditions import find_info, put_conditions
from jetstow.s3.errors import S3Error
from jetstow.s3.keep_alive import keep_alive
from jetstow.s3.multipart.completion import Wanted, parse_parts
from jetstow.s3.multipart.finish import finish_upload
from jetstow.s3.multipart.table import upload_of
from jetstow.s3.result import Result
from jetstow.s3.versions import new_headers
from jetstow.s3.xml.writing import document, text


async def complete_multipart_upload(call: Call) -> Result:
    """Complete the object. A request that is repeated has the same response."""
    wanted = parse_parts(await call.payload.read_document())
    headers: dict[str, str] = {}
    result = await keep_alive(call, _complete(call, wanted, headers))
    result.headers |= headers
    return result


async def _complete(call: Call, wanted: Sequence[Wanted], headers: dict[str, str]) -> str:
    upload_id = call.request.query["uploadId"]
    conditions = put_conditions(call.request.headers)
    try:
        info = await finish_upload(call, upload_id, wanted, conditions)
    except S3Error as error:
        if error.code != "NoSuchUpload":
            raise
        finished = await find_info(call.bucket.store, call.key)
        if finished is None or upload_of(finished) != upload_id:
            raise
        info = finished
    headers |= new_headers(call.bucket, info)
    return _document(call, info)


def _document(call: Call, info: ObjectInfo) -> str:
    checksum = objects.checksum(info)
    return document(
        "CompleteMultipartUploadResult",
        text("Location", call.request.url_of(call.key)),
        text("Bucket", call.bucket.name),
        text("Key", call.key),
        text("ETag", objects.etag(info)),
        "" if checksum is None else checksum.elements,
    )
