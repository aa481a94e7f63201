"""delete_many: objects by name, by info and by prefix; exists."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from nats.aio.client import Client

import jetstow
from jetstow.errors import (
    BucketSealedError,
    InvalidObjectNameError,
    InvalidOptionError,
    RevisionMismatchError,
)
from tests.support import object_builder, raw_stream
from tests.support.samples import some_bytes

pytestmark = [pytest.mark.one_path, pytest.mark.first_and_last_version]


async def names_of(store: jetstow.ObjectStore) -> list[str]:
    return sorted(info.name for info in await store.list())


async def put_all(store: jetstow.ObjectStore, *names: str) -> None:
    for name in names:
        await store.put(name, b"x")


async def test_delete_of_names(store: jetstow.ObjectStore, raw: Client) -> None:
    await put_all(store, "a", "b", "c", "gone")
    await store.delete("gone")
    result = await store.delete_many(["b", "gone", "a", "never", "b"])
    assert result == jetstow.DeleteResult(store.bucket, ["b", "a"], ["gone", "never"], [])
    assert await names_of(store) == ["c"]
    assert len(await raw_stream.chunks(raw, store.bucket)) == 1


async def test_delete_of_a_prefix(store: jetstow.ObjectStore, raw: Client) -> None:
    names = [f"logs/{number}" for number in range(40)]
    await put_all(store, *names, "logs", "other/logs/1")
    await store.add_link("logs/link", "logs")
    result = await store.delete_many(prefix="logs/")
    assert sorted(result.deleted) == sorted([*names, "logs/link"])
    assert (result.missing, result.failed) == ([], [])
    assert await names_of(store) == ["logs", "other/logs/1"]
    assert len(await raw_stream.chunks(raw, store.bucket)) == 2
    again = await store.delete_many(prefix="logs/")
    assert again == jetstow.DeleteResult(store.bucket)


async def test_object_replaced_since_the_listing_stays(store: jetstow.ObjectStore) -> None:
    await put_all(store, "a", "b", "c")
    found = await store.find("?")
    replaced = await store.put("b", b"new")
    await store.delete("c")
    result = await store.delete_many(found)
    assert (result.deleted, result.missing) == (["a"], ["c"])
    (error,) = result.failed
    assert isinstance(error, RevisionMismatchError)
    assert (error.bucket, error.name, error.actual) == (store.bucket, "b", replaced.revision)
    assert (await store.get("b")).data == b"new"


async def test_delete_of_encrypted_objects(store: jetstow.ObjectStore, raw: Client) -> None:
    vault = store.encrypted(bytes(32))
    await vault.put("v/a", some_bytes(300_000))
    await vault.put("v/b", b"x")
    assert (await vault.delete_many(prefix="v/a")).deleted == ["v/a"]
    assert (await vault.delete_many(await vault.list())).deleted == ["v/b"]
    assert await raw_stream.chunks(raw, store.bucket) == {}


async def test_delete_many_of_nothing(store: jetstow.ObjectStore) -> None:
    assert await store.delete_many([]) == jetstow.DeleteResult(store.bucket)
    assert await store.delete_many(iter(())) == jetstow.DeleteResult(store.bucket)


async def test_arguments_that_are_refused(store: jetstow.ObjectStore) -> None:
    await put_all(store, "a", "b")
    refused: list[tuple[Any, Any, str]] = [
        ("ab", None, "list of names"),
        (None, None, "list of names"),
        (["a"], "b", "list of names"),
        (None, "", "empty prefix"),
    ]
    for names, prefix, match in refused:
        with pytest.raises(InvalidOptionError, match=match):
            await store.delete_many(names, prefix=prefix)
    with pytest.raises(InvalidObjectNameError):
        await store.delete_many(["a", ""])
    elsewhere = jetstow.ObjectInfo(name="a", bucket="other", nuid="n", revision=1)
    with pytest.raises(InvalidOptionError, match="is in bucket 'other'"):
        await store.delete_many(["b", elsewhere])
    assert await names_of(store) == ["a", "b"]


async def test_error_that_concerns_all_objects_is_raised(store: jetstow.ObjectStore) -> None:
    await put_all(store, "a", "b")
    await store.seal()
    with pytest.raises(BucketSealedError):
        await store.delete_many(["a", "b"])
    assert await names_of(store) == ["a", "b"]


async def test_error_of_the_names_is_raised(store: jetstow.ObjectStore) -> None:
    await put_all(store, "a")

    def names() -> Iterator[str]:
        yield "a"
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await store.delete_many(names())
    assert await names_of(store) == ["a"], "nothing is deleted"


async def test_exists(store: jetstow.ObjectStore, raw: Client) -> None:
    await put_all(store, "a", "gone")
    await store.add_link("link", "a")
    await store.add_bucket_link("elsewhere", "no-such-bucket")
    await store.delete("gone")
    await object_builder.write_object(raw, store.bucket, "bad", [b"x"], headers=7)
    found = [name for name in ("a", "gone", "never", "link", "elsewhere", "bad")
             if await store.exists(name)]  # fmt: skip
    assert found == ["a", "link", "elsewhere", "bad"]
    with pytest.raises(InvalidObjectNameError):
        await store.exists("")


async def test_delete_of_a_missing_object_that_is_no_error(
    store: jetstow.ObjectStore, raw: Client
) -> None:
    first = await store.put("a", b"x")
    await store.delete("never", missing_ok=True)
    await store.delete("a", missing_ok=True)
    await store.delete("a", missing_ok=True)
    await store.delete("a", missing_ok=True, expected_revision=first.revision)
    await store.put("a", b"new")
    with pytest.raises(RevisionMismatchError):
        await store.delete("a", missing_ok=True, expected_revision=first.revision)
    assert await store.exists("a")
    await object_builder.write_object(raw, store.bucket, "bad", [b"x"], headers=7)
    with pytest.raises(RevisionMismatchError):
        await store.delete("bad", missing_ok=True, expected_revision=first.revision)
    await store.delete("bad", missing_ok=True)
    assert not await store.exists("bad")
