"""Names of objects as paths in a zip archive: safe to extract on any system, and all different."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import Final

# What Windows does not allow in a file name (a backslash would be a separator there), and what
# changes the direction of a text, so that another ending is shown.
_UNSAFE: Final = re.compile(
    r'[\x00-\x1f\x7f-\x9f"*:<>?\\|\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]'
)
# Devices of Windows, with or without an ending.
_DEVICE: Final = re.compile(r"(?i:con|prn|aux|nul|com[0-9]|lpt[0-9])(?=\.|$)")
# File systems have at most 255 bytes for a part of a path. Some are left for a number.
_MAX_PART: Final = 240


def archive_paths(names: Iterable[str], skipped: int) -> dict[str, str]:
    """Return a path in an archive for each name, which begins after `skipped` characters of it.

    Paths have no empty parts, `.` or `..`, and no characters that a system does not allow. Two that
    differ only in their case, or one that is a folder of another, get a number.
    """
    parts = {name: _safe_parts(name[skipped:]) for name in names}
    ordered = sorted("/".join(path).casefold() for path in parts.values())
    taken: set[str] = set()
    # Which numbers were used for a path: a bucket may have many names that become the same one.
    numbers: dict[str, int] = {}
    paths: dict[str, str] = {}
    for name, path in parts.items():
        folder = "".join(f"{part}/" for part in path[:-1])
        stem, dot, ending = path[-1].rpartition(".")
        if not stem:
            stem, dot, ending = path[-1], "", ""
        found = folder + path[-1]
        first = key = found.casefold()
        while key in taken or _is_folder(key, ordered):
            number = numbers[first] = numbers.get(first, 1) + 1
            found = f"{folder}{stem} ({number}){dot}{ending}"
            key = found.casefold()
        taken.add(key)
        paths[name] = found
    return paths


def _is_folder(path: str, ordered: Sequence[str]) -> bool:
    """Return whether one of the paths, which are sorted, is below another one."""
    place = bisect_left(ordered, f"{path}/")
    return place < len(ordered) and ordered[place].startswith(f"{path}/")


def _safe_parts(name: str) -> list[str]:
    parts = [_safe(part) for part in name.split("/") if part not in ("", ".")]
    return parts or ["_"]


def _safe(part: str) -> str:
    if part.strip(".") == "":
        return "_" * len(part[:_MAX_PART])
    safe = _UNSAFE.sub("_", part)
    safe = _DEVICE.sub(r"_\g<0>", safe, count=1) if _DEVICE.match(safe) else safe
    # Windows drops blanks and dots at the end.
    stripped = safe.rstrip(" .")
    safe = stripped + "_" * (len(safe) - len(stripped))
    return safe.encode("utf-8", "replace")[:_MAX_PART].decode("utf-8", "ignore")
