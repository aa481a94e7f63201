"""Names that nothing has had before: of chunks, and of batches."""

from __future__ import annotations

import os
from typing import Final

from nats.nuid import NUID


class _Maker:
    """nats-py's NUIDs. A forked child would go on with its parent's, and so begins anew."""

    def __init__(self) -> None:
        self._nuid = NUID()

    def begin_anew(self) -> None:
        self._nuid = NUID()

    def next(self) -> str:
        return self._nuid.next().decode("ascii")


_maker: Final = _Maker()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_maker.begin_anew)


def new_nuid() -> str:
    """A NUID that no other process has made, nor this one."""
    return _maker.next()
