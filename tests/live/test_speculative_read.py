"""Reading a small object again asks for its bytes beside its metadata, and trusts only these."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

import jetstow
from jetstow._core.read.speculative import SpeculativeRead
from jetstow._core.read.windows import Window
from jetstow.errors import ObjectDeletedError, ObjectNotFoundError
from tests.support.samples import some_bytes
from tests.support.servers import NatsServer

pytestmark = [pytest.mark.min_server("2.11.0"), pytest.mark.not_on("consumer")]


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[Window | None]:
    """What every read took of its guess."""
    found: list[Window | None] = []
    take = SpeculativeRead.take_window

    def noted(self: SpeculativeRead, info: jetstow.ObjectInfo) -> Window | None:
        found.append(take(self, info))
        return found[-1]

    monkeypatch.setattr(SpeculativeRead, "take_window", noted)
    return found


@pytest.fixture
async def elsewhere(
    server: NatsServer, store: jetstow.ObjectStore
) -> AsyncIterator[jetstow.ObjectStore]:
    """The same bucket, on another connection."""
    nc = await jetstow.connect(server.url)
    yield await nc.jetstream().object_store(store.bucket)
    await nc.close()


async def test_what_was_put_or_read_before_is_guessed(
    store: jetstow.ObjectStore, elsewhere: jetstow.ObjectStore, taken: list[Window | None]
) -> None:
    await store.put("a", b"one")
    assert (await store.get("a")).data == b"one"
    assert (await elsewhere.get("a")).data == b"one"
    assert (await elsewhere.get("a")).data == b"one"
    assert [window is not None for window in taken] == [True, False, True]


async def test_a_wrong_guess_gives_the_new_object(
    store: jetstow.ObjectStore, elsewhere: jetstow.ObjectStore, taken: list[Window | None]
) -> None:
    await store.put("a", b"one")
    await elsewhere.put("a", b"another")
    assert (await store.get("a")).data == b"another"
    assert taken == [None]
    assert store._bucket.api.inbox.inbound._used == 0


async def test_a_guess_of_what_was_deleted_finds_nothing(
    store: jetstow.ObjectStore, elsewhere: jetstow.ObjectStore
) -> None:
    await store.put("a", b"one")
    await elsewhere.delete("a")
    with pytest.raises(ObjectDeletedError):
        await store.get("a")
    assert (await store.get("a", show_deleted=True)).data == b""
    await elsewhere.put("b", b"two")
    await store.get("b")
    await elsewhere.update_meta("b", jetstow.ObjectMeta(name="c"))
    with pytest.raises(ObjectNotFoundError):
        await store.get("b")
    assert store._bucket.api.inbox.inbound._used == 0


async def test_large_objects_are_not_guessed(
    store: jetstow.ObjectStore, taken: list[Window | None]
) -> None:
    await store.put("a", some_bytes(131_073))
    assert (await store.get("a")).data == some_bytes(131_073)
    assert taken == [None]


async def test_small_chunks_of_a_small_object_come_at_once(
    store: jetstow.ObjectStore, taken: list[Window | None]
) -> None:
    options = jetstow.ObjectMetaOptions(max_chunk_size=100)
    await store.put("a", some_bytes(1_501), jetstow.ObjectMeta(options=options))
    assert (await store.get("a")).data == some_bytes(1_501)
    assert taken[0] is not None


async def test_only_so_many_names_are_remembered(store: jetstow.ObjectStore) -> None:
    known = store._bucket.locations
    for i in range(5_000):
        known.remember(jetstow.ObjectInfo(name=str(i), bucket="b", nuid="n", size=1, chunks=1))
    assert known.get("0") is None
    assert known.get("4999") == ("n", 1, 1)
    known.remember(jetstow.ObjectInfo(name="4999", bucket="b", nuid="n", size=0, chunks=0))
    assert known.get("4999") is None
