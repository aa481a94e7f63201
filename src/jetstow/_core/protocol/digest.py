"""The digest of an object: SHA-256, written as ADR-20 writes it, read as anybody writes it."""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from typing_extensions import Buffer

_PREFIX: Final = "SHA-256="


class Digest:
    """The SHA-256 of bytes as they stream by."""

    __slots__ = ("_sha",)

    def __init__(self) -> None:
        self._sha = hashlib.sha256()

    def update(self, data: Buffer) -> None:
        """Add the next bytes."""
        self._sha.update(data)

    def __str__(self) -> str:
        """The digest so far as metadata carries it: `SHA-256=` and padded base64url."""
        return _PREFIX + base64.urlsafe_b64encode(self._sha.digest()).decode("ascii")

    def matches(self, written: str) -> bool:
        """Whether a digest that some client wrote names the bytes seen so far."""
        return written == str(self) or decode(written) == self._sha.digest()


def decode(written: str) -> bytes | None:
    """The 32 bytes of a written digest, or None if it is not a SHA-256 digest.

    Clients in the field write the prefix in lower case, use the standard base64 alphabet,
    or leave the padding out.
    """
    if written[: len(_PREFIX)].upper() != _PREFIX:
        return None
    encoded = written[len(_PREFIX) :].rstrip("=").replace("+", "-").replace("/", "_")
    try:
        raw = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw if len(raw) == hashlib.sha256().digest_size else None
