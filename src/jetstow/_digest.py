"""The text form of SHA-256 digests in metadata (ADR-20)."""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Final

_PREFIX: Final = "SHA-256="
_TO_URL: Final = bytes.maketrans(b"+/", b"-_")


def format_digest(raw: bytes) -> str:
    """Return a SHA-256 digest as metadata carries it: `SHA-256=` and padded base64url."""
    encoded = binascii.b2a_base64(raw, newline=False).translate(_TO_URL)
    return _PREFIX + encoded.decode("ascii")


def parse_digest(text: str) -> bytes | None:
    """Return the 32 bytes of a digest's text; None if it is not a SHA-256 digest.

    Other clients write the prefix in lower case, use the standard base64 alphabet, or leave
    the padding out.
    """
    if text[: len(_PREFIX)].upper() != _PREFIX:
        return None
    encoded = text[len(_PREFIX) :].rstrip("=").replace("+", "-").replace("/", "_")
    try:
        raw = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw if len(raw) == hashlib.sha256().digest_size else None
