"""Names of the object headers that have a meaning for jetstow, and access to their values."""

from __future__ import annotations

import datetime
from typing import Final

Headers = dict[str, list[str]]

# The headers that jetstow reads. Users cannot set the headers that begin with "Jetstow-".
CONTENT_TYPE_HEADER: Final = "Content-Type"
TAGS_HEADER: Final = "Tags"
EXPIRES_HEADER: Final = "Jetstow-Expires"
ENCRYPTION_HEADER: Final = "Jetstow-Encryption"
LINK_TAG_HEADER: Final = "Jetstow-Link-Tag"


def is_reserved_header(name: str) -> bool:
    """Return whether a header begins with "Jetstow-", in any case: users cannot set it."""
    return name.lower().startswith("jetstow-")


def header_values(headers: Headers | None, name: str) -> list[str]:
    """Return the values of a header. Its name is compared without regard to case."""
    if not headers:
        return []
    if name not in headers:
        name = next((key for key in headers if key.lower() == name.lower()), name)
    return headers.get(name, [])


def expiry_from_headers(headers: Headers | None) -> datetime.datetime | None:
    """Return the expiry time in the headers; None if there is none or it is not ISO 8601."""
    if not (values := header_values(headers, EXPIRES_HEADER)):
        return None
    try:
        time = datetime.datetime.fromisoformat(values[0])
    except ValueError:
        return None
    return time if time.tzinfo is not None else time.replace(tzinfo=datetime.UTC)
