"""The state of the NATS server behind the gateway, and of the indexes of buckets."""

from __future__ import annotations

import asyncio
import time
from typing import Any, Final

import nats.errors
from nats.js.errors import Error as JetStreamError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from jetstow import BucketIndex, JetStreamContext
from jetstow.console.access import Session, s3_request_of, signed_in
from jetstow.errors import JetstowError
from jetstow.s3.access import may_list_bucket
from jetstow.s3.call import new_caller
from jetstow.s3.errors import S3Error

# How long NATS, and each index, may take to answer, in seconds.
_TIMEOUT: Final = 2

# uvloop raises RuntimeError for a write to a connection that the server has closed.
_ERRORS: Final = (
    JetstowError, nats.errors.Error, JetStreamError, OSError, RuntimeError, TimeoutError,
)  # fmt: skip


async def show_health(request: Request) -> Response:
    """Return the state of the server, and of the indexes of buckets that the key may list.

    The limits of the account are for administrators.
    """
    session = signed_in(request)
    client = session.js._nc  # noqa: SLF001 - nats-py has no public name for it
    server = client._server_info  # noqa: SLF001 - and none for the cluster
    round_trip, jetstream, indexes = None, None, []
    if client.is_connected:
        round_trip, jetstream, indexes = await asyncio.gather(
            _round_trip(session.js),
            _jetstream(session.js) if session.key.admin else _nothing(),
            _indexes(request, session),
        )
    return JSONResponse({
        "server": {
            "name": server.get("server_name", ""),
            "version": server.get("version", ""),
            "cluster": server.get("cluster"),
            # Those that the server has advertised: one with several addresses counts as several.
            "servers": len({each.netloc for each in client.servers}),
        },
        "jetstream": jetstream,
        "connected": bool(client.is_connected),
        "round_trip_ms": round_trip,
        "indexes": indexes,
    })  # fmt: skip


async def _nothing() -> None:
    return None


async def _round_trip(js: JetStreamContext) -> float | None:
    """Return the round trip to the server in ms; None if it does not answer."""
    try:
        return _milliseconds(await js._nc.rtt(_TIMEOUT))  # noqa: SLF001
    except _ERRORS:
        return None


async def _jetstream(js: JetStreamContext) -> dict[str, int] | None:
    """Return what the account uses, and its limits (-1: none); None if it is not answered."""
    try:
        async with asyncio.timeout(_TIMEOUT):
            info = await js.account_info()
    except _ERRORS:
        return None
    limits = info.limits
    return {
        "memory": info.memory,
        "max_memory": _limit(limits.max_memory),
        "storage": info.storage,
        "max_storage": _limit(limits.max_storage),
        "streams": info.streams,
        "max_streams": _limit(limits.max_streams),
    }


def _limit(value: int | None) -> int:
    return -1 if value is None else value


async def _indexes(request: Request, session: Session) -> list[dict[str, Any]]:
    opened = session.buckets.indexes.opened() if session.may_read else []
    found = await asyncio.gather(*(_index(request, session, *each) for each in opened))
    return sorted(filter(None, found), key=lambda each: each["bucket"])


async def _index(
    request: Request, session: Session, stream: str, index: BucketIndex
) -> dict[str, Any] | None:
    """Return the state of an index; None if its bucket is gone, or the caller may not list it."""
    try:
        bucket = await session.buckets.open_stream(stream)
        s3_request = s3_request_of(request, bucket.name)
        caller = new_caller(session.services, s3_request, session.identity)
        if not may_list_bucket(caller, bucket):
            return None
    except (S3Error, *_ERRORS):
        return None
    names, lag = None, None
    started = time.perf_counter()
    try:
        async with asyncio.timeout(_TIMEOUT):
            # The page has all changes that the server had when it was requested.
            names = (await index.page(limit=0)).names
        lag = _milliseconds(time.perf_counter() - started)
    except (ValueError, *_ERRORS):  # ValueError: it was closed
        pass
    return {"bucket": bucket.name, "names": names, "lag_ms": lag}


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 2)


ROUTES: Final = [Route("/health", show_health, methods=["GET"])]
