"""GetObjectAttributes: ETag, checksum, size and parts of an object, as the request asks for."""

from __future__ import annotations

from typing import Final

from jetstow.http.dates import format_date
from jetstow.models import ObjectInfo
from jetstow.s3 import objects
from jetstow.s3.acl import Permission
from jetstow.s3.arguments import parse_count
from jetstow.s3.call import Call
from jetstow.s3.errors import S3Error
from jetstow.s3.multipart.table import PartTable, part_table
from jetstow.s3.result import Result
from jetstow.s3.versions import read_headers
from jetstow.s3.xml.writing import document, element, text

_HEADER: Final = "x-amz-object-attributes"
_MAX_PARTS: Final = "x-amz-max-parts"
_MARKER: Final = "x-amz-part-number-marker"
_PAGE: Final = 1000
_NAMES: Final = frozenset({"ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"})


async def get_object_attributes(call: Call) -> Result:
    """Return the attributes."""
    version, names = call.version, _parse_names(call)
    async with await call.open_object(call.bucket, call.key, version) as reader:
        info = reader.info
    call.check_object(call.bucket, info, Permission.READ)
    modified = objects.modified_time(info)
    headers = {} if modified is None else {"last-modified": format_date(modified)}
    headers |= call.bucket.key_headers | read_headers(call.bucket, info)
    return Result(
        headers=headers,
        xml=document(
            "GetObjectAttributesResponse",
            text("ETag", objects.etag(info).strip('"')) if "ETag" in names else "",
            _checksum_element(info) if "Checksum" in names else "",
            _parts_element(call, info) if "ObjectParts" in names else "",
            text("StorageClass", objects.STORAGE_CLASS) if "StorageClass" in names else "",
            text("ObjectSize", info.size or 0) if "ObjectSize" in names else "",
        ),
    )


def _parse_names(call: Call) -> set[str]:
    value = call.request.header(_HEADER)
    names = {name.strip() for name in (value or "").split(",")} - {""}
    if not names:
        raise S3Error("InvalidRequest", f"Missing required header for this request: {_HEADER}")
    if names - _NAMES:
        message = "Invalid attribute name specified."
        raise S3Error("InvalidArgument", message, ArgumentName=_HEADER, ArgumentValue=value)
    return names


def _checksum_element(info: ObjectInfo) -> str:
    checksum = objects.checksum(info)
    return "" if checksum is None else element("Checksum", checksum.elements)


def _parts_element(call: Call, info: ObjectInfo) -> str:
    """Return a page of the parts; nothing if the object was not uploaded in parts."""
    table = part_table(info)
    if table is None:
        return ""
    headers = call.request.headers
    limit = parse_count(headers, _MAX_PARTS, default=_PAGE, maximum=_PAGE)
    marker = parse_count(headers, _MARKER, default=0, maximum=table.count)
    page = range(marker + 1, min(marker + limit, table.count) + 1)
    return element(
        "ObjectParts",
        text("PartsCount", table.count),
        text("PartNumberMarker", marker),
        text("NextPartNumberMarker", page[-1] if page else marker),
        text("MaxParts", limit),
        text("IsTruncated", bool(page) and page[-1] < table.count),
        *(_part_element(table, number) for number in page),
    )


def _part_element(table: PartTable, number: int) -> str:
    checksum = table.checksum(number)
    return element(
        "Part",
        text("PartNumber", number),
        text("Size", table.sizes[number - 1]),
        "" if checksum is None else checksum.element,
    )
