"""ListMultipartUploads: the uploads to a bucket that are not complete."""

from __future__ import annotations

from collections.abc import Callable

from jetstow.s3.arguments import parse_count, parse_encoding_type
from jetstow.s3.call import Call
from jetstow.s3.multipart.model import Upload
from jetstow.s3.multipart.uploads import created_time
from jetstow.s3.objects import STORAGE_CLASS
from jetstow.s3.operations.list_parts import checksum_elements, uploader_elements
from jetstow.s3.result import Result
from jetstow.s3.xml.writing import document, element, text, url_encoded

_PAGE = 1000


async def list_multipart_uploads(call: Call) -> Result:
    """Return a page of the uploads, by key, then by age. Keys with a delimiter are grouped."""
    query = call.request.query
    limit = parse_count(query, "max-uploads", default=_PAGE, maximum=_PAGE)
    encodes = parse_encoding_type(query)
    encoded: Callable[[str], str] = url_encoded if encodes else str
    prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
    marker, id_marker = query.get("key-marker", ""), query.get("upload-id-marker", "")
    uploads = await call.uploads.records.list(call.bucket.store.bucket)
    created = created_time(call.bucket)
    uploads = [each for each in uploads if each.created == created and each.key.startswith(prefix)]
    entries: list[tuple[str, Upload | None]] = []
    more = False
    for upload in sorted(uploads, key=lambda each: (each.key, each.id)):
        name, entry = _entry(upload, prefix, delimiter)
        if _is_before(name, entry, marker, id_marker if marker else ""):
            continue
        if entries and entry is None and entries[-1] == (name, None):
            continue
        if len(entries) == limit:
            more = limit > 0
            break
        entries.append((name, entry))
    last_name, last = entries[-1] if entries else ("", None)
    return Result(
        xml=document(
            "ListMultipartUploadsResult",
            text("Bucket", call.bucket.name),
            text("KeyMarker", encoded(marker)),
            text("UploadIdMarker", id_marker),
            text("NextKeyMarker", encoded(last_name)) if more else "",
            text("NextUploadIdMarker", last.id if last is not None else "") if more else "",
            text("Prefix", encoded(prefix)),
            text("Delimiter", encoded(delimiter)) if delimiter else "",
            text("EncodingType", "url") if encodes else "",
            text("MaxUploads", limit),
            text("IsTruncated", more),
            *(_upload_element(call, each, encoded(name)) for name, each in entries if each),
            *(
                element("CommonPrefixes", text("Prefix", encoded(name)))
                for name, each in entries
                if each is None
            ),
        )
    )


def _entry(upload: Upload, prefix: str, delimiter: str) -> tuple[str, Upload | None]:
    """Return what an upload is listed as: itself, or the common prefix of its key."""
    end = upload.key.find(delimiter, len(prefix)) if delimiter else -1
    return (upload.key, upload) if end < 0 else (upload.key[: end + len(delimiter)], None)


def _is_before(name: str, upload: Upload | None, marker: str, id_marker: str) -> bool:
    """Return whether an entry is on a page before the one that begins after the markers."""
    if upload is None or not id_marker or name != marker:
        return bool(marker) and name <= marker
    return upload.id <= id_marker


def _upload_element(call: Call, upload: Upload, key: str) -> str:
    return element(
        "Upload",
        text("Key", key),
        text("UploadId", upload.id),
        uploader_elements(call, upload),
        text("StorageClass", STORAGE_CLASS),
        text("Initiated", upload.initiated),
        checksum_elements(upload),
    )
