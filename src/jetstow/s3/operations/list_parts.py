"""ListParts: the parts of an upload so far."""

from __future__ import annotations

from jetstow.s3.arguments import parse_count
from jetstow.s3.call import Call
from jetstow.s3.multipart.model import MAX_PARTS, Part, Upload
from jetstow.s3.objects import STORAGE_CLASS
from jetstow.s3.ownership import object_owner
from jetstow.s3.reserved import OWNER
from jetstow.s3.result import Result
from jetstow.s3.xml.writing import document, element, text

_PAGE = 1000


async def list_parts(call: Call) -> Result:
    """Return a page of the parts, by number."""
    query = call.request.query
    limit = parse_count(query, "max-parts", default=_PAGE, maximum=_PAGE)
    marker = parse_count(query, "part-number-marker", default=0, maximum=MAX_PARTS)
    upload, _ = await call.uploads.find(call.bucket, call.key, query["uploadId"])
    found = await call.uploads.records.parts(upload, after=marker, limit=limit + 1)
    page = list(found.values())[:limit]
    is_truncated = len(page) < len(found) and limit > 0
    return Result(
        xml=document(
            "ListPartsResult",
            text("Bucket", call.bucket.name),
            text("Key", call.key),
            text("UploadId", upload.id),
            uploader_elements(call, upload),
            text("StorageClass", STORAGE_CLASS),
            text("PartNumberMarker", marker),
            text("NextPartNumberMarker", page[-1].number if page else None),
            text("MaxParts", limit),
            text("IsTruncated", is_truncated),
            checksum_elements(upload),
            *(_part_element(upload, part) for part in page),
        )
    )


def uploader_elements(call: Call, upload: Upload) -> str:
    """Return the elements of the initiator of an upload, and of the owner of its object."""
    owner = object_owner(call.bucket, upload.attributes.reserved.get(OWNER), upload.owner)
    initiator = _user_elements(call, upload.owner)
    return element("Initiator", initiator) + element("Owner", _user_elements(call, owner))


def _user_elements(call: Call, user: str) -> str:
    return text("ID", user) + text("DisplayName", call.services.keys.display_name(user))


def checksum_elements(upload: Upload) -> str:
    """Return the elements of the checksum that an upload was created with."""
    if not upload.algorithm:
        return ""
    kind = text("ChecksumType", upload.checksum_type)
    return text("ChecksumAlgorithm", upload.algorithm) + kind


def _part_element(upload: Upload, part: Part) -> str:
    checksum = part.checksum(upload.algorithm)
    return element(
        "Part",
        text("PartNumber", part.number),
        text("LastModified", part.modified),
        text("ETag", f'"{part.etag}"'),
        text("Size", part.size),
        "" if checksum is None else checksum.element,
    )
