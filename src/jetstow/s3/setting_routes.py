"""The routes of settings of buckets and objects: one line for each operation."""

from __future__ import annotations

from typing import Final

from jetstow.s3.access import Access
from jetstow.s3.operations.delete_bucket_tagging import delete_bucket_tagging
from jetstow.s3.operations.delete_object_tagging import delete_object_tagging
from jetstow.s3.operations.get_bucket_tagging import get_bucket_tagging
from jetstow.s3.operations.get_object_tagging import get_object_tagging
from jetstow.s3.operations.put_bucket_tagging import put_bucket_tagging
from jetstow.s3.operations.put_object_tagging import put_object_tagging
from jetstow.s3.route import BUCKET, OBJECT, Route

_READ, _WRITE = Access.READ, Access.WRITE
_VERSION: Final = ("versionId",)

SETTING_ROUTES: Final = (
    Route(
        "GetObjectTagging", "GET", OBJECT, get_object_tagging, _READ, "tagging", accepts=_VERSION
    ),
    Route(
        "PutObjectTagging", "PUT", OBJECT, put_object_tagging, _WRITE, "tagging", accepts=_VERSION
    ),
    Route(
        "DeleteObjectTagging",
        "DELETE",
        OBJECT,
        delete_object_tagging,
        _WRITE,
        "tagging",
        accepts=_VERSION,
    ),
    Route("GetBucketTagging", "GET", BUCKET, get_bucket_tagging, _READ, "tagging"),
    Route("PutBucketTagging", "PUT", BUCKET, put_bucket_tagging, _WRITE, "tagging"),
    Route("DeleteBucketTagging", "DELETE", BUCKET, delete_bucket_tagging, _WRITE, "tagging"),
)
