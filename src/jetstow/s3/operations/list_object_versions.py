"""ListObjectVersions: a page of the versions of objects, and of delete markers."""

from __future__ import annotations

from collections.abc import Callable

from jetstow import IndexEntry
from jetstow._core.protocol.versions import NULL_VERSION
from jetstow.s3.call import Call
from jetstow.s3.entries import object_element, owner_elements, prefix_elements
from jetstow.s3.errors import S3Error
from jetstow.s3.listing import PageQuery, list_versions, parse_page_query
from jetstow.s3.result import Result
from jetstow.s3.xml.writing import document, format_nanoseconds, text


async def list_object_versions(call: Call) -> Result:
    """Return the versions and common prefixes after a key and its version."""
    parameters = call.request.query
    query = parse_page_query(parameters)
    marker, version = parameters.get("key-marker", ""), parameters.get("version-id-marker", "")
    if version and not marker:
        message = "A version-id marker cannot be specified without a key marker."
        raise S3Error("InvalidArgument", message, ArgumentName="version-id-marker")
    has_versions = call.bucket.status.versioning is not None
    if not has_versions and version not in ("", NULL_VERSION):
        message = "Invalid version id specified"
        raise S3Error("InvalidArgument", message, ArgumentName="version-id-marker")
    after_version = version if has_versions and version else None
    page = await list_versions(call, query, start_after=marker, after_version=after_version)
    next_version = None
    if page.next is not None and page.next_version is not None:
        next_version = page.next_version or NULL_VERSION
    owner_of = owner_elements(call)
    return Result(
        xml=document(
            "ListVersionsResult",
            text("Name", call.bucket.name),
            text("Prefix", query.encode(query.prefix)),
            text("KeyMarker", query.encode(marker)),
            text("VersionIdMarker", version),
            text("NextKeyMarker", page.next and query.encode(page.next)),
            text("NextVersionIdMarker", next_version),
            text("Delimiter", query.encode(query.delimiter) or None),
            text("MaxKeys", query.max_keys),
            text("EncodingType", "url" if query.is_encoded else None),
            text("IsTruncated", page.next is not None),
            *(_element(entry, query, owner_of) for entry in page.entries),
            prefix_elements(page.prefixes, query),
        )
    )


def _element(entry: IndexEntry, query: PageQuery, owner_of: Callable[[IndexEntry], str]) -> str:
    """Return the element of one version, or of a delete marker."""
    fields = text("VersionId", entry.version or NULL_VERSION)
    fields += text("IsLatest", not entry.is_kept) + owner_of(entry)
    if not entry.is_marker:
        return object_element("Version", entry, query, fields)
    time = format_nanoseconds(entry.time)
    return (
        f"<DeleteMarker><Key>{query.text(entry.name)}</Key>"
        f"<LastModified>{time}</LastModified>{fields}</DeleteMarker>"
    )
