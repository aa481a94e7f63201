"""ListBuckets: the buckets of the caller, and those of other NATS clients."""

from __future__ import annotations

from jetstow.s3.access import owns_bucket
from jetstow.s3.acl_requests import owner_element
from jetstow.s3.arguments import parse_count
from jetstow.s3.call import Call
from jetstow.s3.errors import S3Error
from jetstow.s3.result import Result
from jetstow.s3.tokens import decode_token, encode_token
from jetstow.s3.xml.writing import document, element, text

_MAX_BUCKETS = 10_000


async def list_buckets(call: Call) -> Result:
    """Return a page of the caller's buckets, sorted by name."""
    if call.identity.key is None and not call.services.public_acls:
        raise S3Error("AccessDenied")
    query = call.request.query
    limit = parse_count(query, "max-buckets", default=_MAX_BUCKETS, maximum=_MAX_BUCKETS, minimum=1)
    prefix, region = query.get("prefix", ""), query.get("bucket-region")
    after = decode_token(query.get("continuation-token"))
    visible = [
        bucket
        for bucket in await call.buckets.list()
        if bucket.name.startswith(prefix)
        and bucket.name > after
        and region in (None, "", bucket.region)
        and owns_bucket(call.identity, bucket)
    ]
    page = visible[:limit]
    token = encode_token(page[-1].name) if page and len(page) < len(visible) else None
    entries = (
        element(
            "Bucket",
            text("Name", bucket.name),
            text("CreationDate", bucket.status.created),
            text("BucketRegion", bucket.region),
        )
        for bucket in page
    )
    return Result(
        xml=document(
            "ListAllMyBucketsResult",
            owner_element(call.identity.owner or "anonymous", call.services.keys),
            element("Buckets", *entries),
            text("Prefix", query.get("prefix")),
            text("ContinuationToken", token),
        )
    )
