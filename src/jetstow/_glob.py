"""Patterns of names, as shells have them: `logs/*.csv`, `**/*.py`, `img-[0-9]?.png`.

`*` and `?` stand for anything within one level of a name, whose levels end at slashes; `**`
stands for anything; `[a-z]` for one character of some, and `[!a-z]` for one of the others.
"""

from __future__ import annotations

import functools
import re


def matches(pattern: str, name: str) -> bool:
    """Whether all of a name is as the pattern says; upper and lower case are not the same."""
    return _compiled(pattern).fullmatch(name) is not None


@functools.lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile("".join(_parts(pattern)), re.DOTALL)


def _parts(pattern: str) -> list[str]:
    found, at = [], 0
    while at < len(pattern):
        char = pattern[at]
        at += 1
        if char == "*":
            stars = len(pattern) - len(pattern[at:].lstrip("*")) - at + 1
            at += stars - 1
            if stars == 1:
                found.append("[^/]*")
            elif pattern.startswith("/", at) and (at == stars or pattern[at - stars - 1] == "/"):
                at += 1  # `**/` stands for no level, too
                found.append("(?:.*/)?")
            else:
                found.append(".*")
        elif char == "?":
            found.append("[^/]")
        elif char == "[" and (end := pattern.find("]", at + 1 + pattern.startswith("!", at))) > 0:
            found.append(_some(pattern[at:end]))
            at = end + 1
        else:
            found.append(re.escape(char))
    return found


def _some(inside: str) -> str:
    """One character of a set such as `a-z_`, or of all others for `!a-z_`."""
    refused = inside.startswith("!")
    listed, at, chars = inside[refused:], 0, ""
    while at < len(listed):
        if listed[at + 1 : at + 2] == "-" and at + 2 < len(listed):
            first, last = listed[at], listed[at + 2]
            chars += f"{re.escape(first)}-{re.escape(last)}" if first <= last else ""
            at += 3
        else:
            chars += re.escape(listed[at])
            at += 1
    if refused:
        return f"[^/{chars}]"
    return f"(?!/)[{chars}]" if chars else "(?!)"


__all__ = ["matches"]
