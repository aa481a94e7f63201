"""Whether a caller may do an operation: the key's permissions, the bucket's owner."""

from __future__ import annotations

import enum

from jetstow.s3.auth.authenticate import Identity
from jetstow.s3.buckets import BucketState
from jetstow.s3.errors import S3Error
from jetstow.s3.request import Request


class Access(enum.Enum):
    """What an operation does. PUBLIC: its handler checks the caller itself."""

    READ = "read"
    WRITE = "write"
    PUBLIC = "public"


def check_key_access(request: Request, identity: Identity, access: Access) -> None:
    """Check an operation against the key: what it allows, and for which buckets.

    Raises: `S3Error` (AccessDenied).
    """
    key = identity.key
    if key is None or access is Access.PUBLIC:
        return
    check_allowed(identity, access)
    if request.bucket and not key.covers(request.bucket):
        raise S3Error("AccessDenied", "The key is not valid for this bucket.")


def check_allowed(identity: Identity, access: Access) -> None:
    """Check an operation against what the key allows. Raises: `S3Error` (AccessDenied)."""
    key = identity.key
    if key is not None and key.allow not in ("full", access.value):
        raise S3Error("AccessDenied", f"The key allows only to {key.allow}.")


def may_use_bucket(identity: Identity, bucket: BucketState, access: Access) -> bool:  # noqa: ARG001
    """Return whether the caller may do an operation with a bucket.

    Its owner may, and every key for a bucket without an owner, which another NATS client created.
    """
    if identity.key is None or not identity.key.covers(bucket.name):
        return False
    return bucket.owner in (None, identity.owner)


def check_bucket_access(identity: Identity, bucket: BucketState, access: Access) -> None:
    """Check whether the caller may do an operation with a bucket.

    Raises: `S3Error` (AccessDenied).
    """
    if access is not Access.PUBLIC and not may_use_bucket(identity, bucket, access):
        raise S3Error("AccessDenied")


def check_expected_owner(request: Request, identity: Identity, bucket: BucketState) -> None:
    """Check the owner that a request expects. Raises: `S3Error` (AccessDenied)."""
    expected = request.header("x-amz-expected-bucket-owner")
    if expected is not None and expected != (bucket.owner or identity.owner):
        raise S3Error("AccessDenied", "The bucket has another owner than expected.")
