"""The description of an object as arguments of put, put_file and open."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from nats.js import api

import jetstow
from jetstow import ObjectHeaders, ObjectMeta, ObjectMetaOptions
from jetstow.errors import InvalidOptionError

pytestmark = pytest.mark.one_path

FIELDS: dict[str, Any] = {
    "description": "sales by day",
    "content_type": "text/x-sales",
    "tags": ["draft", "team:red"],
    "headers": {"one": "1", "two": ["1", "2"]},
    "metadata": {"author": "ada"},
}

Put = Callable[..., Awaitable[jetstow.ObjectInfo]]


@pytest.fixture(params=["put", "put_file", "put_file with resume", "open"])
async def put(request: pytest.FixtureRequest, store: jetstow.ObjectStore, tmp_path: Path) -> Put:
    """Put the object "a" with the given options by one of the verbs."""
    path = tmp_path / "a"
    path.write_bytes(b"day,amount")

    async def put(**options: Any) -> jetstow.ObjectInfo:
        if request.param == "put":
            return await store.put("a", b"day,amount", **options)
        if request.param == "open":
            async with store.open("a", "wb", **options) as file:
                await file.write(b"day,amount")
            assert file.info is not None
            return file.info
        return await store.put_file(path, "a", resume="resume" in request.param, **options)

    return put


async def test_fields_are_stored(put: Put, store: jetstow.ObjectStore) -> None:
    stored = await put(**FIELDS)
    for info in (stored, await store.get_info("a")):
        assert (info.description, info.content_type) == ("sales by day", "text/x-sales")
        assert (info.tags, info.metadata) == (["draft", "team:red"], {"author": "ada"})
        assert info.meta.headers == ObjectHeaders({"one": "1", "two": ["1", "2"]})
    described = await put(meta=ObjectMeta(**FIELDS))
    assert described.meta == stored.meta
    assert (await store.get("a")).data == b"day,amount"


async def test_fields_complete_meta(put: Put) -> None:
    meta = ObjectMeta(description="words", options=ObjectMetaOptions(max_chunk_size=4))
    info = await put(meta=meta, tags=("a", "b"), metadata={"k": "v"})
    assert (info.description, info.chunks) == ("words", 3)
    assert (info.tags, info.metadata) == (["a", "b"], {"k": "v"})
    assert meta.tags is None, "the caller's object is unchanged"
    theirs = api.ObjectMeta(description="words", headers={"h": "1"})
    info = await put(meta=theirs, content_type="x/y", tags={"one"})
    assert (info.description, info.content_type, info.tags) == ("words", "x/y", ["one"])
    assert info.meta.headers == {"h": "1"}


async def test_field_given_twice(put: Put, store: jetstow.ObjectStore) -> None:
    for name, value in FIELDS.items():
        with pytest.raises(InvalidOptionError, match=f"^{name} of object 'a' .*given twice"):
            await put(meta=ObjectMeta(**{name: value}), **{name: value})
    assert not await store.exists("a")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("description", 7),
        ("content_type", b"text/plain"),
        ("tags", "red"),
        ("tags", [7]),
        ("tags", 7),
        ("headers", "a=b"),
        ("headers", {"a": 7}),
        ("headers", {"Jetstow-Expires": "2030-01-01T00:00:00Z"}),
        ("metadata", {"a": 7}),
        ("metadata", [("a", "b")]),
    ],
)
async def test_invalid_field(
    store: jetstow.ObjectStore, name: str, value: Any, tmp_path: Path
) -> None:
    options: dict[str, Any] = {name: value}
    with pytest.raises(InvalidOptionError, match="'a'"):
        await store.put("a", b"x", **options)
    with pytest.raises(InvalidOptionError, match="'a'"):
        await store.open("a", "wb", **options)
    assert not await store.exists("a")


async def test_dict_as_meta_explains_itself(store: jetstow.ObjectStore, tmp_path: Path) -> None:
    """update_meta raised AttributeError: 'dict' object has no attribute 'name'."""
    meta: Any = {"author": "ada"}
    path = tmp_path / "a"
    path.touch()
    message = "'a' .* must be an ObjectMeta, not dict; the keyword arguments metadata"
    with pytest.raises(InvalidOptionError, match=message):
        await store.put("a", b"x", meta)
    with pytest.raises(InvalidOptionError, match=message):
        await store.put("a", b"x", meta, tags=["t"])
    with pytest.raises(InvalidOptionError, match=message):
        await store.put_file(path, meta=meta)
    with pytest.raises(InvalidOptionError, match=message):
        await store.open("a", "wb", meta)
    await store.put("a", b"x", description="stays")
    with pytest.raises(InvalidOptionError, match=r"'a' .* not by a dict: .*info\.meta"):
        await store.update_meta("a", meta)
    assert (await store.get_info("a")).description == "stays"
