"""Match texts with the wildcards of policies, in a time that no pattern makes long.

Not by regular expressions: a policy of 20 KB and a long header would take them half a second.
"""

from __future__ import annotations

from functools import lru_cache


def matches_wildcards(pattern: str, text: str) -> bool:
    """Return whether a text matches a pattern with `*` (any text) and `?` (one character)."""
    first, *middle = pattern.split("*")
    if not middle:
        return len(pattern) == len(text) and _fits(pattern, text, 0)
    *middle, last = middle
    position, end = len(first), len(text) - len(last)
    if position > end or not _fits(first, text, 0) or not _fits(last, text, end):
        return False
    for part in middle:
        found = _find(part, text, position, end)
        if found < 0:
            return False
        position = found + len(part)
    return True


def _fits(part: str, text: str, position: int) -> bool:
    """Return whether a part of a pattern, which has no stars, is at a position of a text."""
    for piece in part.split("?"):
        if not text.startswith(piece, position):
            return False
        position += len(piece) + 1
    return True


def _find(part: str, text: str, start: int, end: int) -> int:
    """Return the first place of a part of a pattern in a text, or -1.

    All places are tried at once, one bit each: each character of the part excludes some of them.
    """
    if "?" not in part:
        return text.find(part, start, end)
    count = end - len(part) - start + 1
    if count <= 0:
        return -1
    found = ((1 << count) - 1) << start
    places = _places(text)
    for offset, character in enumerate(part):
        if character != "?":
            found &= places.get(character, 0) >> offset
            if not found:
                return -1
    return (found & -found).bit_length() - 1


@lru_cache(maxsize=8)  # of a long text with many different characters, it has 2 MB
def _places(text: str) -> dict[str, int]:
    """Return where each character of a text is, as bits of a number."""
    places: dict[str, int] = {}
    for position, character in enumerate(text):
        places[character] = places.get(character, 0) | 1 << position
    return places
