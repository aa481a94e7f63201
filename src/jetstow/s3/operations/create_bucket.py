"""CreateBucket: a NATS bucket with its owner, location, ACL, ownership and tags."""

from __future__ import annotations

from jetstow.s3.acl import private_acl
from jetstow.s3.acl_requests import parse_acl_headers
from jetstow.s3.buckets import DEFAULT_REGION
from jetstow.s3.call import Call
from jetstow.s3.errors import S3Error
from jetstow.s3.object_lock import BUCKET_HEADER, ENABLED
from jetstow.s3.ownership import ENFORCED, OWNERSHIPS, acl_entries
from jetstow.s3.reserved import ACL, LOCATION, OBJECT_LOCK, OWNER, OWNERSHIP, TAGS
from jetstow.s3.result import Result
from jetstow.s3.tags import MAX_BUCKET_TAGS, format_tags, parse_tag_nodes
from jetstow.s3.xml.parsing import parse_xml

_OWNERSHIP = "x-amz-object-ownership"


async def create_bucket(call: Call) -> Result:
    """Create a bucket. To create one's own bucket again, with the same ACL, is not an error."""
    if call.identity.key is None:
        raise S3Error("AccessDenied")
    name, owner = call.request.bucket, call.identity.key.owner
    settings = {OWNER: owner} | _header_settings(call, owner) | await _body_settings(call)
    headers = {"location": f"/{name}"}
    try:
        existing = await call.buckets.open(name)
    except S3Error as error:
        if error.code != "NoSuchBucket":
            raise
    else:
        if existing.owner != owner or existing.settings.get(ACL) != settings.get(ACL):
            raise S3Error("BucketAlreadyExists", BucketName=name)
        same_region = settings.pop(LOCATION, DEFAULT_REGION) == existing.region
        if not same_region or not settings.items() <= existing.settings.items():
            raise S3Error("BucketAlreadyOwnedByYou", BucketName=name)
        return Result(headers=headers)
    await call.buckets.create(name, settings, versioned=OBJECT_LOCK in settings or None)
    return Result(headers=headers)


def _header_settings(call: Call, owner: str) -> dict[str, str]:
    """Return the ACL, the ownership and the object lock that the headers have."""
    headers = call.request.headers
    settings: dict[str, str] = {}
    acl = parse_acl_headers(headers, call.services.keys, owner, None)
    if acl is not None:
        settings |= acl_entries(owner, acl)
    if (ownership := headers.get(_OWNERSHIP)) is not None:
        if ownership not in OWNERSHIPS:
            raise S3Error("InvalidArgument", ArgumentName=_OWNERSHIP, ArgumentValue=ownership)
        if ownership == ENFORCED and acl not in (None, private_acl(owner)):
            raise S3Error("InvalidBucketAclWithObjectOwnership")
        settings[OWNERSHIP] = ownership
    if (headers.get(BUCKET_HEADER) or "").lower() == "true":
        settings[OBJECT_LOCK] = ENABLED
    return settings


async def _body_settings(call: Call) -> dict[str, str]:
    """Return the location constraint and the tags of the body."""
    body = await call.payload.read_document()
    if not body:
        return {}
    root = parse_xml(body, "CreateBucketConfiguration")
    for child in root.children():
        if child.name not in ("LocationConstraint", "Tags"):
            raise S3Error("NotImplemented", f"{child.name} is not implemented.")
    location = root.value("LocationConstraint") or ""
    if len(location) > 128 or not location.isprintable():
        raise S3Error("InvalidLocationConstraint", LocationConstraint=location)
    tags = root.child("Tags")
    settings: dict[str, str] = {}
    if location:
        settings[LOCATION] = location
    if tags is not None and (parsed := parse_tag_nodes(tags.children(), MAX_BUCKET_TAGS)):
        settings[TAGS] = format_tags(parsed)
    return settings
