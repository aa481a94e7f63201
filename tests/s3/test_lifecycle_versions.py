"""Lifecycle rules in a versioned bucket: current versions, noncurrent ones, delete markers."""

from __future__ import annotations

import asyncio
import datetime
from typing import Any

from jetstow.models import ObjectInfo
from jetstow.s3.buckets import Buckets
from jetstow.s3.lifecycle.clock import server_time
from jetstow.s3.lifecycle.expire import expire
from jetstow.s3.multipart.uploads import Uploads
from tests.s3.test_lifecycle import DAY, put_rules, rule, without

RULES = [
    rule(ID="current", Filter={"Prefix": "current/"}, Expiration={"Days": 1}),
    without(
        rule(
            ID="noncurrent",
            Filter={"Prefix": "history/"},
            NoncurrentVersionExpiration={"NoncurrentDays": 3, "NewerNoncurrentVersions": 2},
        ),
        "Expiration",
    ),
    rule(
        ID="deleted",
        Filter={"Prefix": "deleted/"},
        Expiration={"ExpiredObjectDeleteMarker": True},
        NoncurrentVersionExpiration={"NoncurrentDays": 1},
    ),
    rule(ID="marker", Filter={"Prefix": "marker/"}, Expiration={"Days": 5}),
]


async def test_versions_expire(s3: Any, s3_bucket: str, js: Any) -> None:
    store = await js.update_object_store(s3_bucket, versioned=True)
    await asyncio.to_thread(put_rules, s3, s3_bucket, *RULES)
    history = [(await store.put("history/a", bytes([n]))).version for n in range(4)]
    current = (await store.put("current/a", b"1")).version
    await store.put("deleted/a", b"1")
    await store.delete("deleted/a")
    await store.add_delete_marker("marker/a")
    # The version that was replaced last is the one that was stored last.
    first = (await store.put("deleted/restored", b"1")).version
    await store.put("deleted/restored", b"2")
    await store.restore_version("deleted/restored", first)
    buckets = Buckets(js)
    bucket, uploads = await buckets.open(s3_bucket), Uploads(buckets)
    now = await server_time(js, s3_bucket)

    async def removed(days: int) -> set[tuple[str, str, str]]:
        at: datetime.datetime = now + days * DAY
        found = [each async for each in expire(js, bucket, uploads, at)]
        return {(each.kind, each.key, each.rule) for each in found}

    async def versions(name: str) -> list[ObjectInfo]:
        return list(await store.versions(name))

    assert await removed(0) == set()
    assert await removed(2) == {
        ("object", "current/a", "current"),
        ("version", "deleted/a", "deleted"),
        ("version", "deleted/restored", "deleted"),
    }
    marker, kept = await versions("current/a")
    assert (marker.deleted, kept.version) == (True, current)
    assert (await store.get("current/a", version=current)).data == b"1"
    assert (await store.get("deleted/restored")).data == b"1"
    assert await removed(2) == {("delete marker", "deleted/a", "deleted")}
    assert await versions("deleted/a") == []
    assert await removed(4) == {("version", "history/a", "noncurrent")}
    assert [info.version for info in await versions("history/a")] == history[:0:-1]
    assert await removed(6) == {("delete marker", "marker/a", "marker")}
    assert await removed(60) == set()
