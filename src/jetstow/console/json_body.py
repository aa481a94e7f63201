"""Read the JSON bodies of requests."""

from __future__ import annotations

import asyncio
from typing import Final, TypeVar

import msgspec
from starlette.requests import ClientDisconnect, Request

from jetstow.console.errors import ConsoleError
from jetstow.s3.body.raw import IDLE_TIMEOUT
from jetstow.s3.errors import ClientGoneError, S3Error

T = TypeVar("T")

# Names of up to 1,000 objects have 1 MiB at most.
MAX_SIZE: Final = 8 * 1024 * 1024


async def read_json(request: Request, kind: type[T], *, max_size: int = MAX_SIZE) -> T:
    """Return the body of a request as a msgspec struct.

    Raises: `ConsoleError` (PayloadTooLarge), `S3Error` (InvalidRequest: it is not JSON;
    InvalidArgument: a field is not valid; RequestTimeout), `ClientGoneError`.
    """
    # A form of another site cannot send this type.
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise S3Error("InvalidRequest", "The content-type must be application/json.")
    body = bytearray()
    try:
        async with asyncio.timeout(IDLE_TIMEOUT):
            async for piece in request.stream():
                body += piece
                if len(body) > max_size:
                    raise ConsoleError("PayloadTooLarge")
    except TimeoutError:
        raise S3Error("RequestTimeout") from None
    except ClientDisconnect:
        raise ClientGoneError from None
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        raise S3Error("InvalidArgument", f"{error}.") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise S3Error("InvalidRequest", "The body is not valid JSON.") from None
