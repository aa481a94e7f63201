"""ListObjectsV2: a page of the objects of a bucket."""

from __future__ import annotations

from jetstow import IndexEntry
from jetstow.s3.call import Call
from jetstow.s3.entries import object_element, owner_elements, prefix_elements
from jetstow.s3.errors import S3Error
from jetstow.s3.listing import list_page, parse_page_query
from jetstow.s3.result import Result
from jetstow.s3.tokens import decode_token, encode_token
from jetstow.s3.xml.writing import document, text


async def list_objects_v2(call: Call) -> Result:
    """Return the objects and common prefixes after a name or a continuation token."""
    parameters = call.request.query
    if (version := parameters["list-type"]) != "2":
        raise S3Error("InvalidArgument", ArgumentName="list-type", ArgumentValue=version)
    query = parse_page_query(parameters)
    token, start_after = parameters.get("continuation-token"), parameters.get("start-after")
    page = await list_page(call, query, start_after=decode_token(token) or start_after or "")
    owner_of = owner_elements(call) if parameters.get("fetch-owner") == "true" else _no_owner
    return Result(
        xml=document(
            "ListBucketResult",
            text("Name", call.bucket.name),
            text("Prefix", query.encode(query.prefix)),
            text("Delimiter", query.encode(query.delimiter) or None),
            text("MaxKeys", query.max_keys),
            text("EncodingType", "url" if query.is_encoded else None),
            text("KeyCount", len(page.entries) + len(page.prefixes)),
            text("IsTruncated", page.next is not None),
            text("ContinuationToken", token),
            text("NextContinuationToken", page.next and encode_token(page.next)),
            text("StartAfter", None if start_after is None else query.encode(start_after)),
            *(object_element("Contents", entry, query, owner_of(entry)) for entry in page.entries),
            prefix_elements(page.prefixes, query),
        )
    )


def _no_owner(entry: IndexEntry) -> str:  # noqa: ARG001
    return ""
