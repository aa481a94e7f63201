"""Parameters of the API's queries, and times in its responses."""

from __future__ import annotations

import datetime
import re
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from jetstow.s3.errors import S3Error

_FLAGS: Final = {"": False, "0": False, "1": True}
_NUMBER: Final = re.compile("[0-9]{1,12}")


def parse_flag(request: Request, name: str) -> bool:
    """Return a parameter that is 0 or 1. Raises: `S3Error` (InvalidArgument)."""
    value = request.query_params.get(name, "")
    if value not in _FLAGS:
        raise invalid(name, value)
    return _FLAGS[value]


def parse_number(request: Request, name: str, default: int, *, maximum: int) -> int:
    """Return a number from 0 to a maximum. Raises: `S3Error` (InvalidArgument)."""
    value = request.query_params.get(name)
    if value is None:
        return default
    if not _NUMBER.fullmatch(value) or int(value) > maximum:
        raise invalid(name, value)
    return int(value)


def parse_choice(request: Request, name: str, choices: tuple[str, ...]) -> str:
    """Return one of several words, the first by default. Raises: `S3Error` (InvalidArgument)."""
    value = request.query_params.get(name, choices[0])
    if value not in choices:
        raise invalid(name, value)
    return value


def parse_name(request: Request) -> str:
    """Return the name of an object. Raises: `S3Error` (InvalidArgument)."""
    name = request.query_params.get("name", "")
    if not name:
        raise invalid("name", name)
    return name


def invalid(name: str, value: str) -> S3Error:
    """Return the error of a parameter whose value is not valid."""
    return S3Error(
        "InvalidArgument",
        f"The parameter {name} is missing or not valid.",
        ArgumentName=name,
        ArgumentValue=value,
    )


def json_response(content: Any, status: int = 200) -> Response:
    """Return a response with JSON: of a msgspec struct, or of what msgspec encodes."""
    return Response(msgspec.json.encode(content), status, media_type="application/json")


def iso_time(time: datetime.datetime | None) -> str | None:
    """Return a time in the form of all responses: ISO 8601 in UTC, or None."""
    if time is None:
        return None
    return time.astimezone(datetime.UTC).isoformat().replace("+00:00", "Z")
