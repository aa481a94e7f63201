"""Lifecycle rules in a versioned bucket: current versions, noncurrent ones, delete markers."""

from __future__ import annotations

import asyncio
import datetime
from typing import Any

import pytest

from jetstow.models import ObjectInfo
from jetstow.s3.buckets import Buckets
from jetstow.s3.lifecycle.clock import server_time
from jetstow.s3.lifecycle.expire import expire
from jetstow.s3.multipart.uploads import Uploads
from jetstow.s3.reserved import MODIFIED
from tests.s3.test_lifecycle import DAY, TAG, put_rules, rule, without

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
    await js.delete_object_store(s3_bucket)  # with its versions


async def test_delete_markers_are_removed_by_the_index(
    s3: Any, s3_bucket: str, nc: Any, js: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each removal of a current one read the metadata of the whole bucket."""
    monkeypatch.setattr("jetstow.s3.lifecycle.versions._PAGE", 10)
    store = await js.update_object_store(s3_bucket, versioned=True)
    markers = {f"deleted/{number}" for number in range(64)}
    await asyncio.gather(*map(store.add_delete_marker, markers))
    for n in range(15):
        await store.put("history/a", bytes([n]))
    await asyncio.gather(
        *(store.put(f"z{n}", b"1", metadata={"large": "x" * 10_000}) for n in range(64))
    )
    await asyncio.to_thread(put_rules, s3, s3_bucket, *RULES)
    buckets = Buckets(js)
    bucket, now = await buckets.open(s3_bucket), await server_time(js, s3_bucket)
    received = nc.stats["in_bytes"]
    found = [each async for each in expire(js, bucket, Uploads(buckets), now + 2 * DAY)]
    assert {(each.kind, each.key) for each in found} == {("delete marker", key) for key in markers}
    assert nc.stats["in_bytes"] - received < 3 * 64 * 10_000
    found = [each async for each in expire(js, bucket, Uploads(buckets), now + 9 * DAY)]
    assert [each.key for each in found] == ["history/a"] * 12
    assert len(await store.versions("history/a")) == 3


async def test_days_of_a_tagged_version(s3: Any, s3_bucket: str, js: Any) -> None:
    """They begin with its bytes if its tags are newer, and a rule may select tags."""
    store = await js.update_object_store(s3_bucket, versioned=True)

    def fill() -> None:
        put_rules(s3, s3_bucket, rule(ID="tag", Filter={"Tag": TAG}))
        for key in ("new", "old", "untagged"):
            s3.put_object(Bucket=s3_bucket, Key=key, Body=b"1")
        for key in ("new", "old"):
            s3.put_object_tagging(Bucket=s3_bucket, Key=key, Tagging={"TagSet": [TAG]})

    await asyncio.to_thread(fill)
    buckets = Buckets(js)
    bucket, now = await buckets.open(s3_bucket), await server_time(js, s3_bucket)
    for key in ("old", "untagged"):
        meta = (await store.get_info(key)).meta
        meta.metadata[MODIFIED] = str(int((now - 3 * DAY).timestamp()) * 10**9)
        await store.update_meta(key, meta)
    found = [each async for each in expire(js, bucket, Uploads(buckets), now)]
    assert [(each.kind, each.key, each.rule) for each in found] == [("object", "old", "tag")]
