"""Object headers with a meaning: the content type, the tags, and the store's own headers.

Headers whose names begin with `Jetstow-` belong to the store. A user cannot set them, and
`update_meta` keeps them.
"""

from __future__ import annotations

from collections.abc import Iterable

from jetstow._headers import CONTENT_TYPE_HEADER, TAGS_HEADER, Headers, is_reserved_header


def reserved_headers(headers: Headers | None) -> Headers:
    """Return the headers that belong to the store."""
    return {name: values for name, values in (headers or {}).items() if is_reserved_header(name)}


def user_headers(headers: Headers | None) -> Headers | None:
    """Return the headers that do not belong to the store; None if there are none."""
    return {
        name: values for name, values in (headers or {}).items() if not is_reserved_header(name)
    } or None


def merge_headers(
    headers: Headers | None, content_type: str | None, tags: Iterable[str] | None
) -> Headers | None:
    """Return headers with a content type and tags; None keeps, an empty value removes them."""
    options = {CONTENT_TYPE_HEADER: content_type, TAGS_HEADER: tags}
    replaced = {name.lower() for name, value in options.items() if value is not None}
    merged = {
        name: value for name, value in (headers or {}).items() if name.lower() not in replaced
    }
    if content_type:
        merged[CONTENT_TYPE_HEADER] = [content_type]
    if tags:
        merged[TAGS_HEADER] = list(dict.fromkeys(tags))
    return merged or None
