"""The rows of folders: windows, order, filter, counts, and how current they are."""

from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

import jetstow
from jetstow.console import folders
from jetstow.console.rows import BY_NAME, Order
from jetstow.console.views import Views
from jetstow.s3 import indexes
from jetstow.s3.buckets import Buckets
from tests.support.console import error_code
from tests.support.gateway import OTHER, READER, WRITER

if TYPE_CHECKING:
    from tests.support.console import ConsoleClient, RunningConsole

SIZES = {
    "B.txt": 5, "a.csv": 30, "a/1": 7, "a/2/x": 1, "a/3/y": 1, "b": 30, "dir/": 0,
    "dir/Ünïcode <script>": 4, "dir//empty": 2, "z.json": 1,
}  # fmt: skip


@pytest.fixture
async def filled(store: jetstow.ObjectStore) -> jetstow.ObjectStore:
    for name, size in SIZES.items():
        await store.put(name, bytes(size))
    return store


def rows(client: ConsoleClient, bucket: str, **query: Any) -> dict[str, Any]:
    response = client.get(f"buckets/{bucket}/rows", params=query)
    assert response.status_code == 200, response.text
    page: dict[str, Any] = response.json()
    return page


def labels(page: dict[str, Any]) -> list[str]:
    return [row["label"] for row in page["rows"]]


async def test_window(client: ConsoleClient, filled: jetstow.ObjectStore) -> None:
    page = rows(client, filled.bucket)
    assert labels(page) == ["a/", "dir/", "B.txt", "a.csv", "b", "z.json"]
    counts = {"total": 6, "folders": 2, "objects": 4, "bytes": 66, "offset": 0, "partial": False}
    assert page.items() >= counts.items()
    assert page["rows"][0] == {"type": "folder", "name": "a/", "label": "a/"}
    info = await filled.get_info("a.csv")
    shown = dict(page["rows"][3])
    assert shown.pop("modified")[:19] == (info.mtime or "")[:19]
    assert shown == {
        "type": "object", "name": "a.csv", "label": "a.csv", "size": 30,
        "revision": info.revision, "content_type": "text/csv", "link": None,
    }  # fmt: skip
    assert page["revision"] >= info.revision
    for offset, limit in ((0, 1), (1, 2), (1, 3), (2, 4), (5, 9), (6, 1), (99, 1), (0, 0)):
        window = rows(client, filled.bucket, offset=offset, limit=limit)
        assert window["rows"] == page["rows"][offset : offset + limit]
        assert window["total"] == 6


async def test_folders_and_hostile_names(
    client: ConsoleClient, filled: jetstow.ObjectStore
) -> None:
    page = rows(client, filled.bucket, prefix="dir/")
    # The empty object that some clients store for a folder is not in it.
    assert labels(page) == ["/", "Ünïcode <script>"]
    assert page["rows"][0]["name"] == "dir//"
    assert labels(rows(client, filled.bucket, prefix="dir//")) == ["empty"]
    assert rows(client, filled.bucket, prefix="none/")["total"] == 0
    for name in ("../x", "a\nb", '"><img src=x>', "%2F", "\u202efdp.exe", "🪿"):
        await filled.put(f"odd/{name}", b"")
    page = rows(client, filled.bucket, prefix="odd/", deep=1)
    assert sorted(labels(page)) == sorted(
        ["../x", "a\nb", '"><img src=x>', "%2F", "\u202efdp.exe", "🪿"]
    )


