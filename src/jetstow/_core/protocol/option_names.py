"""Names of keyword options: an error for one that does not exist, with the nearest that does."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable
from itertools import takewhile

from jetstow.errors import InvalidOptionError


def check_option_names(
    function: str, given: Iterable[str], known: Collection[str], *, bucket: str | None = None
) -> None:
    """Raise `InvalidOptionError` for the first name that `function` does not know.

    `known` has the names of the options, and those of the arguments that a hint may name.
    """
    for name in given:
        if name not in known:
            close = _nearest(name, known)
            hint = f"did you mean {close!r}?" if close else f"it has {', '.join(sorted(known))}"
            raise InvalidOptionError(f"{function} has no option {name!r}: {hint}", bucket=bucket)


def _nearest(name: str, known: Collection[str]) -> str | None:
    """Return the similar name that has the longest common beginning: users know how it starts."""

    def common_beginning(other: str) -> int:
        return sum(
            1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(name, other, strict=False))
        )

    return max(difflib.get_close_matches(name, sorted(known)), key=common_beginning, default=None)
