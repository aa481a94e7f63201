"""Read an object for GetObject and HeadObject: its headers, and its bytes by `jetstow.http`."""

from __future__ import annotations

from http import HTTPStatus

from jetstow.http import ObjectResponse
from jetstow.s3 import objects
from jetstow.s3.call import Call
from jetstow.s3.errors import S3Error
from jetstow.s3.result import Result


async def read_object(call: Call) -> Result:
    """Return the object of a GET or HEAD, by its conditions and its range.

    Raises: `S3Error` (PreconditionFailed, InvalidRange), what `open` raises.
    """
    request = call.request
    scope = {"headers": request.raw_headers, "method": request.method}
    response = await ObjectResponse.open(call.bucket.store, call.key, scope, etag=objects.etag)
    selection, info = response.selection, response.info
    if selection.status in (
        HTTPStatus.PRECONDITION_FAILED,
        HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
    ):
        await response.close()
        raise _error(call, selection.status, selection.size)
    response.headers = objects.object_headers(info)
    if selection.status == HTTPStatus.OK and request.header("x-amz-checksum-mode") == "ENABLED":
        checksum = objects.checksum(info)
        response.headers |= {} if checksum is None else checksum.headers
    return Result(selection.status, response=response)


def _error(call: Call, status: int, size: int) -> S3Error:
    if status == HTTPStatus.PRECONDITION_FAILED:
        names = ("if-match", "if-unmodified-since")
        condition = next((name for name in names if name in call.request.headers), names[0])
        return S3Error("PreconditionFailed", Condition=condition.title())
    return S3Error(
        "InvalidRange",
        headers={"content-range": f"bytes */{size}"},
        ActualObjectSize=size,
        RangeRequested=call.request.header("range"),
    )