async def test_order_and_filter(client: ConsoleClient, filled: jetstow.ObjectStore) -> None:
    bucket = filled.bucket
    assert labels(rows(client, bucket, order="desc")) == [
        "dir/", "a/", "z.json", "b", "a.csv", "B.txt",
    ]  # fmt: skip
    assert labels(rows(client, bucket, sort="size"))[2:] == ["z.json", "B.txt", "a.csv", "b"]
    assert labels(rows(client, bucket, sort="size", order="desc"))[2:] == [
        "a.csv", "b", "B.txt", "z.json",
    ]  # fmt: skip
    await filled.put("b", b"")
    assert labels(rows(client, bucket, sort="modified", order="desc"))[2] == "b"
    assert labels(rows(client, bucket, sort="modified"))[-1] == "b"

    page = rows(client, bucket, filter="B")
    assert labels(page) == ["B.txt", "b"]
    assert (page["total"], page["bytes"], page["folders"]) == (2, 5, 0)
    assert labels(rows(client, bucket, filter="A")) == ["a/", "a.csv"]
    assert labels(rows(client, bucket, prefix="dir/", filter="ÜNÏ")) == ["Ünïcode <script>"]
    assert labels(rows(client, bucket, prefix="a/", filter="a")) == [], "only the label counts"
    page = rows(client, bucket, prefix="a/", deep=1)
    assert labels(page) == ["1", "2/x", "3/y"]
    assert labels(rows(client, bucket, deep=1, filter="/y")) == ["a/3/y"]
    assert labels(rows(client, bucket, deep=1, filter=".*")) == [], "it is no pattern"
    for wrong in (
        {"sort": "x"}, {"order": "x"}, {"deep": "2"}, {"limit": "1001"}, {"limit": "-1"},
        {"offset": "x"}, {"offset": "1" * 20},
    ):  # fmt: skip
        response = client.get(f"buckets/{bucket}/rows", params=wrong)
        assert (response.status_code, error_code(response)) == (400, "InvalidArgument")


async def test_rows_are_as_current_as_the_leader(
    client: ConsoleClient, store: jetstow.ObjectStore
) -> None:
    """Every window shows all writes that were acknowledged before it, also if nothing is read."""
    for number in range(20):
        await store.put(f"{number:02}", bytes(number))
        page = await asyncio.to_thread(rows, client, store.bucket, sort="size", order="desc")
        assert page["total"] == number + 1
        assert labels(page)[0] == f"{number:02}"
    await store.delete("19")
    assert rows(client, store.bucket)["total"] == 19
    await store.rename("00", "renamed")
    assert "renamed" in labels(rows(client, store.bucket, sort="size"))


async def test_expired_objects_disappear(client: ConsoleClient, store: jetstow.ObjectStore) -> None:
    """An expiry is no change: a view must not be used again after it."""
    await store.put("stays", b"")
    await store.put("goes", b"", ttl=1)
    assert labels(rows(client, store.bucket, sort="size")) == ["goes", "stays"]
    async with asyncio.timeout(10):
        while len(labels(rows(client, store.bucket, sort="size"))) > 1:
            await asyncio.sleep(0.1)


async def test_another_bucket_of_the_same_name(
    client: ConsoleClient, js: jetstow.JetStreamContext, bucket: str
) -> None:
    for name in ("a", "b"):
        store = await js.create_object_store(bucket)
        await store.put(name, b"")
        assert labels(rows(client, bucket)) == [name]
        await js.delete_object_store(bucket)
    assert error_code(client.get(f"buckets/{bucket}/rows")) == "NoSuchBucket"


async def test_links(client: ConsoleClient, filled: jetstow.ObjectStore) -> None:
    await filled.add_link("link", await filled.get_info("a.csv"))
    await filled.add_link("zlink", await filled.get_info("b"))
    page = rows(client, filled.bucket, filter="link")
    assert [row["link"] for row in page["rows"]] == [
        {"bucket": filled.bucket, "name": "a.csv"},
        {"bucket": filled.bucket, "name": "b"},
    ]


