"""Object headers with a meaning: the content type, the tags, and the store's own headers.

Headers whose names begin with `Jetstow-` belong to the store. A user cannot set them, and
`update_meta` keeps them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from jetstow._headers import CONTENT_TYPE_HEADER, TAGS_HEADER, ObjectHeaders, is_reserved_header


def reserved_headers(headers: ObjectHeaders | None) -> ObjectHeaders:
    """Return the headers that belong to the store."""
    items = {} if headers is None else headers
    return ObjectHeaders(item for item in items.items() if is_reserved_header(item[0]))


def user_headers(headers: ObjectHeaders | None) -> ObjectHeaders | None:
    """Return the headers that do not belong to the store; None if there are none."""
    items = {} if headers is None else headers
    return ObjectHeaders(item for item in items.items() if not is_reserved_header(item[0])) or None


def joined_headers(*parts: dict[str, Any] | None) -> ObjectHeaders | None:
    """Return the headers of all parts, or None if there are none. The last part wins."""
    joined = ObjectHeaders()
    for part in parts:
        joined.update(ObjectHeaders(part or {}))
    return joined or None


def merge_headers(
    headers: ObjectHeaders | None, content_type: str | None, tags: Iterable[str] | None
) -> ObjectHeaders | None:
    """Return headers with a content type and tags; None keeps, an empty value removes them."""
    options = {CONTENT_TYPE_HEADER: content_type, TAGS_HEADER: tags}
    replaced = {name.lower() for name, value in options.items() if value is not None}
    items = {} if headers is None else headers
    merged = ObjectHeaders(item for item in items.items() if item[0].lower() not in replaced)
    if content_type:
        merged[CONTENT_TYPE_HEADER] = content_type
    if tags:
        merged |= ObjectHeaders({TAGS_HEADER: list(dict.fromkeys(tags))})
    return merged or None
