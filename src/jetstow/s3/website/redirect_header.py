"""The header of an object that makes its page on a website a redirect."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from jetstow.s3.errors import S3Error
from jetstow.s3.reserved import REDIRECT

REDIRECT_LOCATION: Final = "x-amz-website-redirect-location"
# S3's limit, in bytes.
_MAX_SIZE: Final = 2048


def redirect_entries(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the reserved metadata of a new object that redirects: none without the header.

    Raises: `S3Error` (InvalidRedirectLocation).
    """
    location = headers.get(REDIRECT_LOCATION)
    if not location:
        return {}
    if not location.startswith(("/", "http://", "https://")) or len(location) > _MAX_SIZE:
        raise S3Error("InvalidRedirectLocation")
    return {REDIRECT: location}