def test_permissions(console: RunningConsole, s3: Any, s3_bucket: str) -> None:
    for name in ("public/a", "secret/b"):
        s3.put_object(Bucket=s3_bucket, Key=name, Body=b"x")
    url = f"buckets/{s3_bucket}/rows"
    for key, allowed in ((READER, True), (WRITER, False), (OTHER, False)):
        with console.sign_in(key) as other:
            response = other.get(url)
            assert response.status_code == (200 if allowed else 403)
            assert allowed or error_code(response) == "AccessDenied"
    # A policy may allow some prefixes only.
    policy = (
        '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", '
        f'"Principal": {{"AWS": "{OTHER.owner}"}}, "Action": "s3:ListBucket", '
        f'"Resource": "arn:aws:s3:::{s3_bucket}", '
        '"Condition": {"StringLike": {"s3:prefix": "public/*"}}}]}'
    )
    s3.put_bucket_policy(Bucket=s3_bucket, Policy=policy)
    with console.sign_in(OTHER) as other:
        assert labels(rows(other, s3_bucket, prefix="public/")) == ["a"]
        for prefix in ("", "secret/"):
            assert error_code(other.get(url, params={"prefix": prefix})) == "AccessDenied"


async def test_views_are_used_again_and_limited(
    js: jetstow.JetStreamContext, filled: jetstow.ObjectStore
) -> None:
    buckets = Buckets(js)
    bucket = await buckets.open(filled.bucket)
    views = Views(max_rows=512)

    async def view(order: Order = BY_NAME, prefix: str = "") -> Any:
        return await views.open(buckets, bucket, prefix, order, is_deep=False)

    try:
        first, by_size = await view(), await view(Order(sort="size"))
        assert await view() is first
        assert await view(Order(sort="size")) is by_size
        await view(prefix="a/")  # with its rows, there are too many
        assert await view(prefix="a/") is await view(prefix="a/")
        second = await view()
        assert second is not first
        await filled.put("new", b"")
        third = await view()
        assert third is not second
        assert third.total == second.total + 1
        assert third.revision > second.revision
        many = await asyncio.gather(*(view(Order(filter=str(n))) for n in range(20)))
        assert {len(each.entries) for each in many} == {0}
    finally:
        await buckets.indexes.close()


async def test_updated_folder_equals_a_new_one(
    js: jetstow.JetStreamContext, store: jetstow.ObjectStore
) -> None:
    """Folders are brought up to date with the changes, whatever they are."""
    random = Random(7)
    buckets = Buckets(js)
    bucket = await buckets.open(store.bucket)
    names = ["a", "a/", "a/1", "a/2/x", "a/2/y", "b/c", "b/d/e", "d", "d/", "z"]
    kept, places = Views(), [(prefix, deep) for prefix in ("", "a/", "b/") for deep in (0, 1)]
    try:
        for step in range(60):
            for name in random.sample(names, random.choice((1, 1, 3))):
                if random.random() < 0.5:
                    await store.put(name, bytes(random.randrange(9)))
                else:
                    await store.delete(name, missing_ok=True)
            for prefix, deep in random.sample(places, 3):
                for order in (BY_NAME, Order(sort="size", descending=True)):
                    arguments = (buckets, bucket, prefix, order)
                    found = await kept.open(*arguments, is_deep=bool(deep))
                    fresh = await Views().open(*arguments, is_deep=bool(deep))
                    assert found == fresh, (step, prefix, deep, order)
    finally:
        await buckets.indexes.close()


async def test_bucket_with_too_many_names_for_an_index(
    js: jetstow.JetStreamContext, filled: jetstow.ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its rows are read from all of its metadata, and are the first ones only."""
    monkeypatch.setattr(indexes, "_MAX_NAMES", 5)
    monkeypatch.setattr(folders, "_MAX_SCANNED", 4)
    buckets = Buckets(js)
    try:
        bucket = await buckets.open(filled.bucket)
        for _ in range(2):
            arguments = (buckets, bucket, "", Order(sort="size"))
            view = await Views().open(*arguments, is_deep=False)
            assert (view.folders, [entry.name for entry in view.entries]) == (
                ["a/"], ["B.txt", "a.csv", "b"],
            )  # fmt: skip
            assert (view.is_partial, view.revision) == (True, 0)
        view = await Views().open(buckets, bucket, "a/", BY_NAME, is_deep=True)
        assert ([entry.name for entry in view.entries], view.is_partial) == (
            ["a/1", "a/2/x", "a/3/y"], False,
        )  # fmt: skip
    finally:
        await buckets.indexes.close()
