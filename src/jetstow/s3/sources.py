"""The source of a copy: the header that names it, and the object, opened for reading."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_to_bytes

from jetstow import ObjectReader
from jetstow.errors import ObjectNotFoundError
from jetstow.models import ObjectInfo
from jetstow.s3 import objects
from jetstow.s3.acl import Permission
from jetstow.s3.buckets import Bucket
from jetstow.s3.call import Call
from jetstow.s3.conditions import check_source
from jetstow.s3.customer_key import SOURCE_PREFIX, parse_customer_key
from jetstow.s3.errors import MISSING, S3Error, to_s3_error
from jetstow.s3.request import check_key
from jetstow.s3.tags import TAGGING
from jetstow.s3.versions import check_version

COPY_SOURCE: Final = "x-amz-copy-source"
_EXPECTED_OWNER: Final = "x-amz-source-expected-bucket-owner"
_VERSION: Final = "?versionId="


@dataclass(frozen=True, slots=True)
class Source:
    """An object to copy."""

    bucket: str
    key: str
    version: str | None = None


def parse_copy_source(value: str) -> Source:
    """Parse `[/]BUCKET/KEY[?versionId=ID]`; bucket and key are url-encoded.

    Raises: `S3Error` (InvalidArgument).
    """
    path, separator, version = value.partition(_VERSION)
    try:
        text = unquote_to_bytes(path.encode("latin-1")).decode()
    except UnicodeError:
        text = ""
    bucket, _, key = text.removeprefix("/").partition("/")
    if not (bucket and key):
        message = "Copy Source must mention the source bucket and key: sourcebucket/sourcekey"
        raise S3Error("InvalidArgument", message, ArgumentName=COPY_SOURCE, ArgumentValue=value)
    check_key(key)
    return Source(bucket, key, version if separator else None)


def _check_tags(call: Call, bucket: Bucket, source: Source, info: ObjectInfo) -> None:
    """Check that the caller may read the tags of the source and store them, if the copy has them.

    Raises: `S3Error` (AccessDenied).
    """
    directive = f"{TAGGING}-directive"
    replaces = call.operation != "CopyObject" or call.request.header(directive) == "REPLACE"
    if replaces or not objects.object_tags(info):
        return
    try:
        call.check_object(
            bucket, info, Permission.FULL_CONTROL,
            key=source.key, operation="GetObjectTagging", version=source.version,
        )  # fmt: skip
    except S3Error:
        message = f"You may not read the tags of the source: send {directive}: REPLACE."
        raise S3Error("AccessDenied", message) from None
    call.check("CopyObjectWithTags", call.key)


async def open_copy_source(call: Call, source: Source) -> ObjectReader:
    """Open the source of a copy, if the caller may read it and its conditions hold.

    Raises: `S3Error` (NoSuchBucket, NoSuchVersion, AccessDenied, PreconditionFailed), what `open`
    raises.
    """
    bucket = await call.open_bucket(source.bucket)
    version = check_version(bucket, source.version)
    key = parse_customer_key(call.request, call.request.headers, SOURCE_PREFIX)
    bucket = bucket.with_key(key)
    expected = call.request.header(_EXPECTED_OWNER)
    if expected is not None and expected != (bucket.owner or call.identity.owner):
        raise S3Error("AccessDenied", "The source bucket has another owner than expected.")
    try:
        reader = await call.open_object(bucket, source.key, version)
    except (ObjectNotFoundError, S3Error) as error:
        if to_s3_error(error).code in MISSING:
            call.check_missing_object(bucket)
        raise
    try:
        call.check_object(
            bucket, reader.info, Permission.READ,
            key=source.key, operation="GetObject", version=source.version,
        )  # fmt: skip
        _check_tags(call, bucket, source, reader.info)
        check_source(call.request.headers, f"{COPY_SOURCE}-", reader.info)
    except S3Error:
        await reader.close()
        raise
    return reader
