"""The HTTP headers that describe an object."""

from __future__ import annotations

from typing import Final

from jetstow.http.dates import format_date
from jetstow.models import ObjectInfo

# Headers of objects that are headers of HTTP responses, too. The content type has a default.
_COPIED: Final = frozenset(
    {"cache-control", "content-disposition", "content-encoding", "content-language", "expires"}
)
_DEFAULT_TYPE: Final = "application/octet-stream"

# RFC 9110, 15.4.5: a 304 does not describe the content, which the cache has.
_CONTENT: Final = frozenset(
    {
        "accept-ranges",
        "content-disposition",
        "content-encoding",
        "content-language",
        "content-length",
        "content-range",
        "content-type",
    }
)


def content_headers(info: ObjectInfo, etag: str) -> dict[str, str]:
    """Return the headers of a response with an object; names are in lower case.

    Content type, encoding, language and disposition, cache control and expiry are those of the
    object's own headers.
    """
    headers = {
        "content-type": info.content_type or _DEFAULT_TYPE,
        "accept-ranges": "bytes",
        "etag": etag,
    }
    if info.modified is not None:
        headers["last-modified"] = format_date(info.modified)
    for name, value in (info.headers or {}).items():
        if name.lower() in _COPIED:
            headers[name.lower()] = value if isinstance(value, str) else ", ".join(value)
    return headers


def not_modified_headers(headers: dict[str, str]) -> dict[str, str]:
    """Return the headers of a 304 instead of a response with `headers`: those not of the content.

    Browsers need those of CORS in each response.
    """
    return {name: value for name, value in headers.items() if name not in _CONTENT}
