"""NUIDs: unique identifiers for the chunks of an object."""

from __future__ import annotations

import os
from typing import Final

from nats.nuid import NUID


class _Generator:
    """nats-py's generator; a forked child resets it, as it would repeat its parent's NUIDs."""

    def __init__(self) -> None:
        self._nuid = NUID()

    def reset(self) -> None:
        self._nuid = NUID()

    def next(self) -> str:
        return self._nuid.next().decode("ascii")


_generator: Final = _Generator()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_generator.reset)


def new_nuid() -> str:
    """Return a new NUID."""
    return _generator.next()
