"""The route table: one line for each operation."""

from __future__ import annotations

from typing import Final

from jetstow.s3.access import Access
from jetstow.s3.errors import S3Error
from jetstow.s3.multipart_routes import MULTIPART_ROUTES
from jetstow.s3.not_implemented_routes import NOT_IMPLEMENTED_ROUTES
from jetstow.s3.operations.copy_object import copy_object
from jetstow.s3.operations.create_bucket import create_bucket
from jetstow.s3.operations.delete_bucket import delete_bucket
from jetstow.s3.operations.delete_object import delete_object
from jetstow.s3.operations.delete_objects import delete_objects
from jetstow.s3.operations.get_bucket_location import get_bucket_location
from jetstow.s3.operations.get_object import get_object
from jetstow.s3.operations.get_object_attributes import get_object_attributes
from jetstow.s3.operations.head_bucket import head_bucket
from jetstow.s3.operations.head_object import head_object
from jetstow.s3.operations.list_buckets import list_buckets
from jetstow.s3.operations.list_object_versions import list_object_versions
from jetstow.s3.operations.list_objects import list_objects
from jetstow.s3.operations.list_objects_v2 import list_objects_v2
from jetstow.s3.operations.post_object import post_object
from jetstow.s3.operations.preflight import preflight
from jetstow.s3.operations.put_object import put_object
from jetstow.s3.operations.rename_object import rename_object
from jetstow.s3.request import Request
from jetstow.s3.route import BUCKET, OBJECT, SERVICE, Route
from jetstow.s3.setting_routes import SETTING_ROUTES
from jetstow.s3.sources import COPY_SOURCE

_READ, _WRITE = Access.READ, Access.WRITE
_VERSION: Final = ("versionId",)
_VERSION_OR_PART: Final = ("versionId", "partNumber")

# The first line that matches a request counts: those with a query or a header come first.
ROUTES: Final = (
    *SETTING_ROUTES,
    *MULTIPART_ROUTES,
    *NOT_IMPLEMENTED_ROUTES,
    Route("ListBuckets", "GET", SERVICE, list_buckets, _READ, opens_bucket=False),
    Route("GetBucketLocation", "GET", BUCKET, get_bucket_location, _READ, "location"),
    Route("ListObjectVersions", "GET", BUCKET, list_object_versions, _READ, "versions"),
    Route("ListObjectsV2", "GET", BUCKET, list_objects_v2, _READ, "list-type"),
    Route("ListObjects", "GET", BUCKET, list_objects, _READ),
    Route("CreateBucket", "PUT", BUCKET, create_bucket, _WRITE, opens_bucket=False),
    Route("HeadBucket", "HEAD", BUCKET, head_bucket, _READ),
    Route("DeleteBucket", "DELETE", BUCKET, delete_bucket, _WRITE),
    Route("DeleteObjects", "POST", BUCKET, delete_objects, _WRITE, "delete"),
    Route(
        "GetObjectAttributes",
        "GET",
        OBJECT,
        get_object_attributes,
        _READ,
        "attributes",
        accepts=_VERSION,
    ),
    Route("GetObject", "GET", OBJECT, get_object, _READ, accepts=_VERSION_OR_PART),
    Route("HeadObject", "HEAD", OBJECT, head_object, _READ, accepts=_VERSION_OR_PART),
    Route("RenameObject", "PUT", OBJECT, rename_object, _WRITE, "renameObject"),
    Route("CopyObject", "PUT", OBJECT, copy_object, _WRITE, header=COPY_SOURCE),
    Route("PostObject", "POST", BUCKET, post_object, Access.PUBLIC, opens_bucket=False),
    Route("PutObject", "PUT", OBJECT, put_object, _WRITE),
    Route("DeleteObject", "DELETE", OBJECT, delete_object, _WRITE, accepts=_VERSION),
)

# The parameters that select an operation of S3. A request with one of them that has no route is
# refused. It never falls through to the plain operation: `DELETE /bucket?policy` must not delete
# the bucket.
SUBRESOURCES: Final = frozenset({
    "abac", "accelerate", "acl", "analytics", "attributes", "cors", "delete", "encryption",
    "intelligent-tiering", "inventory", "legal-hold", "lifecycle", "logging",
    "metadataConfiguration", "metadataInventoryTable", "metadataJournalTable", "metadataTable",
    "metrics", "notification", "object-lock", "ownershipControls", "partNumber", "policy",
    "policyStatus", "publicAccessBlock", "renameObject", "replication", "requestPayment", "restore",
    "retention", "select", "session", "tagging", "torrent", "uploadId", "uploads", "versionId",
    "versioning", "versions", "website",
})  # fmt: skip

_PREFLIGHT: Final = Route("PreflightObject", "OPTIONS", BUCKET, preflight, Access.PUBLIC)

_BY_TARGET: Final[dict[tuple[str, str], list[Route]]] = {}
for _route in ROUTES:
    _BY_TARGET.setdefault((_route.method, _route.level), []).append(_route)
_BUILT: Final = frozenset((route.level, route.query) for route in ROUTES if route.query)


def find_route(request: Request) -> Route:
    """Return the route of a request.

    Raises: `S3Error` (MethodNotAllowed, NotImplemented).
    """
    if request.method == "OPTIONS" and request.bucket:
        return _PREFLIGHT  # its query is that of the request to come
    level = OBJECT if request.key else BUCKET if request.bucket else SERVICE
    for route in _BY_TARGET.get((request.method, level), ()):
        if route.matches(request):
            _refuse_subresources(request, level, (route.query, *route.accepts))
            return route
    _refuse_subresources(request, level)
    raise S3Error("MethodNotAllowed", Method=request.method, ResourceType=level.upper())


def _refuse_subresources(request: Request, level: str, accepted: tuple[str, ...] = ()) -> None:
    for name in request.query:
        if name not in SUBRESOURCES or name in accepted:
            continue
        if (level, name) in _BUILT:
            raise S3Error("MethodNotAllowed", Method=request.method, ResourceType=name.upper())
        raise S3Error("NotImplemented", f"?{name} is not implemented.")
