"""CreateMultipartUpload: begin an upload in parts."""

from __future__ import annotations

from jetstow.s3.body.checksums import ALGORITHMS
from jetstow.s3.call import Call
from jetstow.s3.errors import S3Error
from jetstow.s3.multipart.completion import TYPE_HEADER
from jetstow.s3.multipart.model import Upload, now
from jetstow.s3.multipart.uploads import created_time, new_upload_id
from jetstow.s3.new_object import parse_attributes
from jetstow.s3.result import Result
from jetstow.s3.xml.writing import document, text

ALGORITHM_HEADER = "x-amz-checksum-algorithm"


async def create_multipart_upload(call: Call) -> Result:
    """Record the upload, and return its id."""
    algorithm, kind = _parse_checksum(call)
    upload_id, key = new_upload_id(), call.bucket.customer_key
    upload = Upload(
        id=upload_id,
        bucket=call.bucket.store.bucket,
        created=created_time(call.bucket),
        key=call.key,
        initiated=now(),
        owner=call.owner,
        attributes=parse_attributes(call),
        algorithm=algorithm,
        checksum_type=kind,
        key_check="" if key is None else key.sign(upload_id),
    )
    if key is not None:
        call.uploads.keys.add(upload_id, key)
    await call.uploads.records.create(upload, call.buckets.least_replicas(call.bucket))
    headers = {ALGORITHM_HEADER: algorithm, TYPE_HEADER: kind} if algorithm else {}
    return Result(
        headers=headers | call.bucket.key_headers,
        xml=document(
            "InitiateMultipartUploadResult",
            text("Bucket", call.bucket.name),
            text("Key", call.key),
            text("UploadId", upload.id),
        ),
    )


def _parse_checksum(call: Call) -> tuple[str, str]:
    """Return algorithm and type of the object's checksum; empty if the request has none.

    Raises: `S3Error` (InvalidRequest).
    """
    name = (call.request.header(ALGORITHM_HEADER) or "").upper()
    kind = (call.request.header(TYPE_HEADER) or "").upper()
    if not name:
        if kind:
            message = f"The {TYPE_HEADER} header can only be used with {ALGORITHM_HEADER}."
            raise S3Error("InvalidRequest", message)
        return "", ""
    if name not in ALGORITHMS:
        raise S3Error("InvalidRequest", "Checksum algorithm provided is unsupported.")
    is_crc64 = name == "CRC64NVME"
    kind = kind or ("FULL_OBJECT" if is_crc64 else "COMPOSITE")
    if kind not in ("FULL_OBJECT", "COMPOSITE"):
        raise S3Error("InvalidRequest", f"Value for {TYPE_HEADER} header is invalid.")
    # Only CRCs of parts can be combined to that of all bytes, and CRC64NVME has no other form.
    fits = ALGORITHMS[name].combine is not None if kind == "FULL_OBJECT" else not is_crc64
    if not fits:
        message = f"The {kind} checksum type cannot be used with the {name} checksum algorithm."
        raise S3Error("InvalidRequest", message)
    return name, kind
