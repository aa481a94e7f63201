"""get_range waits for the server four times at most, wherever the chunks of an object lie."""

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
from tests.support.round_trips import Rounds
from tests.support.samples import some_bytes

# The first servers that read by batches; before, each question makes a consumer.
pytestmark = [pytest.mark.min_server("2.11"), pytest.mark.not_on("consumer")]

# Large enough that few chunks are read along for nothing.
SIZE = 20_000


@pytest.fixture
def rounds(monkeypatch: pytest.MonkeyPatch) -> Rounds:
    return Rounds(monkeypatch)


async def write_between(
    raw: Client, bucket: str, order: list[int], size: int = SIZE, name: str = "a"
) -> bytes:
    """An object whose chunks lie between messages of others: so many before each of them."""
    data = some_bytes(len(order) * size - size // 2, len(order))
    nuid = await object_builder.write_chunks(raw, bucket, [])
    mine, other = raw_stream.chunk_subject(bucket, nuid), f"$O.{bucket}.C.another"
    for number, others in enumerate(order):
        for n in range(1, others + 1):
            await raw.publish(other, b"x")
            if n % 2_000 == 0:  # the server drops what it cannot work off
                await raw.request(other, b"x", timeout=5)
        await raw.publish(mine, data[number * size : (number + 1) * size])
    fields = {"nuid": nuid, "size": len(data), "chunks": len(order), "digest": None}
    options = {"max_chunk_size": size}
    await object_builder.write_object(raw, bucket, name, [], **fields, options=options)
    return data


async def check(
    store: jetstow.ObjectStore, data: bytes, rounds: Rounds, most: int, tries: int = 25
) -> int:
    """Ranges anywhere are the bytes, and take no more than so many rounds; returns how many."""
    chance = random.Random(len(data))
    worst = 0
    for _ in range(tries):
        start = chance.randrange(len(data))
        rounds.start()
        assert await store.get_range("a", start, 1_000) == data[start : start + 1_000]
        assert rounds.count <= most, (start, rounds.count, rounds.requests)
        worst = max(worst, rounds.count)
    return worst


async def test_an_object_written_alone_takes_three(
    store: jetstow.ObjectStore, raw: Client, rounds: Rounds
) -> None:
    await store.put("before", some_bytes(300_000))
    data = some_bytes(6_000_000)
    await store.put("a", data, ObjectMeta(options=ObjectMetaOptions(max_chunk_size=SIZE)))
    await check(store, data, rounds, 3)
    small = some_bytes(200_000)
    await store.put("a", small)
    await check(store, small, rounds, 2)


async def test_metadata_rewritten_long_after(
    store: jetstow.ObjectStore, raw: Client, rounds: Rounds
) -> None:
    data = await write_between(raw, store.bucket, [0] * 300)
    await write_between(raw, store.bucket, [15] * 200, 10, name="others")
    await store.update_meta("a", ObjectMeta(description="rewritten"))
    await check(store, data, rounds, 4)


def two(chance: random.Random) -> list[int]:
    return [int(chance.expovariate(1)) for _ in range(260)]


def sixteen(chance: random.Random) -> list[int]:
    return [int(chance.expovariate(1 / 15)) for _ in range(260)]


def bursts(chance: random.Random) -> list[int]:
    among_fifty = [int(chance.expovariate(1 / 50)) for _ in range(100)]
    return [0] * 150 + among_fifty + [0] * 150


def far_apart(_: random.Random) -> list[int]:
    return [0, 10_000, 0, 10_000, 10_000] + [0] * 80


@pytest.mark.parametrize("order", [two, sixteen, bursts, far_apart])
async def test_chunks_between_those_of_others_take_four(
    store: jetstow.ObjectStore,
    raw: Client,
    rounds: Rounds,
    order: Callable[[random.Random], list[int]],
) -> None:
    data = await write_between(raw, store.bucket, order(random.Random(1)))
    await check(store, data, rounds, 4)


async def test_a_seek_takes_no_more_than_a_range(
    store: jetstow.ObjectStore, raw: Client, rounds: Rounds
) -> None:
    data = await write_between(raw, store.bucket, sixteen(random.Random(2)))
    chance = random.Random(3)
    async with store.open("a") as file:
        for _ in range(15):
            start = chance.randrange(len(data))
            rounds.start()
            await file.seek(start)
            assert await file.read(500) == data[start : start + 500]
            assert rounds.count <= 4


async def test_uneven_chunks_are_counted_from_the_first(
    store: jetstow.ObjectStore, raw: Client
) -> None:
    chance = random.Random(4)
    pieces = [some_bytes(chance.choice([1, 700, 1_000]), n) for n in range(300)]
    options = {"max_chunk_size": 1_000}
    await object_builder.write_object(raw, store.bucket, "a", pieces, options=options)
    data = b"".join(pieces)
    for start in (0, 5, 70_000, len(data) - 3):
        assert await store.get_range("a", start, 900) == data[start : start + 900]


@settings(max_examples=15)
@given(order=st.lists(st.integers(0, 3) | st.integers(0, 60), min_size=3, max_size=120))
async def test_any_order_of_chunks(
    store: jetstow.ObjectStore, raw: Client, order: list[int]
) -> None:
    data = await write_between(raw, store.bucket, order)
    with pytest.MonkeyPatch.context() as patch:
        await check(store, data, Rounds(patch), 4, tries=8)


async def test_the_server_counts_and_sends_no_message(
    store: jetstow.ObjectStore, raw: Client
) -> None:
    """What a search asks is no documented request: a server that answers otherwise is noticed
    here, and read from all the same, by consumers."""
    await write_between(raw, store.bucket, [3] * 20, 1_000)
    inbox = raw.new_inbox()
    answers = await raw.subscribe(inbox)
    subject = f"$O.{store.bucket}.C.another"
    body = f'{{"seq": 5, "next_by_subj": "{subject}", "batch": -1}}'.encode()
    await raw.publish(f"$JS.API.DIRECT.GET.OBJ_{store.bucket}", body, reply=inbox)
    answer = await answers.next_msg(timeout=5)
    assert (answer.data, answer.headers["Status"]) == (b"", "204")
    assert answer.headers["Nats-Num-Pending"] == "57", "that of sequence 5 is among them"
