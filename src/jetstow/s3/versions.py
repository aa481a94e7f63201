"""Version ids. Buckets have no versions yet: each object has one, whose id is `null`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from jetstow.s3.errors import S3Error

NULL_VERSION: Final = "null"


def check_version(query: Mapping[str, str]) -> None:
    """Check the version that a request selects. Raises: `S3Error` (see `check_version_id`)."""
    check_version_id(query.get("versionId"))


def check_version_id(version: str | None) -> None:
    """Check the id of a version; None if the request has none.

    Raises: `S3Error` (InvalidArgument: it is empty; NoSuchVersion: it is not `null`).
    """
    if version == "":
        message = "Version id cannot be the empty string"
        raise S3Error("InvalidArgument", message, ArgumentName="versionId", ArgumentValue="")
    if version not in (None, NULL_VERSION):
        raise S3Error("NoSuchVersion", VersionId=version)
