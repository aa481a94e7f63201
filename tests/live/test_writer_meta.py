"""The metadata, size and digest of an object that is being written."""

from __future__ import annotations

import pytest
from nats.aio.client import Client
from nats.js import api

import jetstow
from jetstow import ObjectLink, ObjectMeta, ObjectMetaOptions
from jetstow.errors import InvalidOptionError, LinkError, ObjectNotFoundError
from tests.support import raw_stream
from tests.support.samples import digest_of, some_bytes

pytestmark = pytest.mark.one_path

DATA = some_bytes(95)
SMALL_CHUNKS = ObjectMetaOptions(max_chunk_size=10)


async def test_meta_of_a_writer_is_that_of_the_arguments(store: jetstow.ObjectStore) -> None:
    async with store.open(
        "a",
        "wb",
        description="words",
        content_type="text/csv",
        tags=["raw"],
        headers={"Own": "1"},
        metadata={"key": "value"},
    ) as file:
        meta = file.meta
    assert (meta.name, meta.description, meta.content_type, meta.tags) == (
        "a", "words", "text/csv", ["raw"],
    )  # fmt: skip
    assert (meta.headers, meta.metadata) == ({"Own": "1"}, {"key": "value"})
    assert file.info is not None
    assert (file.info.content_type, file.info.tags) == ("text/csv", ["raw"])


async def test_meta_is_changed_after_the_bytes(store: jetstow.ObjectStore) -> None:
    meta = ObjectMeta(content_type="text/csv", options=SMALL_CHUNKS)
    async with store.open("a", "wb", meta) as file:
        await file.write(DATA)
        file.meta.metadata = {"md5": "known now"}
        file.meta.content_type = "text/plain"
        file.meta.tags = ["raw"]
    info = await store.get_info("a")
    assert (info.metadata, info.content_type, info.tags) == (
        {"md5": "known now"}, "text/plain", ["raw"],
    )  # fmt: skip
    assert (info.chunks, (await store.get("a")).data) == (10, DATA)


async def test_meta_is_replaced(store: jetstow.ObjectStore) -> None:
    """What is left out is removed; the chunk size stays."""
    meta = ObjectMeta(description="old", content_type="text/csv", options=SMALL_CHUNKS)
    async with store.open("a", "wb", meta) as file:
        await file.write(DATA)
        file.meta = ObjectMeta(headers={"Own": ["1", "2"]})
    info = await store.get_info("a")
    assert (info.description, info.headers) == (None, {"Own": ["1", "2"]})
    assert info.options == SMALL_CHUNKS


async def test_meta_does_not_change_that_of_the_caller(store: jetstow.ObjectStore) -> None:
    meta = ObjectMeta(metadata={"key": "value"})
    async with store.open("a", "wb", meta) as file:
        assert file.meta.metadata is not None
        file.meta.metadata["key"] = "other"
    assert meta.metadata == {"key": "value"}
    assert (await store.get_info("a")).metadata == {"key": "other"}


@pytest.mark.parametrize(
    ("meta", "error"),
    [
        (ObjectMeta(metadata={"a": 7}), InvalidOptionError),  # type: ignore[dict-item]
        (ObjectMeta(headers={"Jetstow-Expires": "now"}), InvalidOptionError),
        (ObjectMeta(name="b"), InvalidOptionError),
        (ObjectMeta(options=ObjectMetaOptions(link=ObjectLink("b"))), LinkError),
        ({"metadata": {}}, InvalidOptionError),
    ],
)
async def test_invalid_meta_stores_nothing(
    store: jetstow.ObjectStore, raw: Client, meta: ObjectMeta, error: type[Exception]
) -> None:
    file = await store.open("a", "wb", api.ObjectMeta(options=SMALL_CHUNKS))
    await file.write(DATA)
    file.meta = meta
    with pytest.raises(error, match="'a'"):
        await file.close()
    assert await raw_stream.chunks(raw, store.bucket) == {}
    with pytest.raises(ObjectNotFoundError):
        await store.get_info("a")


@pytest.mark.parametrize("encrypted", [False, True])
async def test_size_and_digest_before_the_commit(
    store: jetstow.ObjectStore, encrypted: bool
) -> None:
    view = store.encrypted(bytes(32)) if encrypted else store
    data = some_bytes(3 * 128 * 1024 + 5)
    async with view.open("a", "wb") as file:
        assert (file.size, file.digest) == (0, digest_of(b""))
        for start in range(0, len(data), 50_000):
            await file.write(data[start : start + 50_000])
            written = data[: start + 50_000]
            assert (file.size, file.digest) == (len(written), digest_of(written))
    assert (file.size, file.digest) == (len(data), digest_of(data))
    assert file.info is not None
    assert file.info.size == len(data)
    assert (file.info.digest == file.digest) != encrypted


async def test_nuid_is_known_before_the_chunks(store: jetstow.ObjectStore) -> None:
    async with store.open("a", "wb") as file:
        nuid = file.nuid
    assert file.info is not None
    assert file.info.nuid == nuid


async def test_view_as_stored_keeps_reserved_headers(store: jetstow.ObjectStore) -> None:
    """`copy` of an encrypted object depends on them."""
    stored = await store.encrypted(bytes(32)).put("a", DATA)
    view = store.as_stored()
    meta = (await view.get_info("a")).meta
    meta.headers = dict((stored.headers or {}).items())
    async with view.open("a", "wb", meta) as file:
        await file.write((await view.get("a")).data)
    assert (await store.encrypted(bytes(32)).get("a")).data == DATA
