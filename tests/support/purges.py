"""Wait for the purges that a put has sent, before a test counts the chunks."""

from __future__ import annotations

import jetstow


async def purges_ended(*stores: jetstow.ObjectStore) -> None:
    """Wait until the purges of these buckets have ended."""
    for store in stores:
        await store._bucket.purges.wait()
