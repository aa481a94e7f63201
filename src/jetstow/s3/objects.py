"""Objects of S3 as objects of a NATS bucket: ETags, checksums, headers and user metadata."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from jetstow import IndexEntry, Retention
from jetstow._core.protocol.digest import digests_equal
from jetstow.http import content_headers
from jetstow.http.dates import format_date
from jetstow.models import ObjectInfo, ObjectMeta
from jetstow.s3.body.checksums import Checksum
from jetstow.s3.errors import S3Error
from jetstow.s3.reserved import (
    CHECKSUM,
    COPIED_ENTRIES,
    DIGEST,
    ETAG,
    LISTED_ENTRIES,
    MODIFIED,
    REDIRECT,
    RESERVED,
    TAGS,
)
from jetstow.s3.tags import format_tags, load_tags
from jetstow.s3.website.redirect_header import REDIRECT_LOCATION

# The headers that are stored and come back as sent.
STORED_HEADERS: Final = (
    "Content-Type",
    "Content-Encoding",
    "Content-Disposition",
    "Content-Language",
    "Cache-Control",
    "Expires",
)
STORAGE_CLASS: Final = "STANDARD"
DEFAULT_CONTENT_TYPE: Final = "binary/octet-stream"

USER_PREFIX: Final = "x-amz-meta-"
# S3 limits the names without prefix and the values together, in bytes.
MAX_USER_METADATA: Final = 2 * 1024

_LISTED_MODIFIED: Final = LISTED_ENTRIES.index(MODIFIED)

_EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_NANOSECONDS: Final = re.compile(r"[0-9]{1,19}")

_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE: Final = re.compile(r"[\t\x20-\x7e\x80-\xff]*")


@dataclass(slots=True)
class Attributes:
    """What a request gives an object besides its bytes.

    `headers` are ADR-20 headers, `metadata` is the user metadata with lower-case names, and
    `reserved` are entries of the gateway (`jetstow.s3.*`).
    """

    headers: dict[str, str] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)
    reserved: dict[str, str] = field(default_factory=dict)
    retention: Retention | None = None
    legal_hold: bool = False

    def meta(self, key: str) -> ObjectMeta:
        """Return them as the metadata of an object."""
        headers = dict(self.headers)
        content_type = headers.pop("Content-Type", DEFAULT_CONTENT_TYPE)
        return ObjectMeta(
            name=key,
            content_type=content_type,
            headers=headers or None,
            metadata=self.metadata | self.reserved,
            # It may be over before an upload in parts is complete.
            retention=self.retention if self.retention and self.retention.is_active else None,
            legal_hold=self.legal_hold,
        )


def parse_headers(headers: Mapping[str, str]) -> Attributes:
    """Return the content headers and the user metadata of headers, or of the fields of a form.

    Raises: `S3Error` (MetadataTooLarge; InvalidArgument: a reserved name).
    """
    attributes = Attributes()
    for name in STORED_HEADERS:
        if (value := headers.get(name.lower())) is not None:
            attributes.headers[name] = value
    if "Content-Encoding" in attributes.headers:
        encoding = _without_aws_chunked(attributes.headers.pop("Content-Encoding"))
        if encoding:
            attributes.headers["Content-Encoding"] = encoding
    attributes.headers = {k: v for k, v in attributes.headers.items() if v}
    attributes.headers.setdefault("Content-Type", DEFAULT_CONTENT_TYPE)
    for name, value in headers.items():
        if name.startswith(USER_PREFIX):
            attributes.metadata[_user_name(name)] = value
    size = sum(len(k) + len(v) for k, v in attributes.metadata.items())
    if size > MAX_USER_METADATA:
        raise S3Error("MetadataTooLarge", Size=size, MaxSizeAllowed=MAX_USER_METADATA)
    return attributes


def _user_name(header: str) -> str:
    name = header.removeprefix(USER_PREFIX)
    if not name or name.startswith(RESERVED):
        raise S3Error("InvalidArgument", f"The metadata name {name!r} is empty or reserved.")
    return name


def _without_aws_chunked(encoding: str) -> str:
    """Return a Content-Encoding without the encoding of the transfer, wherever it is."""
    if "aws-chunked" not in encoding.lower():
        return encoding
    parts = (part.strip() for part in encoding.split(","))
    return ",".join(part for part in parts if part and part.lower() != "aws-chunked")


def sum_entries(etag: str, checksum: Checksum | None, digest: str) -> dict[str, str]:
    """Return the reserved metadata that describes the bytes with a digest."""
    entries = {ETAG: etag, DIGEST: digest}
    if checksum is not None:
        entries[CHECKSUM] = str(checksum)
    return entries


def etag(info: ObjectInfo) -> str:
    """Return the ETag in quotes: the MD5 of a PUT, or one made of the SHA-256 digest.

    The form with `-1` is that of a multipart object of one part: no client takes it for an MD5.
    """
    stored = current_entry(info, ETAG)
    return f'"{_derived_etag(info.sha256 or "") if stored is None else stored}"'


def _derived_etag(sha256: str) -> str:
    return f"{(sha256 or '0' * 32)[:32]}-1"


def checksum(info: ObjectInfo) -> Checksum | None:
    """Return the checksum that was verified when the object was stored, or None."""
    text = current_entry(info, CHECKSUM)
    return None if text is None else Checksum.parse(text)


def current_entry(info: ObjectInfo, name: str) -> str | None:
    """Return a reserved entry about the object's bytes; None if it is about others."""
    metadata = info.metadata or {}
    stated = metadata.get(DIGEST, "")
    same = digests_equal(stated, info.digest or "") or stated == nuid_digest(info.nuid)
    return metadata.get(name) if same else None


