"""Delete selected objects and folders, with progress."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from jetstow.console.access import Session, open_call, signed_in
from jetstow.console.errors import ConsoleError
from jetstow.console.json_body import read_json
from jetstow.console.many import Failure, Outcome, Progress, work_on
from jetstow.console.names import sizes_below
from jetstow.console.queries import iso_time
from jetstow.console.streaming import ndjson
from jetstow.errors import ObjectNotFoundError
from jetstow.s3.call import Call
from jetstow.s3.conditions import WriteConditions, find_info
from jetstow.s3.deletes import Deleted, delete_one
from jetstow.s3.errors import S3Error
from jetstow.s3.request import check_key

# If there are more delete markers than this, none is returned: a part of a folder that comes back
# is worse than none.
_MAX_MARKERS: Final = 100_000


# How many of the objects that were kept are listed.
_MAX_KEPT: Final = 1_000


class _Selection(msgspec.Struct, forbid_unknown_fields=True):
    """Objects by name, and all below prefixes, as they were at a revision of the bucket.

    That of the rows in which they were selected: what was changed or added later is kept, and so is
    another bucket of the same name, which was `created` at another time.
    """

    created: str
    revision: int
    names: list[str] = []
    prefixes: list[str] = []


class Result(msgspec.Struct):
    """The end of a delete. `markers` are the versions that restore the objects when removed.

    `kept` are objects that have changed since the revision. They may be more than are listed.
    """

    deleted: int
    kept: list[str]
    kept_count: int
    failed: list[Failure]
    failed_count: int
    markers: dict[str, str]


async def delete(request: Request) -> Response:
    """Delete objects, and all objects below folders, unless they have changed."""
    selection = await read_json(request, _Selection)
    if "" in selection.prefixes:
        raise S3Error("InvalidArgument", "An empty prefix would delete everything in the bucket.")
    bucket = request.path_params["bucket"]
    for prefix in selection.prefixes:
        # Who may not list a folder does not learn what was in it.
        await open_call(request, bucket, "ListObjectsV2", query={"prefix": prefix})
    call = await open_call(request, bucket, "DeleteObjects")
    if iso_time(call.bucket.status.created) != selection.created:
        raise ConsoleError("NewerBucket")
    return ndjson(request, _lines(signed_in(request), call, selection))


async def _lines(
    session: Session, call: Call, selection: _Selection
) -> AsyncGenerator[Progress | Result, None]:
    below = await sizes_below(call, selection.prefixes)
    names = [*dict.fromkeys((*selection.names, *below))]
    conditions = WriteConditions(max_revision=selection.revision)
    outcome = Outcome()
    kept: list[str] = []
    markers: dict[str, str] = {}

    async def delete_name(name: str) -> None:
        try:
            deleted = await _delete_name(call, name, conditions)
        except S3Error as error:
            if error.code != "PreconditionFailed":
                raise
            kept.append(name)
            return
        if deleted.is_marker and deleted.version is not None:
            markers[name] = deleted.version

    async with aclosing(work_on(session, names, delete_name, outcome)) as lines:
        async for line in lines:
            yield line
    yield Result(
        deleted=outcome.succeeded - len(kept),
        kept=kept[:_MAX_KEPT],
        kept_count=len(kept),
        failed=outcome.failed,
        failed_count=outcome.failed_count,
        markers=markers if len(markers) <= _MAX_MARKERS else {},
    )


async def _delete_name(call: Call, name: str, conditions: WriteConditions) -> Deleted:
    """Delete an object as DeleteObjects does.

    Raises: `S3Error` (AccessDenied, PreconditionFailed), what `delete_one` raises.
    """
    check_key(name)
    call.check("DeleteObject", name)
    return await delete_one(call.buckets, call.bucket, name, conditions=conditions)


class _Markers(msgspec.Struct, forbid_unknown_fields=True):
    """The delete markers of a delete, by name."""

    markers: dict[str, str]


class Undone(msgspec.Struct):
    """The end of an undo."""

    restored: int
    failed: list[Failure]
    failed_count: int


async def undo(request: Request) -> Response:
    """Undo a delete in a versioned bucket: remove its delete markers that are still current."""
    markers = (await read_json(request, _Markers)).markers
    call = await open_call(request, request.path_params["bucket"], "DeleteObjects")
    return ndjson(request, _undo_lines(signed_in(request), call, markers))


async def _undo_lines(
    session: Session, call: Call, markers: dict[str, str]
) -> AsyncGenerator[Progress | Undone, None]:
    outcome = Outcome()

    async def undo_name(name: str) -> None:
        await _remove_marker(call, name, markers[name])

    async with aclosing(work_on(session, [*markers], undo_name, outcome)) as lines:
        async for line in lines:
            yield line
    yield Undone(outcome.succeeded, outcome.failed, outcome.failed_count)


async def _remove_marker(call: Call, name: str, marker: str) -> None:
    """Remove a delete marker, so that the version before it is the current one again.

    Raises: `ConsoleError` (NewerVersion, NotDeleted: it was removed already), `S3Error`
    (AccessDenied, NoSuchVersion: there is no version before it), what `delete_one` raises.
    """
    check_key(name)
    call.check("DeleteObject", name, marker)
    store = call.bucket.store
    try:
        removed = await store.get_info(name, show_deleted=True, version=marker)
        current = await store.get_info(name, show_deleted=True)
    except ObjectNotFoundError:
        raise ConsoleError("NotDeleted") from None
    if not removed.deleted:
        raise ConsoleError("NotDeleted")
    if current.version != marker:
        raise ConsoleError("NewerVersion")
    await delete_one(call.buckets, call.bucket, name, marker)
    # While versioning is suspended, a delete marker replaces the object that has no version id.
    if await find_info(store, name) is None:
        raise S3Error("NoSuchVersion", "No version of the object is left.")


ROUTES: Final = [
    Route("/buckets/{bucket}/delete", delete, methods=["POST"]),
    Route("/buckets/{bucket}/delete/undo", undo, methods=["POST"]),
]
