"""Safe, distinct archive paths for object names.

A name is any text. A path must be safe to unpack on Linux, macOS and Windows: it must not lead
out of the folder or contain what a file system refuses. Unsafe characters are replaced by `%`
and two hexadecimal digits for each UTF-8 byte, as in a URL. Every other `%` has a meaning:

    %             an empty level (`a//b`, or the end of `a/`)
    name%         an object with the same name as a folder (`a`, if there is `a/b`)
    prefix%~hash  a level, or a whole name, that is too long for a file system
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final

# Windows refuses these characters. A backslash or a colon also changes the folder there.
_UNSAFE_CHARS: Final = frozenset('%\\:*?"<>|')

# In bytes. File systems limit a level to 255 bytes, macOS a path to 1,024.
_MAX_LEVEL_SIZE: Final = 200
_MAX_PATH_SIZE: Final = 800


class SafePaths:
    """The paths of a bucket's objects. A path depends on the other names in the bucket."""

    def __init__(self, names: Iterable[str]) -> None:
        self._folders = {
            name[:end] for name in names for end, char in enumerate(name) if char == "/"
        }

    def path(self, name: str) -> str:
        """Return the path of one of the names. The same names give the same paths."""
        levels = [_safe_level(level) for level in name.split("/")]
        if name in self._folders:
            levels[-1] += "%"
        path = "/".join(levels)
        return path if len(path.encode()) <= _MAX_PATH_SIZE else f"%~{_hash(name)}"


def _safe_level(level: str) -> str:
    if not level:
        return "%"
    # Windows removes a final dot or space. Escaping it also makes "." and ".." harmless.
    last = len(level) - 1 if level[-1] in ". " else None
    safe = "".join(
        _escape(char) if index == last or char in _UNSAFE_CHARS or not char.isprintable() else char
        for index, char in enumerate(level)
    )
    if len(safe.encode()) <= _MAX_LEVEL_SIZE:
        return safe
    prefix = "".join(char for char in safe[:64] if char.isalnum() and char.isascii())
    return f"{prefix}%~{_hash(level)}"


def _escape(char: str) -> str:
    return "".join(f"%{byte:02X}" for byte in char.encode())


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


__all__ = ["SafePaths"]
