"""Glob patterns for names: `logs/*.csv`, `**/*.py`, `img-[0-9]?.png`.

`*` and `?` match within one level, that is, up to the next slash; `**` matches across levels.
`[a-z]` matches one character of a set, `[!a-z]` one character outside of it. As in rsync and
`.gitignore`, a pattern without a slash applies to the last part of a name: `*.csv` matches at every
level.
"""

from __future__ import annotations

import functools
import re


def matches_name(pattern: str, name: str) -> bool:
    """Return whether a pattern matches a name, or its last part if the pattern has no slash."""
    return matches(pattern, name if "/" in pattern else name.rpartition("/")[2])


def matches(pattern: str, text: str) -> bool:
    """Return whether a pattern matches all of a text. Case matters."""
    return _compile(pattern).fullmatch(text) is not None


@functools.lru_cache(maxsize=256)
def _compile(pattern: str) -> re.Pattern[str]:
    return re.compile("".join(_translate(pattern)), re.DOTALL)


def _translate(pattern: str) -> list[str]:
    """Return the regular expression of a pattern, in parts."""
    parts, position = [], 0
    while position < len(pattern):
        char = pattern[position]
        position += 1
        if char == "*":
            stars = len(pattern) - len(pattern[position:].lstrip("*")) - position + 1
            position += stars - 1
            if stars == 1:
                parts.append("[^/]*")
            elif pattern.startswith("/", position) and (
                position == stars or pattern[position - stars - 1] == "/"
            ):
                position += 1  # `**/` also matches zero levels
                parts.append("(?:.*/)?")
            else:
                parts.append(".*")
        elif char == "?":
            parts.append("[^/]")
        elif char == "[" and (end := _find_set_end(pattern, position)) > 0:
            parts.append(_translate_set(pattern[position:end]))
            position = end + 1
        else:
            parts.append(re.escape(char))
    return parts


def _find_set_end(pattern: str, start: int) -> int:
    """Return the index of a set's `]`, or -1. As its first character, `]` is a member."""
    return pattern.find("]", start + 1 + pattern.startswith("!", start))


def _translate_set(content: str) -> str:
    """Return the regular expression of a set such as `a-z_` or `!a-z_`, without its brackets."""
    negated = content.startswith("!")
    members, position, chars = content[negated:], 0, ""
    while position < len(members):
        if members[position + 1 : position + 2] == "-" and position + 2 < len(members):
            first, last = members[position], members[position + 2]
            chars += f"{re.escape(first)}-{re.escape(last)}" if first <= last else ""
            position += 3
        else:
            chars += re.escape(members[position])
            position += 1
    if negated:
        return f"[^/{chars}]"
    return f"(?!/)[{chars}]" if chars else "(?!)"


__all__ = ["matches", "matches_name"]
