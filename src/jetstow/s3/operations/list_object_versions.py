"""ListObjectVersions: a page of the versions of objects; each object has one, `null`."""

from __future__ import annotations

from jetstow.s3.call import Call
from jetstow.s3.entries import object_element, owner_elements, prefix_elements
from jetstow.s3.errors import S3Error
from jetstow.s3.listing import list_page, parse_page_query
from jetstow.s3.result import Result
from jetstow.s3.versions import NULL_VERSION
from jetstow.s3.xml.writing import document, text


async def list_object_versions(call: Call) -> Result:
    """Return the objects and common prefixes after a key and its version."""
    parameters = call.request.query
    query = parse_page_query(parameters)
    marker, version = parameters.get("key-marker", ""), parameters.get("version-id-marker", "")
    _check_version_marker(marker, version)
    page = await list_page(call, query, start_after=marker)
    next_version = None
    if page.next is not None and not (page.prefixes and page.prefixes[-1] == page.next):
        next_version = NULL_VERSION
    owner_of = owner_elements(call)
    version_fields = text("VersionId", NULL_VERSION) + text("IsLatest", True)
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
            *(
                object_element("Version", entry, query, version_fields + owner_of(entry))
                for entry in page.entries
            ),
            prefix_elements(page, query),
        )
    )


def _check_version_marker(marker: str, version: str) -> None:
    if version and not marker:
        message = "A version-id marker cannot be specified without a key marker."
        raise S3Error("InvalidArgument", message, ArgumentName="version-id-marker")
    if version not in ("", NULL_VERSION):
        message = "Invalid version id specified"
        raise S3Error("InvalidArgument", message, ArgumentName="version-id-marker")
