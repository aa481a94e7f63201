"""Rename: a new name for the same bytes and metadata."""

from __future__ import annotations

import pytest
from nats.aio.client import Client

import jetstow
from jetstow.errors import (
    InvalidObjectNameError,
    ObjectAlreadyExists,
    ObjectDeletedError,
    ObjectNotFoundError,
)
from tests.support import raw_stream
from tests.support.samples import some_bytes

META = jetstow.ObjectMeta(
    description="text",
    headers={"A": ["1", "2"]},
    metadata={"k": "v"},
    content_type="text/csv",
    tags=["raw"],
)


async def test_rename_keeps_bytes_and_metadata(store: jetstow.ObjectStore, raw: Client) -> None:
    """`update_meta` with a name alone dropped description, headers, metadata, tags and type."""
    data = some_bytes(300_000)
    before = await store.put("a", data, META)
    renamed = await store.rename("a", "b")
    assert (renamed.name, renamed.nuid) == ("b", before.nuid)
    after = await store.get_info("b")
    assert after.meta == jetstow.ObjectMeta(**{**vars(before.meta), "name": "b"})
    assert (await store.get("b")).data == data
    assert [info.name for info in await store.list()] == ["b"]
    assert len(await raw_stream.chunks(raw, store.bucket)) == 1


async def test_rename_of_a_link(store: jetstow.ObjectStore) -> None:
    await store.put("a", b"data")
    await store.add_link("link", "a")
    await store.rename("link", "alias")
    assert (await store.get("alias")).data == b"data"


async def test_rename_to_the_same_name(store: jetstow.ObjectStore) -> None:
    info = await store.put("a", b"data")
    assert (await store.rename("a", "a")).revision == info.revision


async def test_rename_refused(store: jetstow.ObjectStore) -> None:
    await store.put("a", b"one")
    await store.put("b", b"two")
    with pytest.raises(ObjectAlreadyExists, match="'b'"):
        await store.rename("a", "b")
    with pytest.raises(ObjectNotFoundError, match="'missing'"):
        await store.rename("missing", "c")
    with pytest.raises(InvalidObjectNameError):
        await store.rename("a", "")
    await store.delete("b")
    with pytest.raises(ObjectDeletedError):
        await store.rename("b", "c")
    await store.rename("a", "b")
    assert (await store.get("b")).data == b"one"
