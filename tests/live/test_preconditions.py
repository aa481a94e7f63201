"""Preconditions of reads: at a revision, or only if changed."""

from __future__ import annotations

import datetime
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

import jetstow
from jetstow.errors import InvalidOptionError, ObjectUnchangedError, RevisionMismatchError

pytestmark = pytest.mark.one_path

Read = Callable[..., Awaitable[Any]]


async def collected(store: jetstow.ObjectStore, **conditions: Any) -> bytes:
    return b"".join([piece async for piece in store.stream("a", **conditions)])


async def opened(store: jetstow.ObjectStore, **conditions: Any) -> bytes:
    async with store.open("a", **conditions) as file:
        return await file.read()


async def got(store: jetstow.ObjectStore, **conditions: Any) -> bytes:
    return (await store.get("a", **conditions)).data


async def ranged(store: jetstow.ObjectStore, **conditions: Any) -> bytes:
    return await store.get_range("a", 0, **conditions)


async def to_file(store: jetstow.ObjectStore, path: Path, **conditions: Any) -> bytes:
    await store.get_file("a", path, **conditions)
    return path.read_bytes()


@pytest.fixture(params=["get", "stream", "open", "range", "file", "resumed"])
def read(request: pytest.FixtureRequest, tmp_path: Path) -> Read:
    def filed(store: jetstow.ObjectStore, **conditions: Any) -> Awaitable[bytes]:
        return to_file(store, tmp_path / "a", resume=request.param == "resumed", **conditions)

    reads: dict[str, Read] = {"get": got, "stream": collected, "open": opened, "range": ranged}
    return reads.get(request.param, filed)


async def test_expected_revision(store: jetstow.ObjectStore, read: Read) -> None:
    old = await store.put("a", b"old")
    assert await read(store, expected_revision=old.revision) == b"old"
    new = await store.put("a", b"new")
    with pytest.raises(RevisionMismatchError, match="'a'") as caught:
        await read(store, expected_revision=old.revision)
    assert (caught.value.expected, caught.value.actual) == (old.revision, new.revision)


async def test_if_changed_since(store: jetstow.ObjectStore, read: Read) -> None:
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


async def test_link_uses_the_revision_of_its_target(store: jetstow.ObjectStore) -> None:
    put = await store.put("target", b"data")
    link = await store.add_link("a", "target")
    assert await got(store, expected_revision=put.revision) == b"data"
    with pytest.raises(RevisionMismatchError):
        await got(store, expected_revision=link.revision)


@pytest.mark.parametrize("since", ["yesterday", 1.5, True, datetime.datetime(2026, 1, 1)])  # noqa: DTZ001
async def test_invalid_if_changed_since(store: jetstow.ObjectStore, since: Any) -> None:
    await store.put("a", b"")
    with pytest.raises(InvalidOptionError, match="if_changed_since"):
        await store.get("a", if_changed_since=since)
