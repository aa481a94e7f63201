"""PutBucketVersioning: enable or suspend the versions of a bucket."""

from __future__ import annotations

from jetstow.s3.call import Call
from jetstow.s3.errors import S3Error
from jetstow.s3.result import Result
from jetstow.s3.xml.parsing import parse_xml


async def put_bucket_versioning(call: Call) -> Result:
    """Enable or suspend versions."""
    root = parse_xml(await call.payload.read_document(), "VersioningConfiguration")
    status = root.value("Status")
    if status not in ("Enabled", "Suspended"):
        raise S3Error("MalformedXML", "Status must be Enabled or Suspended.")
    if root.value("MfaDelete") == "Enabled":
        raise S3Error("NotImplemented", "MfaDelete is not implemented.")
    if status == "Enabled" and call.bucket.status.ttl:
        message = "The NATS bucket has a TTL: its objects would expire as versions, too."
        raise S3Error("InvalidBucketState", message, BucketName=call.bucket.name)
    await call.buckets.set_versioning(call.bucket, is_enabled=status == "Enabled")
    return Result()
