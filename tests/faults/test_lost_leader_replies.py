"""Replies of a cluster that has just lost the leader of a stream: none of them is the truth."""

from __future__ import annotations

import pytest

import jetstow
from jetstow.fs.dircache import ListingCache
from tests.support.leaderless import PREFIX, leaderless
from tests.support.servers import NatsServer

pytestmark = pytest.mark.one_path


async def test_list_of_buckets(server: NatsServer, bucket: str) -> None:
    """A bucket without a leader was missing, and the one after it was there twice."""
    async with jetstow.connect(server.url) as nc, leaderless(nc, f"OBJ_{bucket}") as wrong:
        for name in (bucket, f"{bucket}-2"):
            await nc.jetstream().create_object_store(name)
        js = nc.jetstream(prefix=PREFIX)
        found = [status.bucket async for status in js.object_stores()]
        assert wrong
        assert sorted(found) == sorted({*found, bucket, f"{bucket}-2"})


async def test_listing_of_a_file_system(server: NatsServer, bucket: str) -> None:
    """It lost all names, for as long as the program ran."""
    async with jetstow.connect(server.url) as nc, leaderless(nc, f"OBJ_{bucket}") as wrong:
        await (await nc.jetstream().create_object_store(bucket)).put("a", b"a")
        wrong.append("opening the bucket")
        cache = ListingCache(await nc.jetstream(prefix=PREFIX).object_store(bucket))
        await cache.wait_until_filled()
        wrong.clear()
        await cache._drop_missing()
        assert wrong
        assert [info.name for info in cache.infos("")] == ["a"]
        await cache.stop()
