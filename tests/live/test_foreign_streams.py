"""Buckets whose streams other programs configured: small messages, lost messages."""

from __future__ import annotations

from typing import Any

import pytest
from nats.aio.client import Client

import jetstow
from jetstow import ObjectMeta, ObjectMetaOptions
from jetstow.errors import (
    BucketSealedError,
    InvalidOptionError,
    WrongStreamError,
)
from tests.support import raw_stream
from tests.support.samples import some_bytes
from tests.support.servers import NatsServer

pytestmark = [pytest.mark.one_path, pytest.mark.first_and_last_version]

DATA = some_bytes(500_000)


# -- small messages ----------------------------------------------------------------------


@pytest.mark.parametrize("limit", [1_000, 10_000])
@pytest.mark.parametrize("chunk_size", [None, 990])
async def test_max_msg_size(
    js: jetstow.JetStreamContext, raw: Client, bucket: str, limit: int, chunk_size: int | None
) -> None:
    """Chunks had 128 KiB, and the server refused them."""
    await raw_stream.create(raw, bucket, max_msg_size=limit)
    store = await js.object_store(bucket)
    meta = ObjectMeta(options=ObjectMetaOptions(max_chunk_size=chunk_size))
    info = await store.put("a", DATA, meta)
    assert (await store.get("a")).data == DATA
    assert (await store.get_range("a", 4_321, 5_678)) == DATA[4_321:9_999]
    size = info.options.max_chunk_size if info.options else None
    assert size == min(chunk_size or limit, limit - 64)
    assert (await store.copy("a", "b")).digest == info.digest


async def test_copy_into_a_bucket_with_smaller_messages(
    js: jetstow.JetStreamContext, raw: Client, bucket: str, store: jetstow.ObjectStore
) -> None:
    await raw_stream.create(raw, f"{bucket}-small", max_msg_size=2_000)
    small = await js.object_store(f"{bucket}-small")
    await store.put("a", DATA)
    await store.copy("a", to=small)
    assert (await small.get("a")).data == DATA


async def test_message_larger_than_max_msg_size(
    js: jetstow.JetStreamContext, raw: Client, bucket: str
) -> None:
    await raw_stream.create(raw, bucket, max_msg_size=2_000)
    store = await js.object_store(bucket)
    with pytest.raises(InvalidOptionError, match=r"1 to 2000 bytes .the stream's max_msg_size"):
        await store.put("a", DATA, ObjectMeta(options=ObjectMetaOptions(max_chunk_size=2_001)))
    with pytest.raises(InvalidOptionError, match="larger than the max_msg_size"):
        await store.put("a", DATA, ObjectMeta(description="x" * 2_000))
    assert await raw_stream.subjects(raw, bucket) == {}


# -- lost messages -----------------------------------------------------------------------

LOSSY: dict[str, dict[str, Any]] = {
    "max_msgs_per_subject 1": {"max_msgs_per_subject": 1},
    "retention 'interest'": {"retention": "interest"},
    "retention 'workqueue'": {"retention": "workqueue"},
    "discard 'old' and max_bytes 200000": {"discard": "old", "max_bytes": 200_000},
    "discard 'old' and max_msgs 3": {"discard": "old", "max_msgs": 3},
    "a subject_transform from '>' to 'x.>'": {"subject_transform": {"src": ">", "dest": "x.>"}},
}


@pytest.mark.parametrize("option", LOSSY)
async def test_stream_that_would_lose_bytes(
    js: jetstow.JetStreamContext, raw: Client, bucket: str, server: NatsServer, option: str
) -> None:
    """A put reported success, and the object had lost chunks or was missing."""
    await raw_stream.create(raw, bucket, **LOSSY[option])
    if "transform" in option and not server.at_least("2.10"):
        await js.object_store(bucket)  # the server ignores the option
        return
    with pytest.raises(WrongStreamError) as caught:
        await js.object_store(bucket)
    assert f"bucket '{bucket}' would lose bytes: its stream" in str(caught.value)
    assert f"has {option};" in str(caught.value)
    assert caught.value.bucket == bucket
    results = {result.bucket: result for result in await js.verify_object_stores()}
    assert [str(finding.error) for finding in results[bucket].findings] == [str(caught.value)]


@pytest.mark.parametrize(
    "options",
    [
        {"discard": "old"},
        {"max_msgs": 1_000},
        {"allow_direct": False},
        {"deny_delete": True},
        {"duplicate_window": 100_000_000},
        {"max_consumers": 1},
        {"subjects": None},
    ],
)
async def test_stream_with_harmless_options(
    js: jetstow.JetStreamContext, raw: Client, bucket: str, options: dict[str, Any]
) -> None:
    if "subjects" in options:
        options = {"subjects": [f"$O.{bucket}.>"]}
    await raw_stream.create(raw, bucket, **options)
    store = await js.object_store(bucket)
    await store.put("a", DATA)
    await store.put("a", DATA[1:])
    assert (await store.get("a")).data == DATA[1:]
    assert (await store.verify()).unused in (0, None)
    await store.rename("a", "b")
    await store.delete("b")
    assert await raw_stream.chunks(raw, bucket) == {}


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"allow_rollup_hdrs": False}, "does not allow rollups"),
        ({"no_ack": True}, "does not acknowledge messages"),
        ({"subjects": ["other.>"]}, "does not store the subjects of bucket"),
    ],
)
async def test_stream_that_refuses_changes(
    js: jetstow.JetStreamContext, raw: Client, bucket: str, options: dict[str, Any], reason: str
) -> None:
    """Every byte was sent before the server refused the metadata, or a put timed out."""
    await raw_stream.create(raw, bucket, **options)
    store = await js.object_store(bucket)
    for change in (store.put("a", DATA), store.delete("a"), store.add_bucket_link("a", bucket)):
        with pytest.raises(BucketSealedError, match=reason):
            await change
    assert await store.list() == []
    assert await raw_stream.subjects(raw, bucket) == {}
