"""Reads on condition: at a revision, or only of what has changed."""

from __future__ import annotations

import datetime
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

import jetstow
from jetstow.errors import InvalidOptionError, ObjectUnchangedError, RevisionMismatchError

Read = Callable[..., Awaitable[Any]]


async def collected(store: jetstow.ObjectStore, **terms: Any) -> bytes:
    return b"".join([piece async for piece in store.stream("a", **terms)])


async def opened(store: jetstow.ObjectStore, **terms: Any) -> bytes:
    async with store.open("a", **terms) as file:
        return await file.read()


async def got(store: jetstow.ObjectStore, **terms: Any) -> bytes:
    return (await store.get("a", **terms)).data


async def ranged(store: jetstow.ObjectStore, **terms: Any) -> bytes:
    return await store.get_range("a", 0, **terms)


async def to_file(store: jetstow.ObjectStore, path: Path, **terms: Any) -> bytes:
    await store.get_file("a", path, **terms)
    return path.read_bytes()


@pytest.fixture(params=["get", "stream", "open", "range", "file", "resumed"])
def read(request: pytest.FixtureRequest, tmp_path: Path) -> Read:
    def filed(store: jetstow.ObjectStore, **terms: Any) -> Awaitable[bytes]:
        return to_file(store, tmp_path / "a", resume=request.param == "resumed", **terms)

    reads: dict[str, Read] = {"get": got, "stream": collected, "open": opened, "range": ranged}
    return reads.get(request.param, filed)


async def test_at_a_revision(store: jetstow.ObjectStore, read: Read) -> None:
    old = await store.put("a", b"old")
    assert await read(store, expected_revision=old.revision) == b"old"
    new = await store.put("a", b"new")
    with pytest.raises(RevisionMismatchError, match="'a'") as caught:
        await read(store, expected_revision=old.revision)
    assert (caught.value.expected, caught.value.actual) == (old.revision, new.revision)


async def test_only_what_has_changed(store: jetstow.ObjectStore, read: Read) -> None:
    put = await store.put("a", b"old")
    moment = (await store.get_info("a")).modified
    assert moment is not None
    for since in (put.revision, put.revision + 1, moment, moment + datetime.timedelta(days=1)):
        with pytest.raises(ObjectUnchangedError, match="'a'") as caught:
            await read(store, if_changed_since=since)
        assert caught.value.revision == put.revision
    for since in (0, put.revision - 1, moment - datetime.timedelta(seconds=1)):
        assert await read(store, if_changed_since=since) == b"old"
    await store.put("a", b"new")
    for since in (put.revision, moment):
        assert await read(store, if_changed_since=since) == b"new"


async def test_of_a_link_its_target_counts(store: jetstow.ObjectStore) -> None:
    put = await store.put("target", b"data")
    link = await store.add_link("a", "target")
    assert await got(store, expected_revision=put.revision) == b"data"
    with pytest.raises(RevisionMismatchError):
        await got(store, expected_revision=link.revision)


@pytest.mark.parametrize("since", ["yesterday", 1.5, True, datetime.datetime(2026, 1, 1)])  # noqa: DTZ001
async def test_what_is_no_condition(store: jetstow.ObjectStore, since: Any) -> None:
    await store.put("a", b"")
    with pytest.raises(InvalidOptionError, match="if_changed_since"):
        await store.get("a", if_changed_since=since)
