"""Wait for the purges that a put has sent, before a test counts the chunks."""

from __future__ import annotations

import jetstow
import jetstow.sync
from jetstow.sync._call import run


async def purges_ended(*stores: jetstow.ObjectStore) -> None:
    """Wait until the purges of these buckets have ended."""
    for store in stores:
        await store._bucket.purges.wait()


def blocking_purges_ended(*stores: jetstow.sync.ObjectStore) -> None:
    """Wait until the purges of the buckets of blocking stores have ended."""
    run(purges_ended, *(store.async_store() for store in stores))
