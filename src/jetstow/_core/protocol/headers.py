"""Headers of an object that mean something: its content type, its tags, and our own.

Those that begin with `Jetstow-` are the store's: a user cannot set them, and describing an
object anew leaves them where they are.
"""

from __future__ import annotations

from collections.abc import Iterable

from jetstow.models import CONTENT_TYPE, TAGS, Headers, is_store_header


def store_headers(headers: Headers | None) -> Headers:
    """The store's own headers."""
    return {name: values for name, values in (headers or {}).items() if is_store_header(name)}


def user_headers(headers: Headers | None) -> Headers | None:
    """The others; None for none."""
    return {
        name: values for name, values in (headers or {}).items() if not is_store_header(name)
    } or None


def merge_headers(
    headers: Headers | None, content_type: str | None, tags: Iterable[str] | None
) -> Headers | None:
    """Headers with a content type and tags, where those are given; empty ones take them out."""
    given = {CONTENT_TYPE: content_type, TAGS: tags}
    said = {name.lower(): value for name, value in given.items() if value is not None}
    found = {name: value for name, value in (headers or {}).items() if name.lower() not in said}
    if content_type:
        found[CONTENT_TYPE] = [content_type]
    if tags:
        found[TAGS] = list(dict.fromkeys(tags))
    return found or None
