"""Query parameters of the operations on uploads."""

from __future__ import annotations

from collections.abc import Mapping

from jetstow.s3.errors import S3Error
from jetstow.s3.multipart.model import MAX_PARTS


def parse_part_number(query: Mapping[str, str]) -> int:
    """Return the number of the part of a request. Raises: `S3Error` (InvalidArgument)."""
    text = query.get("partNumber", "")
    if text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= MAX_PARTS:
        return int(text)
    message = f"Part number must be an integer between 1 and {MAX_PARTS}, inclusive"
    raise S3Error("InvalidArgument", message, ArgumentName="partNumber", ArgumentValue=text)
