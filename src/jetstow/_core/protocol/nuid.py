"""NUIDs: unique identifiers for the chunks of an object."""

from __future__ import annotations

import itertools
import os
import secrets
import string
from collections.abc import Iterator
from typing import Final

# A NUID has 22 of these characters, as those of other clients.
_ALPHABET: Final = string.digits + string.ascii_uppercase + string.ascii_lowercase
_PREFIX_LENGTH: Final = 19
_COUNTER_LENGTH: Final = 3


class _Generator:
    """NUIDs with one random prefix and a counter. Threads share it: its iterators are C code.

    A forked child resets it, as it would repeat the NUIDs of its parent.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        prefix = "".join(secrets.choice(_ALPHABET) for _ in range(_PREFIX_LENGTH))
        counters = map("".join, itertools.product(_ALPHABET, repeat=_COUNTER_LENGTH))
        self.nuids: Iterator[str] = map(prefix.__add__, counters)


_generator: Final = _Generator()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_generator.reset)


def new_nuid() -> str:
    """Return a new NUID."""
    while (nuid := next(_generator.nuids, None)) is None:
        _generator.reset()
    return nuid
