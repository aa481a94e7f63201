"""ListObjects, the first version: a page of the objects of a bucket after a marker."""

from __future__ import annotations

from jetstow.s3.call import Call
from jetstow.s3.entries import object_element, owner_elements, prefix_elements
from jetstow.s3.listing import list_page, parse_page_query
from jetstow.s3.result import Result
from jetstow.s3.xml.writing import document, text


async def list_objects(call: Call) -> Result:
    """Return the objects and common prefixes after the marker.

    NextMarker is part of a response with a delimiter only. Without one, clients continue after
    the last key.
    """
    query = parse_page_query(call.request.query)
    marker = call.request.query.get("marker", "")
    page = await list_page(call, query, start_after=marker)
    has_next = query.delimiter and page.next is not None
    owner_of = owner_elements(call)
    return Result(
        xml=document(
            "ListBucketResult",
            text("Name", call.bucket.name),
            text("Prefix", query.echoed_prefix),
            text("Marker", query.encode(marker)),
            text("NextMarker", query.encode(page.next or "") if has_next else None),
            text("Delimiter", query.encode(query.delimiter) or None),
            text("MaxKeys", query.max_keys),
            text("EncodingType", "url" if query.is_encoded else None),
            text("IsTruncated", page.next is not None),
            *(object_element("Contents", entry, query, owner_of(entry)) for entry in page.entries),
            prefix_elements(page.prefixes, query),
        )
    )
