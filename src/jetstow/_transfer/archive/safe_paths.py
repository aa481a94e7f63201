"""Objects' names as paths: harmless wherever they are unpacked, and never two the same.

Names are any text; paths must not lead out of a folder, or hold what file systems refuse.
What is hostile becomes `%` and two hexadecimal digits, as in an address. A `%` that stands
otherwise is ours:

    %            a part without a character (`a//b`, or the end of `a/`)
    name%        an object beside a folder of the same name (`a`, where `a/b` is)
    begin%~hash  a part, or a whole name, that is too long for a file system
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final

# Refused by Windows; the backslash and the colon also lead elsewhere there.
_HOSTILE: Final = frozenset('%\\:*?"<>|')

# File systems end a part at 255 bytes, and macOS a path at 1,024.
_LONGEST_PART: Final = 200
_LONGEST: Final = 800


class Paths:
    """The paths of a bucket's objects, which depend on each other's names."""

    def __init__(self, names: Iterable[str]) -> None:
        self._folders = {
            name[:end] for name in names for end, char in enumerate(name) if char == "/"
        }

    def path(self, name: str) -> str:
        """The path of one of them; the same for the same names."""
        parts = [_part(part) for part in name.split("/")]
        if name in self._folders:
            parts[-1] += "%"
        path = "/".join(parts)
        return path if len(path.encode()) <= _LONGEST else f"%~{_hash(name)}"


def _part(part: str) -> str:
    if not part:
        return "%"
    # Windows drops dots and spaces at the end; `.` and `..` consist of nothing else.
    last = len(part) - 1 if part[-1] in ". " else None
    path = "".join(
        _escaped(char) if place == last or char in _HOSTILE or not char.isprintable() else char
        for place, char in enumerate(part)
    )
    if len(path.encode()) <= _LONGEST_PART:
        return path
    begin = "".join(char for char in path[:64] if char.isalnum() and char.isascii())
    return f"{begin}%~{_hash(part)}"


def _escaped(char: str) -> str:
    return "".join(f"%{byte:02X}" for byte in char.encode())


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


__all__ = ["Paths"]
