"""Read an object for GetObject and HeadObject: its headers, and its bytes by `jetstow.http`."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import Final

from jetstow.errors import ObjectChangedError
from jetstow.http import ObjectResponse, Selection, condition_headers, select
from jetstow.http.preconditions import needs_bytes
from jetstow.models import ObjectInfo
from jetstow.s3 import objects
from jetstow.s3.acl import Permission
from jetstow.s3.body.checksums import Checksum
from jetstow.s3.call import Call
from jetstow.s3.errors import S3Error
from jetstow.s3.lifecycle.rules import expiration_headers
from jetstow.s3.multipart.arguments import parse_part_number
from jetstow.s3.multipart.table import part_table
from jetstow.s3.result import Result
from jetstow.s3.versions import read_headers

# The parameters that replace a header of the response.
_OVERRIDES: Final = {
    "response-cache-control": "cache-control",
    "response-content-disposition": "content-disposition",
    "response-content-encoding": "content-encoding",
    "response-content-language": "content-language",
    "response-content-type": "content-type",
    "response-expires": "expires",
}
_REFUSED: Final = frozenset(
    {HTTPStatus.PRECONDITION_FAILED, HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE}
)


async def read_object(call: Call) -> Result:
    """Return the object of a GET or HEAD, by its conditions and its range or part.

    Raises: `S3Error` (PreconditionFailed, InvalidRange, InvalidPart), what `open` raises.
    """
    version = call.version
    overrides = _overrides(call)
    part = _part_number(call)
    prefetch = needs_bytes(call.request.method, call.request.headers)
    while True:
        file = await call.open_object(call.bucket, call.key, version, prefetch=prefetch)
        try:
            call.check_object(call.bucket, file.info, Permission.READ)
            selection = _select(call, file.info, part)
        except S3Error:
            await file.close()
            raise
        headers = objects.object_headers(file.info) | overrides | call.bucket.key_headers
        headers |= expiration_headers(call.bucket, file.info)
        headers |= read_headers(call.bucket, file.info)
        response = ObjectResponse(file, selection, headers, call.request.method)
        try:
            await response.read_first()
        except ObjectChangedError:
            continue  # nothing was sent yet: read the new object
        break
    if part is not None and (table := part_table(file.info)) is not None:
        response.headers["x-amz-mp-parts-count"] = str(table.count)
    if call.request.header("x-amz-checksum-mode") == "ENABLED":
        checksum = _checksum(file.info, selection, part)
        response.headers |= {} if checksum is None else checksum.headers
    return Result(selection.status, response=response)


def _select(call: Call, info: ObjectInfo, part: int | None) -> Selection:
    """Return the status and the bytes. S3 answers a HEAD with a range as it answers a GET.

    Raises: `S3Error` (PreconditionFailed, InvalidRange, InvalidPart).
    """
    size = info.size or 0
    conditions = condition_headers(call.request.raw_headers)
    modified = objects.modified_time(info)
    selection = select("GET", conditions, etag=objects.etag(info), modified=modified, size=size)
    if selection.status in _REFUSED:
        raise _error(call, selection)
    if part is None or selection.status != HTTPStatus.OK:
        return selection
    table = part_table(info)
    # An object that was not uploaded in parts is its part 1.
    bounds = table.range_of(part) if table is not None else (0, size) if part == 1 else None
    if bounds is None:
        raise S3Error("InvalidPart", "The requested partnumber is not satisfiable")
    start, stop = bounds
    status = HTTPStatus.PARTIAL_CONTENT if start < stop else HTTPStatus.OK
    return Selection(status, start, stop, size)


def _checksum(info: ObjectInfo, selection: Selection, part: int | None) -> Checksum | None:
    """Return the checksum of a whole object or a part; None for a range, and without a body."""
    checksum = objects.checksum(info)
    is_answer = selection.status == (HTTPStatus.OK if part is None else HTTPStatus.PARTIAL_CONTENT)
    if checksum is None or not is_answer:
        return None
    if part is not None and (table := part_table(info)) is not None:
        of_part = table.checksum(part)
        return None if of_part is None else replace(of_part, kind=checksum.kind)
    return checksum


def _error(call: Call, selection: Selection) -> S3Error:
    request = call.request
    if selection.status == HTTPStatus.PRECONDITION_FAILED:
        names = ("if-match", "if-unmodified-since")
        condition = next((name for name in names if name in request.headers), names[0])
        return S3Error("PreconditionFailed", Condition=condition.title())
    return S3Error(
        "InvalidRange",
        headers={"content-range": f"bytes */{selection.size}"},
        ActualObjectSize=selection.size,
        RangeRequested=request.header("range"),
    )


def _overrides(call: Call) -> dict[str, str]:
    """Return the headers that the query replaces.

    Raises: `S3Error` (InvalidRequest: without a signature, a link could turn any object that
    everyone may read into a page of the gateway's origin).
    """
    query = call.request.query
    overrides = {header: query[name] for name, header in _OVERRIDES.items() if name in query}
    if overrides and call.identity.key is None:
        message = "Request specific response headers cannot be used for anonymous GET requests."
        raise S3Error("InvalidRequest", message)
    return overrides


def _part_number(call: Call) -> int | None:
    """Return the number of the requested part. Raises: `S3Error`."""
    if "partNumber" not in call.request.query:
        return None
    number = parse_part_number(call.request.query)
    if call.request.header("range") is not None:
        message = "Cannot specify both Range header and partNumber query parameter"
        raise S3Error("InvalidRequest", message)
    return number
