"""ListObjectsV2: a page of the objects of a bucket."""

from __future__ import annotations

from jetstow.models import ObjectInfo
from jetstow.s3 import objects
from jetstow.s3.arguments import parse_count, parse_encoding_type
from jetstow.s3.call import Call
from jetstow.s3.errors import S3Error
from jetstow.s3.listing import MAX_KEYS, list_page
from jetstow.s3.result import Result
from jetstow.s3.tokens import decode_token, encode_token
from jetstow.s3.xml.writing import document, element, text, url_encoded


async def list_objects_v2(call: Call) -> Result:
    """Return the objects and common prefixes after a name or a continuation token."""
    query = call.request.query
    if query["list-type"] != "2":
        raise S3Error("InvalidArgument", ArgumentName="list-type", ArgumentValue=query["list-type"])
    max_keys = parse_count(query, "max-keys", default=MAX_KEYS, maximum=MAX_KEYS)
    is_encoded = parse_encoding_type(query)
    token, start_after = query.get("continuation-token"), query.get("start-after", "")
    if token == "":
        raise S3Error("InvalidArgument", "The continuation token provided is incorrect")
    prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
    page = await list_page(
        call.bucket, prefix=prefix, delimiter=delimiter,
        start_after=decode_token(token) or start_after, max_keys=max_keys,
    )  # fmt: skip
    encoded = url_encoded if is_encoded else str
    owner = owner_element(call) if query.get("fetch-owner") == "true" else ""
    return Result(
        xml=document(
            "ListBucketResult",
            text("Name", call.bucket.name),
            text("Prefix", encoded(prefix)),
            text("Delimiter", encoded(delimiter) if delimiter else None),
            text("MaxKeys", max_keys),
            text("EncodingType", "url" if is_encoded else None),
            text("KeyCount", page.count),
            text("IsTruncated", page.last is not None),
            text("ContinuationToken", token),
            text("NextContinuationToken", page.last and encode_token(page.last)),
            text("StartAfter", encoded(start_after) if start_after else None),
            *(contents_element(info, encoded(info.name), owner) for info in page.objects),
            *(element("CommonPrefixes", text("Prefix", encoded(name))) for name in page.prefixes),
        )
    )


def contents_element(info: ObjectInfo, key: str, owner: str) -> str:
    """Return the element of one object. `key` is encoded as the request wants it."""
    checksum = objects.checksum(info)
    return element(
        "Contents",
        text("Key", key),
        text("LastModified", info.modified),
        text("ETag", objects.etag(info)),
        ""
        if checksum is None
        else text("ChecksumAlgorithm", checksum.algorithm) + text("ChecksumType", checksum.kind),
        text("Size", info.size or 0),
        owner,
        text("StorageClass", "STANDARD"),
    )


def owner_element(call: Call) -> str:
    """Return the owner of the bucket, which is that of its objects."""
    owner = call.bucket.owner or call.identity.owner or ""
    name = call.services.keys.display_name(owner)
    return element("Owner", text("ID", owner), text("DisplayName", name))
