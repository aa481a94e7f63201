"""The routes of settings of buckets and objects: one line for each operation."""

from __future__ import annotations

from typing import Final

from jetstow.s3.access import Access
from jetstow.s3.operations.delete_bucket_cors import delete_bucket_cors
from jetstow.s3.operations.delete_bucket_lifecycle import delete_bucket_lifecycle
from jetstow.s3.operations.delete_bucket_ownership_controls import delete_bucket_ownership_controls
from jetstow.s3.operations.delete_bucket_policy import delete_bucket_policy
from jetstow.s3.operations.delete_bucket_tagging import delete_bucket_tagging
from jetstow.s3.operations.delete_bucket_website import delete_bucket_website
from jetstow.s3.operations.delete_object_tagging import delete_object_tagging
from jetstow.s3.operations.delete_public_access_block import delete_public_access_block
from jetstow.s3.operations.get_bucket_acl import get_bucket_acl
from jetstow.s3.operations.get_bucket_cors import get_bucket_cors
from jetstow.s3.operations.get_bucket_lifecycle import get_bucket_lifecycle
from jetstow.s3.operations.get_bucket_notification import get_bucket_notification
from jetstow.s3.operations.get_bucket_ownership_controls import get_bucket_ownership_controls
from jetstow.s3.operations.get_bucket_policy import get_bucket_policy
from jetstow.s3.operations.get_bucket_policy_status import get_bucket_policy_status
from jetstow.s3.operations.get_bucket_tagging import get_bucket_tagging
from jetstow.s3.operations.get_bucket_versioning import get_bucket_versioning
from jetstow.s3.operations.get_bucket_website import get_bucket_website
from jetstow.s3.operations.get_object_acl import get_object_acl
from jetstow.s3.operations.get_object_tagging import get_object_tagging
from jetstow.s3.operations.get_public_access_block import get_public_access_block
from jetstow.s3.operations.put_bucket_acl import put_bucket_acl
from jetstow.s3.operations.put_bucket_cors import put_bucket_cors
from jetstow.s3.operations.put_bucket_lifecycle import put_bucket_lifecycle
from jetstow.s3.operations.put_bucket_notification import put_bucket_notification
from jetstow.s3.operations.put_bucket_ownership_controls import put_bucket_ownership_controls
from jetstow.s3.operations.put_bucket_policy import put_bucket_policy
from jetstow.s3.operations.put_bucket_tagging import put_bucket_tagging
from jetstow.s3.operations.put_bucket_versioning import put_bucket_versioning
from jetstow.s3.operations.put_bucket_website import put_bucket_website
from jetstow.s3.operations.put_object_acl import put_object_acl
from jetstow.s3.operations.put_object_tagging import put_object_tagging
from jetstow.s3.operations.put_public_access_block import put_public_access_block
from jetstow.s3.route import BUCKET, OBJECT, Handler, Route

_VERSION: Final = ("versionId",)


def _route(operation: str, level: str, query: str, handler: Handler) -> Route:
    """Return the route of an operation, whose name begins with Get, Put or Delete."""
    method = next(name for name in ("GET", "PUT", "DELETE") if operation.upper().startswith(name))
    access = Access.READ if method == "GET" else Access.WRITE
    accepts = _VERSION if level == OBJECT else ()
    return Route(operation, method, level, handler, access, query, accepts=accepts)


SETTING_ROUTES: Final = (
    _route("GetObjectTagging", OBJECT, "tagging", get_object_tagging),
    _route("PutObjectTagging", OBJECT, "tagging", put_object_tagging),
    _route("DeleteObjectTagging", OBJECT, "tagging", delete_object_tagging),
    _route("GetBucketTagging", BUCKET, "tagging", get_bucket_tagging),
    _route("PutBucketTagging", BUCKET, "tagging", put_bucket_tagging),
    _route("DeleteBucketTagging", BUCKET, "tagging", delete_bucket_tagging),
    _route("GetBucketVersioning", BUCKET, "versioning", get_bucket_versioning),
    _route("PutBucketVersioning", BUCKET, "versioning", put_bucket_versioning),
    _route("GetBucketAcl", BUCKET, "acl", get_bucket_acl),
    _route("PutBucketAcl", BUCKET, "acl", put_bucket_acl),
    _route("GetObjectAcl", OBJECT, "acl", get_object_acl),
    _route("PutObjectAcl", OBJECT, "acl", put_object_acl),
    _route(
        "GetBucketOwnershipControls", BUCKET, "ownershipControls", get_bucket_ownership_controls
    ),
    _route(
        "PutBucketOwnershipControls", BUCKET, "ownershipControls", put_bucket_ownership_controls
    ),
    _route(
        "DeleteBucketOwnershipControls",
        BUCKET,
        "ownershipControls",
        delete_bucket_ownership_controls,
    ),
    _route("GetBucketPolicy", BUCKET, "policy", get_bucket_policy),
    _route("PutBucketPolicy", BUCKET, "policy", put_bucket_policy),
    _route("DeleteBucketPolicy", BUCKET, "policy", delete_bucket_policy),
    _route("GetBucketPolicyStatus", BUCKET, "policyStatus", get_bucket_policy_status),
    _route("GetPublicAccessBlock", BUCKET, "publicAccessBlock", get_public_access_block),
    _route("PutPublicAccessBlock", BUCKET, "publicAccessBlock", put_public_access_block),
    _route("DeletePublicAccessBlock", BUCKET, "publicAccessBlock", delete_public_access_block),
    _route("GetBucketCors", BUCKET, "cors", get_bucket_cors),
    _route("PutBucketCors", BUCKET, "cors", put_bucket_cors),
    _route("DeleteBucketCors", BUCKET, "cors", delete_bucket_cors),
    _route("GetBucketLifecycleConfiguration", BUCKET, "lifecycle", get_bucket_lifecycle),
    _route("PutBucketLifecycleConfiguration", BUCKET, "lifecycle", put_bucket_lifecycle),
    _route("DeleteBucketLifecycle", BUCKET, "lifecycle", delete_bucket_lifecycle),
    _route("GetBucketWebsite", BUCKET, "website", get_bucket_website),
    _route("PutBucketWebsite", BUCKET, "website", put_bucket_website),
    _route("DeleteBucketWebsite", BUCKET, "website", delete_bucket_website),
    _route("GetBucketNotificationConfiguration", BUCKET, "notification", get_bucket_notification),
    _route("PutBucketNotificationConfiguration", BUCKET, "notification", put_bucket_notification),
)
