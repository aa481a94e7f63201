"""What a request gives a new object besides its bytes."""

from __future__ import annotations

from jetstow.s3.call import Call
from jetstow.s3.object_lock import new_lock
from jetstow.s3.objects import Attributes, parse_headers, tag_entries
from jetstow.s3.ownership import new_object_entries
from jetstow.s3.tags import TAGGING, parse_tag_header
from jetstow.s3.website.redirect_header import redirect_entries


def parse_attributes(call: Call) -> Attributes:
    """Return the attributes that the headers of a PUT, a copy or a new upload describe.

    Raises: `S3Error` (InvalidTag, and what `parse_headers` and `new_object_entries` raise).
    """
    headers = call.request.headers
    attributes = parse_headers(headers)
    attributes.reserved = tag_entries(parse_tag_header(headers.get(TAGGING, "")))
    attributes.reserved |= new_object_entries(
        call.bucket, call.identity, headers, call.services.keys
    )
    attributes.reserved |= redirect_entries(headers)
    attributes.retention, attributes.legal_hold = new_lock(call.bucket, headers, call.now)
    return attributes
