"""Populate the pages of a large buffer a little ahead of the writes to it.

A write to a new page is a page fault. One system call for many pages takes two thirds of the time
of their faults, which saves a tenth of the time of a large get.
"""

from __future__ import annotations

import mmap
import sys
from typing import Any, Final

# The bytes of one call. More of them would leave the processor's cache before they are written.
_STEP: Final = 1024 * 1024

# glibc maps new pages for each allocation of this size, and may reuse those of smaller ones. The
# import of `ctypes` takes as long as the faults of 8 MiB.
_MIN_SIZE: Final = 32 * 1024 * 1024

# `MADV_POPULATE_WRITE` of Linux 5.14.
_MADV_POPULATE_WRITE: Final = 23


class Populator:
    """Populates a writable buffer, if the system can and the buffer is large enough."""

    def __init__(self, view: memoryview) -> None:
        self._written = 0
        self._size = self._populated = view.nbytes
        self._madvise: Any = None
        if sys.platform == "linux" and self._size >= _MIN_SIZE:
            import ctypes  # noqa: PLC0415 - only if it saves time

            self._madvise = ctypes.CDLL(None).madvise
            self._madvise.argtypes = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
            self._address = ctypes.addressof(ctypes.c_char.from_buffer(view))
            self._populated = 0

    def advance(self, count: int) -> None:
        """Prepare for a write of the next `count` bytes."""
        self._written += count
        while self._populated < min(self._written, self._size):
            start = self._address + self._populated
            size = min(_STEP, self._size - self._populated)
            # Errors are ignored: a page that is not populated is a page fault later.
            self._madvise(
                start - start % mmap.PAGESIZE, size - size % mmap.PAGESIZE, _MADV_POPULATE_WRITE
            )
            self._populated += _STEP
