"""SHA-256 digests of objects: the text form of ADR-20, and the comparison of such texts."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from jetstow._digest import format_digest, parse_digest

if TYPE_CHECKING:
    from typing_extensions import Buffer


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
        raw = self._sha.digest()
        return text == format_digest(raw) or parse_digest(text) == raw

    def __str__(self) -> str:
        return format_digest(self._sha.digest())


def digests_equal(a: str, b: str) -> bool:
    """Return whether two texts are the same digest, however clients have written it.

    Texts that are not SHA-256 digests are equal if they are the same text. An empty text is not
    a digest and equals nothing.
    """
    if a == b:
        return bool(a)
    raw = parse_digest(a)
    return raw is not None and raw == parse_digest(b)


__all__ = ["Digest", "digests_equal", "format_digest", "parse_digest"]
