"""Numbers of parts in requests."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from jetstow.s3.errors import S3Error
from jetstow.s3.multipart.model import MAX_PARTS

_NUMBER: Final = re.compile("[0-9]{1,5}")


def parse_part_number(query: Mapping[str, str]) -> int:
    """Return the number of the part of a request. Raises: `S3Error` (InvalidArgument)."""
    text = query.get("partNumber", "")
    if (number := part_number(text)) is not None:
        return number
    message = f"Part number must be an integer between 1 and {MAX_PARTS}, inclusive"
    raise S3Error("InvalidArgument", message, ArgumentName="partNumber", ArgumentValue=text)


def part_number(text: str) -> int | None:
    """Return the number of a part; None if a text is not one."""
    number = int(text) if _NUMBER.fullmatch(text) else 0
    return number if 1 <= number <= MAX_PARTS else None
