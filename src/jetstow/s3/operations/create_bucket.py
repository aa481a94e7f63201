"""CreateBucket: a NATS bucket with its owner and location."""

from __future__ import annotations

from jetstow.s3.buckets import DEFAULT_REGION, LOCATION, OWNER
from jetstow.s3.call import Call
from jetstow.s3.errors import S3Error
from jetstow.s3.result import Result
from jetstow.s3.xml.parsing import parse_xml


async def create_bucket(call: Call) -> Result:
    """Create a bucket. To create one's own bucket again is not an error."""
    if call.identity.key is None:
        raise S3Error("AccessDenied")
    name, owner = call.request.bucket, call.identity.key.owner
    location = await _location(call)
    headers = {"location": f"/{name}"}
    try:
        existing = await call.buckets.open(name)
    except S3Error as error:
        if error.code != "NoSuchBucket":
            raise
    else:
        if existing.owner != owner:
            raise S3Error("BucketAlreadyExists", BucketName=name)
        return Result(headers=headers)
    settings = {OWNER: owner}
    if location:
        settings[LOCATION] = location
    await call.buckets.create(name, settings)
    return Result(headers=headers)


async def _location(call: Call) -> str:
    """Return the location constraint of the body, or an empty string."""
    body = await call.payload.read_document()
    if not body:
        return ""
    root = parse_xml(body, "CreateBucketConfiguration")
    for child in root.children():
        if child.name != "LocationConstraint":
            raise S3Error("NotImplemented", f"{child.name} is not implemented.")
    location = root.value("LocationConstraint") or ""
    if len(location) > 128 or not location.isprintable():
        raise S3Error("InvalidLocationConstraint", LocationConstraint=location)
    return "" if location == DEFAULT_REGION else location
