"""The reference model of a bucket: a dictionary from names to possible states.

An acknowledged write leaves one state. A rejected write changes nothing. After a write without a
reply both states are possible, until a read returns one of them.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass


class ViolationError(AssertionError):
    """A result or a state that no order of the operations explains."""


@dataclass(frozen=True)
class Object:
    """The bytes and the description of an object, or the target name of a link."""

    data: bytes
    description: str = ""
    link: str | None = None

    def __repr__(self) -> str:
        content = f"-> {self.link}" if self.link else f"{len(self.data)} bytes {self.data[:8]!r}"
        return f"<{content} {self.description!r}>"


State = Object | None


def bucket_link(bucket: str) -> Object:
    """Return the state of a link to a whole bucket."""
    return Object(b"", "", f"{bucket}/")


def is_bucket_link(state: Object) -> bool:
    return state.link is not None and state.link.endswith("/")


class ReferenceModel:
    """The possible states of each name. None is the state of a missing object."""

    def __init__(self) -> None:
        self._possible: dict[str, set[State]] = defaultdict(lambda: {None})
        # The server may still execute a request that has had no reply.
        self._pending: dict[str, set[State]] = defaultdict(set)
        self._renames: list[tuple[str, Object, str, Object]] = []

    @property
    def names(self) -> list[str]:
        """Every name that was written, sorted."""
        return sorted(self._possible)

    def possible(self, name: str) -> frozenset[State]:
        """Return the possible states of a name."""
        return frozenset(self._possible[name])

    def is_certain(self, name: str) -> bool:
        """Return whether the state of a name is known, and no request may still change it."""
        return len(self._possible[name]) == 1 and not self._pending[name]

    def acknowledged(self, name: str, *states: State) -> None:
        """Record an acknowledged write: the state is one of these."""
        self._possible[name] = set(states)
        self._pending[name] = set()
        self._forget_renames(name)

    def unknown(self, name: str, *states: State) -> None:
        """Record a write without a reply: these states are possible, too."""
        self._possible[name].update(states)
        self._pending[name].update(states)
        self._forget_renames(name)

    def unknown_rename(self, name: str, before: Object, new: str, after: Object) -> None:
        """Record a rename without a reply: one of the two names has the object."""
        self._renames.append((name, before, new, after))

    def observed(self, name: str, state: State) -> None:
        """Record the state that a read returned.

        Raises: `ViolationError` (the state is not possible).
        """
        if state not in self._possible[name]:
            raise ViolationError(
                f"{name!r} is {state!r}; possible states: {self._possible[name]!r}"
            )
        self._possible[name] = {state} | self._pending[name]

    def clear_pending(self) -> None:
        """Record that the server has executed all requests."""
        self._pending.clear()

    def check_renames(self) -> None:
        """Check the renames without a reply.

        Raises: `ViolationError` (neither name has the object).
        """
        for old, before, new, after in self._renames:
            if before not in self._possible[old] and after not in self._possible[new]:
                raise ViolationError(f"the rename from {old!r} to {new!r} lost {before!r}")
        self._renames.clear()

    def _forget_renames(self, name: str) -> None:
        self._renames = [move for move in self._renames if name not in (move[0], move[2])]
