"""Delete selected objects and folders, with progress."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass, field
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from jetstow._core.aio.background import running
from jetstow.console.access import Session, open_call, signed_in
from jetstow.console.json_body import read_json
from jetstow.console.names import sizes_below
from jetstow.console.streaming import ndjson
from jetstow.s3.call import Call
from jetstow.s3.deletes import Deleted, delete_one
from jetstow.s3.errors import S3Error, to_s3_error
from jetstow.s3.request import check_key

_CONCURRENT: Final = 32
# The time between two lines of progress, in seconds.
_INTERVAL: Final = 0.2
# How many failures are listed. If there are more delete markers than this, none is returned: a
# part of a folder that comes back is worse than none.
_MAX_FAILED: Final = 1_000
_MAX_MARKERS: Final = 100_000


class _Selection(msgspec.Struct, forbid_unknown_fields=True):
    names: list[str] = []
    prefixes: list[str] = []


class Progress(msgspec.Struct):
    """How many of the objects are done."""

    done: int
    total: int


class Failure(msgspec.Struct):
    """An object that was not deleted, and why."""

    name: str
    code: str
    message: str


class Result(msgspec.Struct):
    """The end of a delete. `markers` are the versions that restore the objects when removed."""

    deleted: int
    failed: list[Failure]
    failed_count: int
    markers: dict[str, str]


@dataclass(slots=True)
class _State:
    """What was done so far."""

    done: int = 0
    failed: list[Failure] = field(default_factory=list)
    failed_count: int = 0
    markers: dict[str, str] = field(default_factory=dict)


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
    state = _State()
    yield Progress(0, len(names))
    async with running(_delete_all(call, names, state)) as working:
        while not working.done():
            await asyncio.wait([working], timeout=_INTERVAL)
            session.check()  # a delete may take longer than it
            yield Progress(state.done, len(names))
        working.result()
    markers = state.markers if len(state.markers) <= _MAX_MARKERS else {}
    yield Result(state.done - state.failed_count, state.failed, state.failed_count, markers)


async def _delete_all(call: Call, names: list[str], state: _State) -> None:
    queue = iter(names)
    async with asyncio.TaskGroup() as group:
        for _ in range(_CONCURRENT):
            group.create_task(_delete_some(call, queue, state))


async def _delete_some(call: Call, queue: Iterator[str], state: _State) -> None:
    for name in queue:
        try:
            deleted = await _delete_name(call, name)
        except Exception as error:  # noqa: BLE001 - each error is part of the result
            known = to_s3_error(error)
            state.failed_count += 1
            if len(state.failed) < _MAX_FAILED:
                state.failed.append(Failure(name, known.code, known.message))
        else:
            if deleted.is_marker and deleted.version is not None:
                state.markers[name] = deleted.version
        state.done += 1


async def _delete_name(call: Call, name: str) -> Deleted:
    """Delete an object as DeleteObjects does.

    Raises: `S3Error` (AccessDenied), what `delete_one` raises.
    """
    check_key(name)
    call.check("DeleteObject", name)
    return await delete_one(call.buckets, call.bucket, name)


ROUTES: Final = [Route("/buckets/{bucket}/delete", delete, methods=["POST"])]
