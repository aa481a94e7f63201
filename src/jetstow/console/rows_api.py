"""The rows of a folder, in windows."""

from __future__ import annotations

import asyncio
import mimetypes
from functools import lru_cache
from typing import Final, cast

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from jetstow import IndexEntry
from jetstow.console.access import open_call
from jetstow.console.context import Context, context_of
from jetstow.console.links import LinkTarget, visible_link
from jetstow.console.queries import iso_time, json_response, parse_choice, parse_flag, parse_number
from jetstow.console.rows import Order, Sort, View
from jetstow.console.views import Views
from jetstow.s3.call import Call
from jetstow.s3.objects import listed_time
from jetstow.s3.xml.writing import format_nanoseconds

MAX_LIMIT: Final = 1_000
_MAX_OFFSET: Final = 10**9


class FolderRow(msgspec.Struct, tag="folder", tag_field="type"):
    """A folder. The label is the part of the name below the folder that is shown."""

    name: str
    label: str


class ObjectRow(msgspec.Struct, tag="object", tag_field="type"):
    """An object. The content type is that of the name's ending."""

    name: str
    label: str
    size: int
    modified: str
    revision: int
    content_type: str | None
    link: LinkTarget | None


class DeletedRow(msgspec.Struct, tag="deleted", tag_field="type"):
    """A deleted object. The size is that of its newest version; `modified` is when it was deleted.

    `version` is the id of the delete marker.
    """

    name: str
    label: str
    size: int
    modified: str
    revision: int
    version: str


Row = FolderRow | ObjectRow | DeletedRow


class Rows(msgspec.Struct):
    """A window of rows, and the counts of all rows. `bytes` is the size of the objects.

    A delete of these rows has their `revision`, and the time at which the bucket was `created`: it
    keeps what changes later, and another bucket of the same name.
    `partial`: the bucket has too many names, and there are more rows than `total`.
    """

    total: int
    folders: int
    objects: int
    bytes: int
    offset: int
    created: str | None
    revision: int
    partial: bool
    rows: list[Row]


async def rows(request: Request) -> Response:
    """Return a window of a folder's rows."""
    name = request.path_params["bucket"]
    prefix = request.query_params.get("prefix", "")
    is_deep = parse_flag(request, "deep")
    order, offset, limit = _parse_window(request)
    query = {"prefix": prefix} if is_deep else {"prefix": prefix, "delimiter": "/"}
    # The current status: another bucket of the same name may be as old as the revision of a view.
    call = await open_call(request, name, "ListObjectsV2", query=query)
    views = context_of(request).part(new_views)
    view = await views.open(call.buckets, call.bucket, prefix, order, is_deep=is_deep)
    folders, entries = view.window(offset, limit)
    links = await _links(call, entries)
    skipped = len(prefix)
    found: list[Row] = [FolderRow(each, each[skipped:]) for each in folders]
    found += [_row(entry, skipped, links.get(entry.name)) for entry in entries]
    return _rows_response(call, view, offset, found)


async def deleted(request: Request) -> Response:
    """Return a window of the deleted objects below a folder."""
    prefix = request.query_params.get("prefix", "")
    order, offset, limit = _parse_window(request)
    call = await open_call(
        request, request.path_params["bucket"], "ListObjectVersions", query={"prefix": prefix}
    )
    views = context_of(request).part(new_views)
    view = await views.open(call.buckets, call.bucket, prefix, order, is_deleted=True)
    _, entries = view.window(offset, limit)
    found: list[Row] = [
        DeletedRow(
            entry.name, entry.name[len(prefix) :], entry.size, format_nanoseconds(entry.time),
            entry.revision, entry.version,
        )
        for entry in entries
    ]  # fmt: skip
    return _rows_response(call, view, offset, found)


def _parse_window(request: Request) -> tuple[Order, int, int]:
    """Return the order, the offset and the limit of a request for rows.

    Raises: `S3Error` (InvalidArgument).
    """
    sort = cast("Sort", parse_choice(request, "sort", ("name", "size", "modified")))
    is_descending = parse_choice(request, "order", ("asc", "desc")) == "desc"
    order = Order(request.query_params.get("filter", ""), sort, is_descending)
    offset = parse_number(request, "offset", 0, maximum=_MAX_OFFSET)
    return order, offset, parse_number(request, "limit", 200, maximum=MAX_LIMIT)


def _rows_response(call: Call, view: View, offset: int, rows: list[Row]) -> Response:
    # The index of a bucket with too many names has no revision: the status is from just before.
    revision = view.revision or call.bucket.status.stream_info.state.last_seq
    found = Rows(
        view.total, len(view.folders), len(view.entries), view.size, offset,
        iso_time(call.bucket.status.created), revision, view.is_partial, rows,
    )  # fmt: skip
    return json_response(found)


def new_views(context: Context) -> Views:  # noqa: ARG001
    """Return the views of a console."""
    return Views()


def _row(entry: IndexEntry, skipped: int, link: LinkTarget | None) -> ObjectRow:
    name = entry.name
    _, dot, ending = name.rpartition(".")
    return ObjectRow(
        name, name[skipped:], entry.size, format_nanoseconds(listed_time(entry)), entry.revision,
        _guess_type(ending) if dot else None, link,
    )  # fmt: skip


@lru_cache(maxsize=1024)
def _guess_type(ending: str) -> str | None:
    return mimetypes.guess_type(f"name.{ending}", strict=False)[0]


async def _links(call: Call, entries: list[IndexEntry]) -> dict[str, LinkTarget]:
    """Return the targets of the links in a window, which the index does not have."""
    names = [entry.name for entry in entries if entry.is_link]
    found = await asyncio.gather(*(visible_link(call, name) for name in names))
    return {name: link for name, link in zip(names, found, strict=True) if link is not None}


ROUTES: Final = [
    Route("/buckets/{bucket}/rows", rows, methods=["GET"]),
    Route("/buckets/{bucket}/deleted", deleted, methods=["GET"]),
]
