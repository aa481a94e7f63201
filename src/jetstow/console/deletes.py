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
from jetstow.console.json_body import read_json
from jetstow.console.many import Failure, Outcome, Progress, work_on
from jetstow.console.names import sizes_below
from jetstow.console.streaming import ndjson
from jetstow.s3.call import Call
from jetstow.s3.deletes import Deleted, delete_one
from jetstow.s3.errors import S3Error
from jetstow.s3.request import check_key

# If there are more delete markers than this, none is returned: a part of a folder that comes back
# is worse than none.
_MAX_MARKERS: Final = 100_000


class _Selection(msgspec.Struct, forbid_unknown_fields=True):
    names: list[str] = []
    prefixes: list[str] = []


class Result(msgspec.Struct):
    """The end of a delete. `markers` are the versions that restore the objects when removed."""

    deleted: int
    failed: list[Failure]
    failed_count: int
    markers: dict[str, str]


async def delete(request: Request) -> Response:
    """Delete objects, and all objects below folders."""
    selection = await read_json(request, _Selection)
    if "" in selection.prefixes:
        raise S3Error("InvalidArgument", "An empty prefix would delete everything in the bucket.")
    bucket = request.path_params["bucket"]
    for prefix in selection.prefixes:
        # Who may not list a folder does not learn what was in it.
        await open_call(request, bucket, "ListObjectsV2", query={"prefix": prefix})
    call = await open_call(request, bucket, "DeleteObjects")
    return ndjson(request, _lines(signed_in(request), call, selection))


async def _lines(
    session: Session, call: Call, selection: _Selection
) -> AsyncGenerator[Progress | Result, None]:
    below = await sizes_below(call, selection.prefixes)
    names = [*dict.fromkeys((*selection.names, *below))]
    outcome = Outcome()
    markers: dict[str, str] = {}

    async def delete_name(name: str) -> None:
        deleted = await _delete_name(call, name)
        if deleted.is_marker and deleted.version is not None:
            markers[name] = deleted.version

    async with aclosing(work_on(session, names, delete_name, outcome)) as lines:
        async for line in lines:
            yield line
    shown = markers if len(markers) <= _MAX_MARKERS else {}
    yield Result(outcome.succeeded, outcome.failed, outcome.failed_count, shown)


async def _delete_name(call: Call, name: str) -> Deleted:
    """Delete an object as DeleteObjects does.

    Raises: `S3Error` (AccessDenied), what `delete_one` raises.
    """
    check_key(name)
    call.check("DeleteObject", name)
    return await delete_one(call.buckets, call.bucket, name)


ROUTES: Final = [Route("/buckets/{bucket}/delete", delete, methods=["POST"])]
