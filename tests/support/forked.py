"""Pools of forked processes."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.pool import Pool


@contextmanager
def forked_pool() -> Iterator[Pool]:
    """Run two forked processes, which end with the block.

    They end without a signal, if the block succeeds: one of them may ignore it, and then keeps
    the pipes of its parent open.
    """
    with multiprocessing.get_context("fork").Pool(2) as pool:
        yield pool
        pool.close()
        pool.join()
