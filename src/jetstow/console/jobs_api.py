"""Start a job on a bucket. Its lines are the response; closing the request cancels it."""

from __future__ import annotations

from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from jetstow.console.access import (
    check_owner,
    open_bucket,
    open_call,
    open_owned_bucket,
    signed_in,
)
from jetstow.console.context import context_of
from jetstow.console.jobs import (
    Line,
    Work,
    collect_garbage,
    first_chunk_line,
    mirror_to,
    new_jobs,
    verify_bucket,
    verify_object,
)
from jetstow.console.json_body import read_json
from jetstow.console.reading import readable_info
from jetstow.console.streaming import ndjson
from jetstow.s3.errors import S3Error

_MAX_SIZE: Final = 16 * 1024
_UNKNOWN: Final[Line] = {"done": 0, "total": None}


class _Garbage(msgspec.Struct, forbid_unknown_fields=True):
    dry_run: bool = False


class _Mirror(msgspec.Struct, forbid_unknown_fields=True):
    to: str


async def verify(request: Request) -> Response:
    """Verify a bucket of the caller with all versions, or one object that the caller may read.

    Of an object, that is the current version unless `version` names another one.
    """
    bucket_name = request.path_params["bucket"]
    if (name := request.query_params.get("name")) is None:
        bucket = await open_bucket(request, bucket_name, "ListObjects")
        check_owner(request, bucket)
        return _job(request, verify_bucket(bucket.store), _UNKNOWN)
    version = request.query_params.get("version")
    call = await open_call(request, bucket_name, "GetObject", key=name, version=version)
    info = await readable_info(call)
    work = verify_object(call.bucket.store, info, call.version)
    return _job(request, work, first_chunk_line(info))


async def garbage(request: Request) -> Response:
    """Remove the chunks of a bucket that belong to no object, or with `dry_run` count them."""
    given = await read_json(request, _Garbage, max_size=_MAX_SIZE)
    bucket = await open_owned_bucket(request, request.path_params["bucket"])
    js = signed_in(request).js
    work = collect_garbage(js, bucket.store, dry_run=given.dry_run)
    return _job(request, work, _UNKNOWN)


async def mirror(request: Request) -> Response:
    """Copy all objects of a bucket to another one. Both are the caller's."""
    given = await read_json(request, _Mirror, max_size=_MAX_SIZE)
    name = request.path_params["bucket"]
    if given.to == name:
        raise S3Error("InvalidRequest", f"Bucket {name} is both the source and the target.")
    source = await open_owned_bucket(request, name)
    target = await open_owned_bucket(request, given.to)
    return _job(request, mirror_to(source.store, target.store), _UNKNOWN)


def _job(request: Request, work: Work, start: Line) -> Response:
    session, jobs = signed_in(request), context_of(request).part(new_jobs)
    lines = jobs.run(session.key.access_key, work, start, session.check)
    return ndjson(request, lines)


ROUTES: Final = [
    Route("/buckets/{bucket}/verify", verify, methods=["POST"]),
    Route("/buckets/{bucket}/garbage", garbage, methods=["POST"]),
    Route("/buckets/{bucket}/mirror", mirror, methods=["POST"]),
]
