"""The actions of policies, and those that each operation needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

# The actions of an operation. A caller needs all of them.
_OF_OPERATIONS: Final[dict[str, tuple[str, ...]]] = {
    "AbortMultipartUpload": ("s3:AbortMultipartUpload",),
    "BypassGovernanceRetention": ("s3:BypassGovernanceRetention",),
    "CompleteMultipartUpload": ("s3:PutObject",),
    "CopyObject": ("s3:PutObject",),
    "CopyObjectWithTags": ("s3:PutObject", "s3:PutObjectTagging"),
    "CreateMultipartUpload": ("s3:PutObject",),
    "DeleteBucket": ("s3:DeleteBucket",),
    "DeleteBucketCors": ("s3:PutBucketCORS",),
    "DeleteBucketLifecycle": ("s3:PutLifecycleConfiguration",),
    "DeleteBucketOwnershipControls": ("s3:PutBucketOwnershipControls",),
    "DeleteBucketPolicy": ("s3:DeleteBucketPolicy",),
    "DeleteBucketTagging": ("s3:PutBucketTagging",),
    "DeleteBucketWebsite": ("s3:DeleteBucketWebsite",),
    "DeleteObject": ("s3:DeleteObject",),
    "DeleteObjectTagging": ("s3:DeleteObjectTagging",),
    "DeletePublicAccessBlock": ("s3:PutBucketPublicAccessBlock",),
    "GetBucketAcl": ("s3:GetBucketAcl",),
    "GetBucketCors": ("s3:GetBucketCORS",),
    "GetBucketLifecycleConfiguration": ("s3:GetLifecycleConfiguration",),
    "GetBucketLocation": ("s3:GetBucketLocation",),
    "GetBucketNotificationConfiguration": ("s3:GetBucketNotification",),
    "GetBucketOwnershipControls": ("s3:GetBucketOwnershipControls",),
    "GetBucketPolicy": ("s3:GetBucketPolicy",),
    "GetBucketPolicyStatus": ("s3:GetBucketPolicyStatus",),
    "GetBucketTagging": ("s3:GetBucketTagging",),
    "GetBucketVersioning": ("s3:GetBucketVersioning",),
    "GetBucketWebsite": ("s3:GetBucketWebsite",),
    "GetObject": ("s3:GetObject",),
    "GetObjectAcl": ("s3:GetObjectAcl",),
    "GetObjectAttributes": ("s3:GetObject", "s3:GetObjectAttributes"),
    "GetObjectLegalHold": ("s3:GetObjectLegalHold",),
    "GetObjectLockConfiguration": ("s3:GetBucketObjectLockConfiguration",),
    "GetObjectRetention": ("s3:GetObjectRetention",),
    "GetObjectTagging": ("s3:GetObjectTagging",),
    "GetPublicAccessBlock": ("s3:GetBucketPublicAccessBlock",),
    "HeadBucket": ("s3:ListBucket",),
    "HeadObject": ("s3:GetObject",),
    "ListMultipartUploads": ("s3:ListBucketMultipartUploads",),
    "ListObjectVersions": ("s3:ListBucketVersions",),
    "ListObjects": ("s3:ListBucket",),
    "ListObjectsV2": ("s3:ListBucket",),
    "ListParts": ("s3:ListMultipartUploadParts",),
    "PostObject": ("s3:PutObject",),
    "PutBucketAcl": ("s3:PutBucketAcl",),
    "PutBucketCors": ("s3:PutBucketCORS",),
    "PutBucketLifecycleConfiguration": ("s3:PutLifecycleConfiguration",),
    "PutBucketNotificationConfiguration": ("s3:PutBucketNotification",),
    "PutBucketOwnershipControls": ("s3:PutBucketOwnershipControls",),
    "PutBucketPolicy": ("s3:PutBucketPolicy",),
    "PutBucketTagging": ("s3:PutBucketTagging",),
    "PutBucketVersioning": ("s3:PutBucketVersioning",),
    "PutBucketWebsite": ("s3:PutBucketWebsite",),
    "PutObject": ("s3:PutObject",),
    "PutObjectAcl": ("s3:PutObjectAcl",),
    "PutObjectLegalHold": ("s3:PutObjectLegalHold",),
    "PutObjectLockConfiguration": ("s3:PutBucketObjectLockConfiguration",),
    "PutObjectRetention": ("s3:PutObjectRetention",),
    "PutObjectTagging": ("s3:PutObjectTagging",),
    "PutPublicAccessBlock": ("s3:PutBucketPublicAccessBlock",),
    "UploadPart": ("s3:PutObject",),
    "UploadPartCopy": ("s3:PutObject",),
}

# Of a new object: the headers that need another action.
_OF_HEADERS: Final = {
    "x-amz-acl": "s3:PutObjectAcl",
    "x-amz-grant-full-control": "s3:PutObjectAcl",
    "x-amz-grant-read": "s3:PutObjectAcl",
    "x-amz-grant-read-acp": "s3:PutObjectAcl",
    "x-amz-grant-write": "s3:PutObjectAcl",
    "x-amz-grant-write-acp": "s3:PutObjectAcl",
    "x-amz-object-lock-legal-hold": "s3:PutObjectLegalHold",
    "x-amz-object-lock-mode": "s3:PutObjectRetention",
    "x-amz-object-lock-retain-until-date": "s3:PutObjectRetention",
    "x-amz-tagging": "s3:PutObjectTagging",
}

# Of a request that selects a version: the action that it needs, too.
_OF_VERSIONS: Final = {
    f"s3:{before}Object{after}": f"s3:{before}ObjectVersion{after}"
    for before, after in (
        ("Delete", ""), ("Delete", "Tagging"), ("Get", ""), ("Get", "Acl"),
        ("Get", "Attributes"), ("Get", "Tagging"), ("Put", "Acl"), ("Put", "Tagging"),
    )
}  # fmt: skip

KNOWN_ACTIONS: Final = frozenset(
    name for names in (*_OF_OPERATIONS.values(), tuple(_OF_VERSIONS.values())) for name in names
)

# The ends of the names of actions on objects that do not name these.
_OF_OBJECTS: Final = ("GovernanceRetention", "MultipartUpload", "MultipartUploadParts")

# The owner of a bucket may always do these, or a policy could lock everyone out.
POLICY_OPERATIONS: Final = frozenset({"DeleteBucketPolicy", "GetBucketPolicy", "PutBucketPolicy"})


def actions_of(
    operation: str, headers: Mapping[str, str], *, selects_version: bool = False
) -> tuple[str, ...]:
    """Return the actions that a request needs; none for an operation without an action.

    A request that selects a version needs the actions for objects, too: Amazon asks for those of
    versions only, so that a denial of `s3:GetObject` does not hold for the version of an object.
    """
    actions = _OF_OPERATIONS.get(operation, ())
    if selects_version:
        return actions + tuple(_OF_VERSIONS[each] for each in actions if each in _OF_VERSIONS)
    if actions == ("s3:PutObject",):
        more = {action for name, action in _OF_HEADERS.items() if name in headers}
        return (*actions, *sorted(more))
    return actions


def is_object_action(action: str) -> bool:
    """Return whether the resource of an action is an object: else it is the bucket."""
    if "Bucket" in action:  # s3:GetBucketObjectLockConfiguration
        return False
    return "Object" in action or action.endswith(_OF_OBJECTS)
