"""Continuation tokens: the name that a page ended with, in a form that clients do not interpret."""

from __future__ import annotations

import base64
import binascii

from jetstow.s3.errors import S3Error


def encode_token(name: str) -> str:
    """Return the token for the page after a name."""
    return base64.urlsafe_b64encode(name.encode()).decode()


def decode_token(token: str | None) -> str:
    """Return the name of a token; the empty string if there is no token.

    Raises: `S3Error` (InvalidArgument).
    """
    if not token:
        return ""
    try:
        return base64.b64decode(token, b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        message = "The continuation token provided is incorrect"
        raise S3Error("InvalidArgument", message, ArgumentName="continuation-token") from None
