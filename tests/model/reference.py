"""What a bucket may hold, as far as anybody was told: the dictionary that it is compared with.

What was acknowledged is so. What was refused has changed nothing. Of what ended without an
answer, both is possible, until somebody looks.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass


class ViolationError(AssertionError):
    """A promise is broken."""


@dataclass(frozen=True)
class Object:
    """Bytes under a name, and what was said of them; or the name that a link leads to."""

    data: bytes
    description: str = ""
    link: str | None = None

    def __repr__(self) -> str:
        what = f"-> {self.link}" if self.link else f"{len(self.data)} bytes {self.data[:8]!r}"
        return f"<{what} {self.description!r}>"


State = Object | None


class Truth:
    """For each name, the states that are possible."""

    def __init__(self) -> None:
        self._possible: dict[str, set[State]] = defaultdict(lambda: {None})
        # What was asked for and not answered may still be on its way.
        self._late: dict[str, set[State]] = defaultdict(set)
        self._moves: list[tuple[str, Object, str, Object]] = []

    @property
    def names(self) -> list[str]:
        """Every name that was ever written."""
        return sorted(self._possible)

    def of(self, name: str) -> frozenset[State]:
        """What may be there."""
        return frozenset(self._possible[name])

    def is_so(self, name: str, *states: State) -> None:
        """A write was acknowledged: what is there is one of these."""
        self._possible[name] = set(states)
        self._late[name] = set()
        self._forget_moves(name)

    def may_be(self, name: str, *states: State) -> None:
        """A write ended without an answer."""
        self._possible[name].update(states)
        self._late[name].update(states)
        self._forget_moves(name)

    def may_have_moved(self, name: str, before: Object, new: str, after: Object) -> None:
        """A rename ended without an answer: one of the two names has the object."""
        self._moves.append((name, before, new, after))

    def seen(self, name: str, state: State) -> None:
        """Somebody looked. Raises `ViolationError` if that cannot be."""
        if state not in self._possible[name]:
            raise ViolationError(
                f"{name!r} is {state!r}, and can only be one of {self._possible[name]!r}"
            )
        self._possible[name] = {state} | self._late[name]

    def settle(self) -> None:
        """Nothing is on its way any more."""
        self._late.clear()

    def check_moves(self) -> None:
        """Raises `ViolationError` for an object that neither of its names has."""
        for old, before, new, after in self._moves:
            if before not in self._possible[old] and after not in self._possible[new]:
                raise ViolationError(f"{before!r} was lost on its way from {old!r} to {new!r}")
        self._moves.clear()

    def _forget_moves(self, name: str) -> None:
        self._moves = [move for move in self._moves if name not in (move[0], move[2])]
