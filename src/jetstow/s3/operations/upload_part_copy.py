"""UploadPartCopy: store a part of an upload from an object, or from a range of one."""

from __future__ import annotations

import re
from typing import Final

from jetstow import ObjectReader
from jetstow.s3.call import Call
from jetstow.s3.errors import S3Error
from jetstow.s3.keep_alive import keep_alive
from jetstow.s3.multipart.arguments import parse_part_number
from jetstow.s3.multipart.model import MAX_PART_SIZE, Upload
from jetstow.s3.multipart.sources import CopySource
from jetstow.s3.result import Result
from jetstow.s3.sources import COPY_SOURCE, open_copy_source, parse_copy_source
from jetstow.s3.xml.writing import document, text

RANGE: Final = f"{COPY_SOURCE}-range"
_RANGE: Final = re.compile(r"bytes=(\d{1,15})-(\d{1,15})")


async def upload_part_copy(call: Call) -> Result:
    """Copy the part. A long copy sends white space."""
    number = parse_part_number(call.request.query)
    source = parse_copy_source(call.request.headers[COPY_SOURCE])
    upload, _ = await call.uploads.find(call.bucket, call.key, call.request.query["uploadId"])
    reader = await open_copy_source(call, source)
    try:
        start, length = _parse_range(call.request.header(RANGE), reader.info.size or 0)
    except S3Error:
        await reader.close()
        raise
    result = await keep_alive(call, _copy(call, upload, number, reader, start, length))
    result.headers |= call.bucket.key_headers
    return result


async def _copy(
    call: Call, upload: Upload, number: int, reader: ObjectReader, start: int, length: int
) -> str:
    async with reader:
        source = CopySource(reader.stream(start, length), upload.final_algorithm)
        part = await call.uploads.store_part(call.bucket, upload, number, source)
    checksum = part.checksum(upload.algorithm)
    return document(
        "CopyPartResult",
        text("LastModified", part.modified),
        text("ETag", f'"{part.etag}"'),
        "" if checksum is None else checksum.element,
    )


def _parse_range(value: str | None, size: int) -> tuple[int, int]:
    """Return start and length of the bytes to copy.

    Raises: `S3Error` (InvalidArgument, InvalidRange, EntityTooLarge).
    """
    start, length = 0, size
    if value is not None:
        match = _RANGE.fullmatch(value)
        if match is None or int(match[2]) < int(match[1]):
            message = (
                "The x-amz-copy-source-range value must be of the form bytes=first-last where "
                "first and last are the zero-based offsets of the first and last bytes to copy"
            )
            raise S3Error("InvalidArgument", message, ArgumentName=RANGE, ArgumentValue=value)
        start, length = int(match[1]), int(match[2]) - int(match[1]) + 1
        if start + length > size:
            message = f"Range specified is not valid for source object of size: {size}"
            raise S3Error("InvalidRange", message)
    if length > MAX_PART_SIZE:
        raise S3Error("EntityTooLarge", ProposedSize=length, MaxSizeAllowed=MAX_PART_SIZE)
    return start, length
