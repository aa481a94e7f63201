"""Undelete objects of a versioned bucket, with progress: their delete markers are removed."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from jetstow import BucketIndex
from jetstow.console.access import Session, open_call, signed_in
from jetstow.console.errors import ConsoleError
from jetstow.console.json_body import read_json
from jetstow.console.many import Failure, Outcome, Progress, work_on
from jetstow.console.streaming import ndjson
from jetstow.errors import ObjectNotFoundError
from jetstow.s3.call import Call
from jetstow.s3.deletes import delete_one
from jetstow.s3.errors import S3Error
from jetstow.s3.request import check_key

_PAGE: Final = 5_000


class _Selection(msgspec.Struct, forbid_unknown_fields=True):
    """Names that begin with a prefix, or by default all that are deleted there."""

    prefix: str = ""
    names: list[str] | None = None


class Result(msgspec.Struct):
    """The end of an undelete."""

    undeleted: int
    failed: list[Failure]
    failed_count: int


async def undelete(request: Request) -> Response:
    """Undelete objects below a prefix. The newest version that is left becomes the current one."""
    selection = await read_json(request, _Selection)
    for name in selection.names or ():
        if not name.startswith(selection.prefix):
            message = f"The name {name!r} does not begin with the prefix {selection.prefix!r}."
            raise S3Error("InvalidArgument", message)
    bucket = request.path_params["bucket"]
    # To find the delete markers is to list versions.
    await open_call(request, bucket, "ListObjectVersions", query={"prefix": selection.prefix})
    call = await open_call(request, bucket, "DeleteObjects")
    return ndjson(request, _lines(signed_in(request), call, selection))


async def _lines(
    session: Session, call: Call, selection: _Selection
) -> AsyncGenerator[Progress | Result, None]:
    outcome = Outcome()
    async with call.buckets.indexes.use(call.bucket.store) as index:
        names = selection.names
        if names is None:
            names = await _deleted_names(index, selection.prefix)

        async def undelete_name(name: str) -> None:
            await _undelete_name(call, index, name)

        unique = [*dict.fromkeys(names)]
        async with aclosing(work_on(session, unique, undelete_name, outcome)) as lines:
            async for line in lines:
                yield line
    yield Result(outcome.succeeded, outcome.failed, outcome.failed_count)


async def _deleted_names(index: BucketIndex, prefix: str) -> list[str]:
    names: list[str] = []
    after: str | None = ""
    while after is not None:
        page = await index.deleted(prefix, after=after, limit=_PAGE)
        names += [marker.name for marker, _ in page.entries]
        after = page.next
    return names


async def _undelete_name(call: Call, index: BucketIndex, name: str) -> None:
    """Remove the delete markers of a name until one of its versions is current.

    An object that was deleted twice has two.

    Raises: `ConsoleError` (NotDeleted), `S3Error` (AccessDenied, NoSuchVersion: only delete markers
    are left), what `delete_one` raises.
    """
    check_key(name)
    is_deleted = False
    while True:
        page = await index.deleted(name, limit=1)
        if not page.entries or page.entries[0][0].name != name:
            break
        marker = page.entries[0][0].version
        call.check("DeleteObject", name, marker)
        await delete_one(call.buckets, call.bucket, name, marker)
        is_deleted = True
    if not is_deleted:
        await _explain(call, name)


async def _explain(call: Call, name: str) -> None:
    """Raise why a name cannot be undeleted."""
    try:
        current = await call.bucket.store.get_info(name, show_deleted=True)
    except ObjectNotFoundError:
        raise S3Error("NoSuchKey", "There is no such object.") from None
    if current.deleted:
        raise S3Error("NoSuchVersion", "No version of the object is left.")
    raise ConsoleError("NotDeleted")


ROUTES: Final = [Route("/buckets/{bucket}/undelete", undelete, methods=["POST"])]
