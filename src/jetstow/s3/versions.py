"""Versions in requests and responses: their ids, and delete markers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from jetstow._core.protocol.versions import NULL_VERSION
from jetstow.errors import ObjectDeletedError, ObjectNotFoundError
from jetstow.http.dates import format_date
from jetstow.models import ObjectInfo
from jetstow.s3.buckets import Bucket
from jetstow.s3.errors import S3Error

VERSION_HEADER = "x-amz-version-id"
MARKER_HEADER = "x-amz-delete-marker"


def check_version(bucket: Bucket, version: str | None) -> str | None:
    """Return the id of the version that a request selects; None for the current object.

    In a bucket that never had versions, each object is its version `null`.

    Raises: `S3Error` (InvalidArgument: it is empty; NoSuchVersion: no version can have it).
    """
    if version is None:
        return None
    if not version:
        message = "Version id cannot be the empty string"
        raise S3Error("InvalidArgument", message, ArgumentName="versionId", ArgumentValue="")
    if bucket.status.versioning is None:
        if version != NULL_VERSION:
            raise S3Error("NoSuchVersion", VersionId=version)
        return None
    if "/" in version:
        raise S3Error("NoSuchVersion", VersionId=version)
    return version


@asynccontextmanager
async def as_s3_errors(bucket: Bucket, key: str, version: str | None) -> AsyncIterator[None]:
    """Convert the errors of opening an object, or a version, to those of S3.

    Raises: `S3Error` (NoSuchVersion; MethodNotAllowed: the version is a delete marker; NoSuchKey:
    the current one is).
    """
    try:
        yield
    except ObjectDeletedError:
        marker = await _find_marker(bucket, key, version)
        if marker is None or marker.version is None:
            raise
        headers = {MARKER_HEADER: "true", VERSION_HEADER: marker.version}
        if version is None:
            raise S3Error("NoSuchKey", headers=headers, Key=key) from None
        if marker.modified is not None:
            headers["last-modified"] = format_date(marker.modified)
        raise S3Error(
            "MethodNotAllowed", headers=headers | {"allow": "DELETE"}, ResourceType="DeleteMarker"
        ) from None
    except ObjectNotFoundError:
        if version is None:
            raise
        raise S3Error("NoSuchVersion", Key=key, VersionId=version) from None


async def _find_marker(bucket: Bucket, key: str, version: str | None) -> ObjectInfo | None:
    try:
        return await bucket.store.get_info(key, show_deleted=True, version=version)
    except ObjectNotFoundError:
        return None


async def find_version(bucket: Bucket, key: str, version: str | None) -> ObjectInfo:
    """Return the info of an object, or of one of its versions.

    Raises: what `as_s3_errors` raises.
    """
    async with as_s3_errors(bucket, key, version):
        return await bucket.store.get_info(key, version=version)


def read_headers(bucket: Bucket, info: ObjectInfo) -> dict[str, str]:
    """Return the header with the id of a version that was read or changed."""
    has_versions = bucket.status.versioning is not None and info.version is not None
    return {VERSION_HEADER: info.version or ""} if has_versions else {}


def new_headers(bucket: Bucket, info: ObjectInfo) -> dict[str, str]:
    """Return the header with the id of a new version. S3 sends none while they are suspended."""
    return read_headers(bucket, info) if bucket.status.versioning == "enabled" else {}
