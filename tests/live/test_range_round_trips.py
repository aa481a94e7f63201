"""get_range takes at most four round trips, for any layout of the chunks."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nats.aio.client import Client

import jetstow
from jetstow import ObjectMeta, ObjectMetaOptions
from tests.support import object_builder, raw_stream
from tests.support.round_trips import RoundTripCounter
from tests.support.samples import some_bytes

# Before 2.11, every count needs a consumer.
pytestmark = [pytest.mark.min_server("2.11"), pytest.mark.one_path]

# Large enough that a range reads few unneeded chunks.
SIZE = 20_000


@pytest.fixture
def counter(monkeypatch: pytest.MonkeyPatch) -> RoundTripCounter:
    return RoundTripCounter(monkeypatch)


async def write_interleaved(
    raw: Client, bucket: str, order: list[int], size: int = SIZE, name: str = "a"
) -> bytes:
    """Write an object with so many messages of other clients before each of its chunks."""
    data = some_bytes(len(order) * size - size // 2, len(order))
    nuid = await object_builder.write_chunks(raw, bucket, [])
    mine, other = raw_stream.chunk_subject(bucket, nuid), f"$O.{bucket}.C.another"
    for number, others in enumerate(order):
        for n in range(1, others + 1):
            await raw.publish(other, b"x")
            if n % 2_000 == 0:  # the server drops messages that it cannot process in time
                await raw.request(other, b"x", timeout=5)
        await raw.publish(mine, data[number * size : (number + 1) * size])
    fields = {"nuid": nuid, "size": len(data), "chunks": len(order), "digest": None}
    options = {"max_chunk_size": size}
    await object_builder.write_object(raw, bucket, name, [], **fields, options=options)
    return data


async def check_round_trips(
    store: jetstow.ObjectStore, data: bytes, counter: RoundTripCounter, limit: int, tries: int = 25
) -> int:
    """Check random ranges and their round trips, and return the largest number."""
    rng = random.Random(len(data))
    worst = 0
    for _ in range(tries):
        start = rng.randrange(len(data))
        counter.reset()
        assert await store.get_range("a", start, 1_000) == data[start : start + 1_000]
        assert counter.count <= limit, (start, counter.count, counter.requests)
        worst = max(worst, counter.count)
    return worst


async def test_contiguous_chunks_take_three(
    store: jetstow.ObjectStore, raw: Client, counter: RoundTripCounter
) -> None:
    await store.put("before", some_bytes(300_000))
    data = some_bytes(6_000_000)
    await store.put("a", data, ObjectMeta(options=ObjectMetaOptions(max_chunk_size=SIZE)))
    await check_round_trips(store, data, counter, 3)
    small = some_bytes(200_000)
    await store.put("a", small)
    await check_round_trips(store, small, counter, 2)


async def test_rewritten_metadata_takes_four(
    store: jetstow.ObjectStore, raw: Client, counter: RoundTripCounter
) -> None:
    data = await write_interleaved(raw, store.bucket, [0] * 300)
    await write_interleaved(raw, store.bucket, [15] * 200, 10, name="others")
    await store.update_meta("a", ObjectMeta(description="rewritten"))
    await check_round_trips(store, data, counter, 4)


def two_writers(rng: random.Random) -> list[int]:
    return [int(rng.expovariate(1)) for _ in range(260)]


def sixteen_writers(rng: random.Random) -> list[int]:
    return [int(rng.expovariate(1 / 15)) for _ in range(260)]


def bursts(rng: random.Random) -> list[int]:
    among_fifty = [int(rng.expovariate(1 / 50)) for _ in range(100)]
    return [0] * 150 + among_fifty + [0] * 150


def far_apart(_: random.Random) -> list[int]:
    return [0, 10_000, 0, 10_000, 10_000] + [0] * 80


@pytest.mark.parametrize("order", [two_writers, sixteen_writers, bursts, far_apart])
async def test_interleaved_chunks_take_four(
    store: jetstow.ObjectStore,
    raw: Client,
    counter: RoundTripCounter,
    order: Callable[[random.Random], list[int]],
) -> None:
    data = await write_interleaved(raw, store.bucket, order(random.Random(1)))
    await check_round_trips(store, data, counter, 4)


async def test_seek_takes_four(
    store: jetstow.ObjectStore, raw: Client, counter: RoundTripCounter
) -> None:
    data = await write_interleaved(raw, store.bucket, sixteen_writers(random.Random(2)))
    rng = random.Random(3)
    async with store.open("a") as file:
        for _ in range(15):
            start = rng.randrange(len(data))
            counter.reset()
            await file.seek(start)
            assert await file.read(500) == data[start : start + 500]
            assert counter.count <= 4


async def test_uneven_chunks_are_read_from_the_first(
    store: jetstow.ObjectStore, raw: Client
) -> None:
    rng = random.Random(4)
    pieces = [some_bytes(rng.choice([1, 700, 1_000]), n) for n in range(300)]
    options = {"max_chunk_size": 1_000}
    await object_builder.write_object(raw, store.bucket, "a", pieces, options=options)
    data = b"".join(pieces)
    for start in (0, 5, 70_000, len(data) - 3):
        assert await store.get_range("a", start, 900) == data[start : start + 900]


@settings(max_examples=15)
@given(order=st.lists(st.integers(0, 3) | st.integers(0, 60), min_size=3, max_size=120))
async def test_random_interleaving_takes_four(
    store: jetstow.ObjectStore, raw: Client, order: list[int]
) -> None:
    data = await write_interleaved(raw, store.bucket, order)
    with pytest.MonkeyPatch.context() as patch:
        await check_round_trips(store, data, RoundTripCounter(patch), 4, tries=8)


async def test_batch_of_minus_one_returns_only_a_count(
    store: jetstow.ObjectStore, raw: Client
) -> None:
    """The range search uses an undocumented request. This test fails if a server replies
    differently. Reads then use consumers."""
    await write_interleaved(raw, store.bucket, [3] * 20, 1_000)
    inbox = raw.new_inbox()
    replies = await raw.subscribe(inbox)
    subject = f"$O.{store.bucket}.C.another"
    body = f'{{"seq": 5, "next_by_subj": "{subject}", "batch": -1}}'.encode()
    await raw.publish(f"$JS.API.DIRECT.GET.OBJ_{store.bucket}", body, reply=inbox)
    reply = await replies.next_msg(timeout=5)
    headers = reply.headers or {}
    assert (reply.data, headers["Status"]) == (b"", "204")
    assert headers["Nats-Num-Pending"] == "57", "the message at sequence 5 is counted"
