"""SHA-256 digests of objects: the text form of ADR-20, and the comparison of such texts."""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from typing_extensions import Buffer

_PREFIX: Final = "SHA-256="


class Digest:
    """The SHA-256 digest of a stream of bytes; `str()` returns its text form."""

    __slots__ = ("_sha",)

    def __init__(self, data: Buffer = b"") -> None:
        self._sha = hashlib.sha256(data)

    def update(self, data: Buffer) -> None:
        """Add the next bytes."""
        self._sha.update(data)

    def copy(self) -> Digest:
        """Return a copy that can be updated independently."""
        other = Digest()
        other._sha = self._sha.copy()
        return other

    def raw(self) -> bytes:
        """Return the 32 bytes of the digest so far."""
        return self._sha.digest()

    def matches(self, text: str) -> bool:
        """Return whether a digest's text, as any client writes it, is the digest so far."""
        return parse_digest(text) == self._sha.digest()

    def __str__(self) -> str:
        return format_digest(self._sha.digest())


def format_digest(raw: bytes) -> str:
    """Return a SHA-256 digest as metadata carries it: `SHA-256=` and padded base64url."""
    return _PREFIX + base64.urlsafe_b64encode(raw).decode("ascii")


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


def digests_equal(a: str, b: str) -> bool:
    """Return whether two texts are the same digest, however clients have written it.

    Texts that are not SHA-256 digests are equal if they are the same text. An empty text is not
    a digest and equals nothing.
    """
    if a == b:
        return bool(a)
    raw = parse_digest(a)
    return raw is not None and raw == parse_digest(b)