def nuid_digest(nuid: str) -> str:
    """Return what identifies the bytes of an encrypted object, whose digest is known too late."""
    return f"nuid={nuid}"


def modified_time(info: ObjectInfo) -> datetime.datetime | None:
    """Return when the bytes were stored: S3's LastModified. Only the tags or the ACL are newer."""
    text = current_entry(info, MODIFIED)
    return (None if text is None else parse_modified(text)) or info.modified


def parse_modified(text: str) -> datetime.datetime | None:
    """Return the time of the entry `MODIFIED`; None if another client wrote nonsense."""
    if not _NANOSECONDS.fullmatch(text):
        return None
    return _EPOCH + datetime.timedelta(microseconds=int(text) // 1000)


def modified_entry(info: ObjectInfo) -> dict[str, str]:
    """Return the reserved entry that keeps the time of an object whose metadata is changed.

    There is none if another client has stored the bytes: nothing would tell when it does so again.
    """
    modified = modified_time(info)
    if modified is None or current_entry(info, DIGEST) is None:
        return {}
    return {MODIFIED: str((modified - _EPOCH) // datetime.timedelta(microseconds=1) * 1000)}


def listed_sums(entry: IndexEntry) -> tuple[str, str, int]:
    """Return the ETag of an object in a list, without quotes, its checksum as text or "", its time.

    The time is S3's LastModified in nanoseconds since 1970.
    """
    stored = sums = modified = None
    if entry.metadata:
        digest, stored, sums, modified, _ = entry.metadata  # LISTED_ENTRIES
        if digest != entry.digest:
            stored = sums = modified = None
    time = entry.time
    if modified is not None and _NANOSECONDS.fullmatch(modified):
        time = int(modified)
    return _derived_etag(entry.raw_digest.hex()) if stored is None else stored, sums or "", time


def listed_time(entry: IndexEntry) -> int:
    """Return S3's LastModified of an object in a list, in nanoseconds since 1970."""
    has_own = entry.metadata and entry.metadata[_LISTED_MODIFIED] is not None
    return listed_sums(entry)[2] if has_own else entry.time


def listed_owner(entry: IndexEntry) -> str | None:
    """Return the owner that an object in a list has in its metadata."""
    return entry.metadata[-1] if entry.metadata else None


def copied_entries(info: ObjectInfo) -> dict[str, str]:
    """Return the reserved entries for a copy of an object."""
    entries = {k: v for k, v in (info.metadata or {}).items() if k in COPIED_ENTRIES}
    if current_entry(info, DIGEST) is None:
        for name in (ETAG, CHECKSUM, DIGEST):
            entries.pop(name, None)
    return entries


def user_metadata(info: ObjectInfo) -> dict[str, str]:
    """Return the user metadata: everything that is not the gateway's own."""
    entries = (info.metadata or {}).items()
    return {name: value for name, value in entries if not name.startswith(RESERVED)}


def tag_entries(tags: dict[str, str]) -> dict[str, str]:
    """Return the reserved metadata that has tags."""
    return {TAGS: format_tags(tags)} if tags else {}


def object_tags(info: ObjectInfo) -> dict[str, str]:
    """Return the tags of an object."""
    return load_tags((info.metadata or {}).get(TAGS, ""))


def object_headers(info: ObjectInfo) -> dict[str, str]:
    """Return the headers of a GET or HEAD that describe the object, without length and range."""
    headers = content_headers(info, etag(info)) | metadata_headers(user_metadata(info))
    if (modified := modified_time(info)) is not None:
        headers["last-modified"] = format_date(modified)
    if tags := object_tags(info):
        headers["x-amz-tagging-count"] = str(len(tags))
    if (location := (info.metadata or {}).get(REDIRECT)) and _HEADER_VALUE.fullmatch(location):
        headers[REDIRECT_LOCATION] = location
    return headers


def metadata_headers(metadata: Mapping[str, str]) -> dict[str, str]:
    """Return user metadata as headers, and the number of entries that no header can have.

    Other NATS clients store any text.
    """
    headers, missing = {}, 0
    for name, value in metadata.items():
        if _TOKEN.fullmatch(name) and _HEADER_VALUE.fullmatch(value):
            headers[USER_PREFIX + name.lower()] = value
        else:
            missing += 1
    if missing:
        headers["x-amz-missing-meta"] = str(missing)
    return headers
