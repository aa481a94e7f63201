"""Objects, buckets and errors as JSON data. Sizes are in bytes, times to live in seconds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from jetstow.cli.errors import message

if TYPE_CHECKING:
    from jetstow import BucketStatus, ObjectInfo
    from jetstow.errors import JetstowError
    from jetstow.types import Finding


def object_data(info: ObjectInfo) -> dict[str, Any]:
    """Return all fields of an object; each key is present in each object."""
    return {
        "bucket": info.bucket,
        "name": info.name,
        "size": info.size or 0,
        "modified": info.mtime,
        "revision": info.revision,
        "deleted": bool(info.deleted),
        "digest": info.digest or None,
        "description": info.description,
        "content_type": info.content_type,
        "tags": info.tags,
        "expires": None if info.expires is None else info.expires.isoformat(),
        "encrypted": info.encrypted,
        "headers": info.headers.to_lists() if info.headers else None,
        "metadata": info.metadata,
        "link": None if info.link is None else {"bucket": info.link.bucket, "name": info.link.name},
        "chunks": info.chunks or 0,
        "chunk_size": info.options.max_chunk_size if info.options else None,
        "nuid": info.nuid,
        "version": info.version,
    }


def bucket_data(status: BucketStatus) -> dict[str, Any]:
    """Return all fields of a bucket. A `ttl` or `max_bytes` of None means no limit."""
    return {
        "bucket": status.bucket,
        "description": status.description,
        "size": status.size,
        "sealed": bool(status.sealed),
        "created": None if status.created is None else status.created.isoformat(),
        "ttl": status.ttl or None,
        "max_bytes": None if status.max_bytes < 0 else status.max_bytes,
        "storage": str(status.storage_type),
        "replicas": status.replicas,
        "compressed": status.compressed,
        "versioning": status.versioning,
        "metadata": status.metadata or None,
    }


def failed_data(failed: Iterable[JetstowError]) -> list[dict[str, str | None]]:
    """Return object names with the error of each."""
    return [{"name": error.name, "error": message(error)} for error in failed]


def findings_data(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """Return the problems that verify or gc found."""
    return [
        {
            "name": finding.name,
            "kind": type(finding.error).__name__,
            "error": message(finding.error),
        }
        for finding in findings
    ]
