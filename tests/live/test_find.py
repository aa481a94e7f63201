"""find: objects by name, tag, size and age; content types and tags as headers."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from nats.aio.client import Client
from nats.js import api

import jetstow
from jetstow import ObjectMeta
from jetstow.errors import InvalidOptionError
from tests.support import raw_stream

pytestmark = pytest.mark.one_path

DAY = datetime.timedelta(days=1)


async def named(listing: object) -> list[str]:
    return sorted(info.name for info in await listing)  # type: ignore[misc]


@pytest.fixture
async def filled(store: jetstow.ObjectStore) -> jetstow.ObjectStore:
    await store.put("logs/a.csv", b"x" * 10, ObjectMeta(tags=["red", "raw"]))
    await store.put("logs/2026/b.csv", b"x" * 20, ObjectMeta(tags=["red"]))
    await store.put("c.txt", b"x" * 30)
    await store.put("gone.csv", b"x")
    await store.delete("gone.csv")
    return store


async def test_find_by_pattern(filled: jetstow.ObjectStore) -> None:
    assert await named(filled.find("logs/*.csv")) == ["logs/a.csv"]
    assert await named(filled.find("**.csv")) == ["logs/2026/b.csv", "logs/a.csv"]
    assert await named(filled.find()) == ["c.txt", "logs/2026/b.csv", "logs/a.csv"]
    assert [info.name async for info in filled.find("c*")] == ["c.txt"]


async def test_find_below_a_prefix(filled: jetstow.ObjectStore) -> None:
    assert await named(filled.find(prefix="logs/")) == ["logs/2026/b.csv", "logs/a.csv"]
    assert await named(filled.find("*.csv")) == ["logs/2026/b.csv", "logs/a.csv"]
    assert await named(filled.find("*/*.csv", prefix="logs/")) == ["logs/2026/b.csv"]
    assert await named(filled.find("*/*.csv", prefix="logs")) == ["logs/2026/b.csv"]
    assert await named(filled.find("a.*", prefix="logs")) == ["logs/a.csv"]
    assert await named(filled.find("*", prefix="c.")) == ["c.txt"]
    assert [info.name async for info in filled.find(prefix="logs/2", min_size=20)] == [
        "logs/2026/b.csv"
    ]


async def test_find_by_a_function(filled: jetstow.ObjectStore) -> None:
    assert await named(filled.find(lambda info: info.size == 30)) == ["c.txt"]
    assert await named(filled.find(lambda info: info.deleted)) == []
    found = filled.find(lambda info: info.size == 10, tags=["red"], prefix="logs/")
    assert await named(found) == ["logs/a.csv"]
    with pytest.raises(ZeroDivisionError):
        await filled.find(lambda info: 1 // len(info.tags))


async def test_list_of_a_selection(filled: jetstow.ObjectStore) -> None:
    assert await named(filled.list("logs/")) == ["logs/2026/b.csv", "logs/a.csv"]
    assert await named(filled.list("logs/", match="a*")) == ["logs/a.csv"]
    assert await named(filled.list(match=lambda info: info.size == 30)) == ["c.txt"]
    gone = filled.list(match=lambda info: info.deleted, ignore_deletes=False)
    assert await named(gone) == ["gone.csv"]
    assert [info.name async for info in filled.list("c")] == ["c.txt"]


async def test_find_by_all_tags(filled: jetstow.ObjectStore) -> None:
    assert await named(filled.find(tags=["red"])) == ["logs/2026/b.csv", "logs/a.csv"]
    assert await named(filled.find(tags=["raw", "red"])) == ["logs/a.csv"]
    assert await named(filled.find(tags=["Red"])) == []


async def test_find_by_size_inclusive(filled: jetstow.ObjectStore) -> None:
    assert await named(filled.find(min_size=20)) == ["c.txt", "logs/2026/b.csv"]
    assert await named(filled.find(max_size=20)) == ["logs/2026/b.csv", "logs/a.csv"]
    assert await named(filled.find(min_size=20, max_size=20)) == ["logs/2026/b.csv"]


async def test_find_by_age(filled: jetstow.ObjectStore) -> None:
    assert len(await filled.find(newer_than=DAY)) == 3
    assert await named(filled.find(older_than=DAY)) == []
    moment = (await filled.get_info("logs/2026/b.csv")).modified
    assert await named(filled.find(newer_than=moment)) == ["c.txt"]
    assert await named(filled.find(older_than=moment)) == ["logs/a.csv"]


async def test_find_with_invalid_filters(filled: jetstow.ObjectStore) -> None:
    with pytest.raises(InvalidOptionError, match="time zone"):
        filled.find(newer_than=datetime.datetime(2026, 1, 1))  # noqa: DTZ001
    with pytest.raises(InvalidOptionError, match="must be a list"):
        filled.find(tags="red")
    verbs: list[Any] = [filled.list, filled.find, filled.watch]
    for verb in verbs:
        with pytest.raises(InvalidOptionError, match="must be a str"):
            verb(prefix=7)
        with pytest.raises(InvalidOptionError, match="a pattern or a function"):
            verb(match=7)


async def test_content_type_and_tags_are_headers(store: jetstow.ObjectStore, raw: Client) -> None:
    meta = ObjectMeta(headers={"X": ["1"]}, content_type="text/csv", tags=["a", "b", "a"])
    put = await store.put("table", b"1,2", meta)
    stored = await raw_stream.metadata(raw, store.bucket, "table")
    expected = {"X": ["1"], "Content-Type": ["text/csv"], "Tags": ["a", "b"]}
    assert stored["headers"] == put.headers == expected
    info = await store.get_info("table")
    assert (info.content_type, info.tags) == ("text/csv", ["a", "b"])
    assert info.meta.headers == {"X": ["1"]}


async def test_update_of_content_type_and_tags(store: jetstow.ObjectStore) -> None:
    meta = (await store.put("a.bin", b"", ObjectMeta(tags=["old"]))).meta
    meta.tags, meta.content_type = ["new"], "x/y"
    info = await store.update_meta("a.bin", meta)
    assert (info.tags, info.content_type) == (["new"], "x/y")
    meta.tags, meta.content_type = [], ""
    info = await store.update_meta("a.bin", meta)
    assert (info.tags, info.content_type, info.headers) == ([], "application/octet-stream", None)


async def test_content_type_guessed_from_the_name(store: jetstow.ObjectStore) -> None:
    assert (await store.put("a.json", b"{}")).content_type == "application/json"
    assert (await store.put("a", b"{}")).content_type is None
    assert (await store.get_info("a.json")).headers is None
    info = await store.put("b.json", b"", api.ObjectMeta(headers={"content-type": "x/y"}))
    assert info.content_type == "x/y"


@pytest.mark.parametrize(
    "meta",
    [
        ObjectMeta(tags="red"),  # type: ignore[arg-type]
        ObjectMeta(tags=[1]),  # type: ignore[list-item]
        ObjectMeta(content_type=1),  # type: ignore[arg-type]
        ObjectMeta(headers={"jetstow-expires": ["2030-01-01T00:00:00Z"]}),
        ObjectMeta(headers={"Jetstow-Encryption": ["x"]}),
    ],
)
async def test_invalid_metadata(store: jetstow.ObjectStore, meta: ObjectMeta) -> None:
    await store.put("there", b"")
    with pytest.raises(InvalidOptionError, match="'new'"):
        await store.put("new", b"", meta)
    with pytest.raises(InvalidOptionError, match="'there'"):
        await store.update_meta("there", meta)
    assert [info.name for info in await store.list()] == ["there"]
