"""Buckets: list, create, change, seal and delete them."""

from __future__ import annotations

import asyncio
from typing import Final, Literal

import msgspec
from msgspec import UNSET, UnsetType
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from jetstow import VersionCounts
from jetstow.console.access import (
    Session,
    may,
    open_call,
    open_owned_bucket,
    s3_request_of,
    signed_in,
)
from jetstow.console.context import context_of
from jetstow.console.json_body import read_json
from jetstow.console.object_api import is_locked
from jetstow.console.queries import iso_time, json_response
from jetstow.console.rows import BY_NAME
from jetstow.console.rows_api import new_views
from jetstow.s3.access import Access, check_allowed, may_list_bucket, owns_bucket
from jetstow.s3.buckets import Bucket, BucketState, check_new_name
from jetstow.s3.call import Call, new_caller
from jetstow.s3.errors import S3Error
from jetstow.s3.object_lock import ENABLED, has_object_lock
from jetstow.s3.reserved import OBJECT_LOCK, OWNER, POLICY
from jetstow.types import BucketOptions

_MAX_SIZE: Final = 64 * 1024
_PAGE: Final = 5_000
_NAME_RULE: Final = (
    "The name of a bucket has 3 to 63 lower-case letters, digits, '-' and '.', begins and ends "
    "with a letter or a digit, has one of them on both sides of each '.', and is not an IP address."
)


class BucketFields(msgspec.Struct):
    """A bucket. `size` is what the stream has in bytes, with chunks, metadata and versions.

    `objects` is the number of objects, and `versions` what the bucket keeps besides; None in a
    list, where they are not counted, and if there are too many.
    """

    name: str
    owner: str | None
    owned: bool
    created: str | None
    size: int
    replicas: int
    storage: str
    max_bytes: int | None
    max_age: float | None
    versioning: Literal["enabled", "suspended"] | None
    sealed: bool
    compressed: bool
    object_lock: bool
    description: str | None
    objects: int | None = None
    versions: VersionCounts | None = None


