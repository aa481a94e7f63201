"""Whether a caller may do an operation: the key's permissions, the policy, owners, ACLs."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from jetstow.models import ObjectInfo
from jetstow.s3.acl import Permission, is_allowed
from jetstow.s3.auth.authenticate import Identity
from jetstow.s3.buckets import BucketState
from jetstow.s3.errors import S3Error
from jetstow.s3.ownership import (
    IGNORE_ACLS,
    bucket_acl,
    object_access,
    public_access_flags,
    uses_acls,
)
from jetstow.s3.policy.actions import POLICY_OPERATIONS, actions_of
from jetstow.s3.policy.conditions import Facts
from jetstow.s3.policy.decision import Decision, decide
from jetstow.s3.request import Request


class Access(enum.Enum):
    """What an operation does. PUBLIC: its handler checks the caller itself."""

    READ = "read"
    WRITE = "write"
    PUBLIC = "public"


# The permission that the ACL of the bucket must grant for an operation. Operations that are in
# neither table are for the owner of the bucket only.
_OF_BUCKET: Final = {
    Permission.READ: {
        "HeadBucket", "ListMultipartUploads", "ListObjects", "ListObjectsV2", "ListObjectVersions",
    },
    Permission.WRITE: {
        "AbortMultipartUpload", "CompleteMultipartUpload", "CopyObject", "CopyObjectWithTags",
        "CreateMultipartUpload", "DeleteObject", "DeleteObjects", "ListParts", "PostObject",
        "PutObject", "UploadPart", "UploadPartCopy",
    },
    Permission.READ_ACP: {"GetBucketAcl"},
    Permission.WRITE_ACP: {"PutBucketAcl"},
}  # fmt: skip
# What these operations do with some headers, or with a version, the ACL permits to the owner only:
# others must not remove versions that are not theirs, or make them undeletable.
_OF_OWNER: Final = frozenset({
    "s3:DeleteObjectVersion", "s3:PutObjectLegalHold", "s3:PutObjectRetention",
})  # fmt: skip
# The permission that the ACL of the object must grant. The operation checks it when it has opened
# the object (`Call.check_object`): then it is the one that it reads.
_OF_OBJECT: Final = {
    Permission.READ: {"GetObject", "GetObjectAttributes", "HeadObject"},
    Permission.READ_ACP: {"GetObjectAcl"},
    Permission.WRITE_ACP: {"PutObjectAcl"},
}
_BUCKET_PERMISSIONS: Final = {name: need for need, names in _OF_BUCKET.items() for name in names}
OBJECT_PERMISSIONS: Final = {name: need for need, names in _OF_OBJECT.items() for name in names}


# Operations on several objects, which check each of them (`Call.check`).
_OF_SEVERAL_OBJECTS: Final = frozenset({"DeleteObjects"})


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sends a request, and what policies compare. `public`: with `--public-acls`."""

    identity: Identity
    facts: Facts
    public: bool

    def decision(self, bucket: BucketState, actions: Iterable[str], key: str = "") -> Decision:
        """Return what the bucket's policy decides about actions of the caller."""
        owner = self.identity.owner
        return decide(bucket, owner, actions, key, self.facts, public=self.public)


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


def owns_bucket(identity: Identity, bucket: BucketState) -> bool:
    """Return whether a bucket is the caller's.

    A bucket without an owner, which another NATS client created, is that of every key.
    """
    if identity.key is None or not identity.key.covers(bucket.name):
        return False
    return bucket.owner in (None, identity.owner)


def may_use_bucket(caller: Caller, bucket: BucketState, permission: Permission) -> bool:
    """Return whether the ACL of a bucket grants a permission to the caller.

    The owner may always read and write the ACL.
    """
    identity = caller.identity
    if not _covers(identity, bucket):
        return False
    if not uses_acls(bucket):
        return owns_bucket(identity, bucket)
    if permission in (Permission.READ_ACP, Permission.WRITE_ACP) and owns_bucket(identity, bucket):
        return True
    public = caller.public and IGNORE_ACLS not in public_access_flags(bucket)
    return is_allowed(bucket_acl(bucket), identity.owner, permission, public=public)


def may_list_bucket(caller: Caller, bucket: BucketState) -> bool:
    """Return whether the caller may see which objects there are."""
    decision = caller.decision(bucket, ("s3:ListBucket",))
    if decision is Decision.NONE:
        return may_use_bucket(caller, bucket, Permission.READ)
    return decision is Decision.ALLOWED and _covers(caller.identity, bucket)


def may_use_object(
    caller: Caller,
    bucket: BucketState,
    key: str,
    info: ObjectInfo,
    permission: Permission,
    actions: Iterable[str],
) -> bool:
    """Return whether the caller has a permission for an object. A link has another key than it.

    The policy of the bucket decides about the actions, then the owners of the bucket and of the
    object, who have all permissions, and then the ACL.
    """
    identity = caller.identity
    if not _covers(identity, bucket):
        return False
    decision = caller.decision(bucket, actions, key)
    if decision is not Decision.NONE:
        return decision is Decision.ALLOWED
    if owns_bucket(identity, bucket):
        return True
    if not uses_acls(bucket):
        return False
    access = object_access(bucket, info, identity.owner)
    if identity.owner is not None and identity.owner == access.owner:
        return True
    public = caller.public and IGNORE_ACLS not in public_access_flags(bucket)
    return is_allowed(access.acl, identity.owner, permission, public=public)


def _covers(identity: Identity, bucket: BucketState) -> bool:
    return identity.key is None or identity.key.covers(bucket.name)


def check_bucket_access(
    caller: Caller,
    bucket: BucketState,
    operation: str,
    access: Access,
    key: str,
    version: str | None = None,
) -> None:
    """Check whether the caller may do an operation with a bucket, or with a key in it.

    `version` is the version that the request selects in its body, or in its query.

    What needs a permission of the object's ACL is checked when the object is open
    (`may_use_object`).

    Raises: `S3Error` (AccessDenied).
    """
    if access is Access.PUBLIC or operation in _OF_SEVERAL_OBJECTS:
        return
    is_owner = owns_bucket(caller.identity, bucket)
    if is_owner and operation in POLICY_OPERATIONS:
        return
    selects = version is not None or "versionId" in caller.facts.request.query
    actions = actions_of(operation, caller.facts.headers, selects_version=selects)
    decision = caller.decision(bucket, actions, key)
    if decision is Decision.DENIED:
        raise S3Error("AccessDenied")
    if decision is Decision.ALLOWED or operation in OBJECT_PERMISSIONS:
        return
    if not (is_owner or _OF_OWNER.isdisjoint(actions)):
        raise S3Error("AccessDenied")
    permission = _BUCKET_PERMISSIONS.get(operation)
    if not (is_owner if permission is None else may_use_bucket(caller, bucket, permission)):
        raise S3Error("AccessDenied")


def check_expected_owner(request: Request, identity: Identity, bucket: BucketState) -> None:
    """Check the owner that a request expects. Raises: `S3Error` (AccessDenied)."""
    expected = request.header("x-amz-expected-bucket-owner")
    if expected is not None and expected != (bucket.owner or identity.owner):
        raise S3Error("AccessDenied", "The bucket has another owner than expected.")
