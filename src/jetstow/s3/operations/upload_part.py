"""UploadPart: store a part of an upload."""

from __future__ import annotations

from jetstow.s3.body.checksums import ALGORITHMS
from jetstow.s3.call import Call
from jetstow.s3.errors import S3Error
from jetstow.s3.multipart.arguments import parse_part_number
from jetstow.s3.multipart.model import MAX_PART_SIZE
from jetstow.s3.multipart.sources import BodySource
from jetstow.s3.result import Result


async def upload_part(call: Call) -> Result:
    """Store the part. It may be sent again: the last attempt to finish counts."""
    number = parse_part_number(call.request.query)
    payload = call.payload
    payload.require_length()
    if (payload.size or 0) > MAX_PART_SIZE:
        raise S3Error("EntityTooLarge", ProposedSize=payload.size, MaxSizeAllowed=MAX_PART_SIZE)
    upload, _ = await call.uploads.find(call.bucket, call.key, call.request.query["uploadId"])
    declared = payload.declared_algorithm
    if upload.algorithm and declared is not None and declared.name != upload.algorithm:
        message = (
            f"Checksum Type mismatch occurred, expected checksum Type: {upload.algorithm.lower()}, "
            f"actual checksum Type: {declared.name.lower()}"
        )
        raise S3Error("InvalidRequest", message)
    source = BodySource(payload, upload.final_algorithm)
    # The client sends the first bytes while the part waits for its turn.
    await payload.raw.begin()
    part = await call.uploads.store_part(call.bucket, upload, number, source)
    headers = {"etag": f'"{part.etag}"'}
    name = upload.algorithm or (declared.name if declared is not None else "")
    if name and name in part.sums:
        headers[ALGORITHMS[name].header] = part.sums[name]
    elif payload.checksum is not None:
        headers |= payload.checksum.headers
    return Result(headers=headers | call.bucket.key_headers)