class _NewBucket(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    description: str | None = None
    storage: Literal["file", "memory"] = "file"
    replicas: int | None = None
    max_bytes: int | None = None
    max_age: float | None = None
    versioned: bool = False
    object_lock: bool = False


class _Change(msgspec.Struct, forbid_unknown_fields=True):
    description: str | UnsetType | None = UNSET
    max_bytes: int | UnsetType | None = UNSET
    max_age: float | UnsetType | None = UNSET
    replicas: int | UnsetType = UNSET
    versioning: Literal["enabled", "suspended"] | UnsetType = UNSET


class _Confirmation(msgspec.Struct, forbid_unknown_fields=True):
    confirm: str


async def list_buckets(request: Request) -> Response:
    """Return the buckets that the caller owns or may list."""
    session = signed_in(request)
    check_allowed(session.identity, Access.READ)
    found = []
    for bucket in await session.buckets.list():
        await asyncio.sleep(0)  # a long policy takes milliseconds
        request_of_bucket = s3_request_of(request, bucket.name)
        caller = new_caller(session.services, request_of_bucket, session.identity)
        if owns_bucket(session.identity, bucket) or may_list_bucket(caller, bucket):
            found.append(_describe(session, bucket))
    return json_response({"buckets": found})


async def show(request: Request) -> Response:
    """Return a bucket, with the numbers of its objects, and of its versions if it keeps any."""
    call = await open_call(request, request.path_params["bucket"], "HeadBucket")
    views = context_of(request).part(new_views)
    view = await views.open(call.buckets, call.bucket, "", BY_NAME, is_deep=True)
    fields = _describe(signed_in(request), call.bucket)
    fields.objects = None if view.is_partial else view.total
    if call.bucket.status.versioning is not None and may(call, "ListObjectVersions"):
        async with call.buckets.indexes.use(call.bucket.store) as index:
            fields.versions = (await index.page(limit=0)).versions
    return json_response(fields)


async def create(request: Request) -> Response:
    """Create a bucket, which belongs to the caller."""
    session = signed_in(request)
    given = await read_json(request, _NewBucket, max_size=_MAX_SIZE)
    if session.key.allow != "full":
        raise S3Error("AccessDenied", "A new bucket needs a key with full access.")
    _check_name(given.name)
    if not session.key.covers(given.name):
        raise S3Error("AccessDenied", "The key is not valid for a bucket of this name.")
    await _check_free(session, given.name)
    settings = {OWNER: session.key.owner}
    if given.object_lock:
        settings[OBJECT_LOCK] = ENABLED
    options: BucketOptions = {"storage": given.storage}
    if given.description:
        options["description"] = given.description
    if given.replicas is not None:
        options["replicas"] = given.replicas
    if given.max_bytes is not None:
        options["max_bytes"] = given.max_bytes
    if given.max_age is not None:
        options["ttl"] = given.max_age
    if given.versioned or given.object_lock:
        options["versioned"] = True
    bucket = await session.buckets.create(given.name, settings, **options)
    fields = _describe(session, bucket)
    fields.objects = 0
    return json_response(fields, 201)


async def change(request: Request) -> Response:
    """Change options of a bucket; None removes a limit."""
    session, name = signed_in(request), request.path_params["bucket"]
    given = await read_json(request, _Change, max_size=_MAX_SIZE)
    bucket = await open_owned_bucket(request, name)
    options: BucketOptions = {}
    if not isinstance(given.description, UnsetType):
        options["description"] = given.description or ""
    if not isinstance(given.max_bytes, UnsetType):
        options["max_bytes"] = -1 if given.max_bytes is None else given.max_bytes
    if not isinstance(given.max_age, UnsetType):
        options["ttl"] = given.max_age or 0
    if not isinstance(given.replicas, UnsetType):
        options["replicas"] = given.replicas
    if options:
        await session.buckets.update(bucket, **options)
    if not isinstance(given.versioning, UnsetType):
        await session.buckets.set_versioning(bucket, is_enabled=given.versioning == "enabled")
    return json_response(_describe(session, await session.buckets.open(name)))


async def seal(request: Request) -> Response:
    """Make a bucket read-only, permanently."""
    session, name = signed_in(request), request.path_params["bucket"]
    await _check_confirmation(request, name)
    await session.buckets.seal(await open_owned_bucket(request, name))
    return json_response(_describe(session, await session.buckets.open(name)))


async def delete(request: Request) -> Response:
    """Delete a bucket with all its objects, unless one of them is locked."""
    name = request.path_params["bucket"]
    await _check_confirmation(request, name)
    await open_owned_bucket(request, name)
    call = await open_call(request, name, "DeleteBucket")
    await _check_deletable(call)
    await call.buckets.delete(call.bucket)
    await call.uploads.records.remove_bucket(call.bucket.store.bucket)
    return Response(status_code=204)


def _describe(session: Session, bucket: BucketState) -> BucketFields:
    status = bucket.status
    owner = bucket.owner
    return BucketFields(
        name=bucket.name,
        owner=None if owner is None else session.services.keys.display_name(owner),
        owned=owns_bucket(session.identity, bucket),
        created=iso_time(status.created),
        size=status.size,
        replicas=status.replicas or 1,
        storage=str(getattr(status.storage_type, "value", status.storage_type)),
        max_bytes=status.max_bytes if status.max_bytes > 0 else None,
        max_age=status.ttl or None,
        versioning=status.versioning,
        sealed=bool(status.sealed),
        compressed=status.compressed,
        object_lock=has_object_lock(bucket),
        description=status.description or None,
    )


def _check_name(name: str) -> None:
    """Check the name of a new bucket. Raises: `S3Error` (InvalidBucketName)."""
    try:
        check_new_name(name)
    except S3Error as error:
        raise S3Error(error.code, _NAME_RULE, BucketName=name) from None


async def _check_free(session: Session, name: str) -> None:
    """Check that there is no bucket of a name. Raises: `S3Error`."""
    try:
        existing = await session.buckets.open(name)
    except S3Error as error:
        if error.code == "NoSuchBucket":
            return
        raise
    is_own = existing.owner == session.key.owner
    code = "BucketAlreadyOwnedByYou" if is_own else "BucketAlreadyExists"
    raise S3Error(code, BucketName=name)


async def _check_confirmation(request: Request, name: str) -> None:
    given = await read_json(request, _Confirmation, max_size=_MAX_SIZE)
    if given.confirm != name:
        raise S3Error("InvalidArgument", "confirm must be the name of the bucket.")


async def _check_deletable(call: Call) -> None:
    """Check that the caller may delete each object, and that no version is locked.

    Raises: `S3Error` (AccessDenied).
    """
    bucket: Bucket = call.bucket
    if bucket.status.versioning is not None:
        for info in await bucket.store.versions():
            if is_locked(info):
                message = f"The object {info.name!r} has a version that is locked."
                raise S3Error("AccessDenied", message)
    if POLICY not in bucket.settings:
        return
    async with call.buckets.indexes.use(bucket.store) as index:
        after: str | None = ""
        while after is not None:
            page = await index.page(after=after, limit=_PAGE)
            for entry in page.entries:
                call.check("DeleteObject", entry.name)
                await asyncio.sleep(0)  # a long policy takes milliseconds for each of them
            after = page.next


ROUTES: Final = [
    Route("/buckets", list_buckets, methods=["GET"]),
    Route("/buckets", create, methods=["POST"]),
    Route("/buckets/{bucket}", show, methods=["GET"]),
    Route("/buckets/{bucket}", change, methods=["PATCH"]),
    Route("/buckets/{bucket}", delete, methods=["DELETE"]),
    Route("/buckets/{bucket}/seal", seal, methods=["POST"]),
]
