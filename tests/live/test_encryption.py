"""A bucket seen with a key: plain inside, sealed outside, and marked as such."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest
from nats.aio.client import Client
from nats.js import api

import jetstow
from jetstow import ObjectMeta, ObjectMetaOptions
from jetstow.errors import (
    InvalidOptionError,
    InvalidRangeError,
    ObjectEncryptedError,
    TamperedError,
)
from tests.support.samples import digest_of, some_bytes

KEY = secrets.token_bytes(32)
SMALL = ObjectMeta(options=ObjectMetaOptions(max_chunk_size=1024))
DATA = some_bytes(10_000)


@pytest.fixture
def secret(store: jetstow.ObjectStore) -> jetstow.ObjectStore:
    return store.encrypted(KEY)


@pytest.mark.parametrize("size", [0, 1, 944, 945, 10_000, 400_000])
async def test_every_way_in_and_out(secret: jetstow.ObjectStore, tmp_path: Path, size: int) -> None:
    data = some_bytes(size)
    (tmp_path / "in").write_bytes(data)
    await secret.put("put", data, SMALL)
    await secret.put_file(tmp_path / "in", "file")
    async with secret.open("opened", "wb", SMALL) as file:
        for start in range(0, size, 999):
            await file.write(data[start : start + 999])
    assert file.info is not None
    assert file.info.size == size
    for name in ("put", "file", "opened"):
        result = await secret.get(name)
        assert (result.data, result.info.size, result.info.encrypted) == (data, size, True)
        await secret.get_file(name, tmp_path / "out")
        assert (tmp_path / "out").read_bytes() == data
        assert b"".join([piece async for piece in secret.stream(name)]) == data
        async with secret.open(name) as opened:
            assert await opened.read() == data
    assert {info.size for info in await secret.list()} == {size}
    assert (await secret.get_info("put")).size == size


async def test_ranges_are_counted_in_plain_bytes(secret: jetstow.ObjectStore) -> None:
    await secret.put("a", DATA, SMALL)
    ranges = [(0, 1), (0, 944), (943, 2), (944, 1008), (1951, 3), (9_999, 1), (9_000, None)]
    for start, length in [*ranges, (0, None), (10_000, None), (5, 0)]:
        stop = len(DATA) if length is None else start + length
        assert await secret.get_range("a", start, length) == DATA[start:stop]
    with pytest.raises(InvalidRangeError, match="10000 bytes"):
        await secret.get_range("a", 10_001)
    async with secret.open("a") as file:
        for position in (9_000, 10, 5_000, 9_995):
            await file.seek(position)
            assert await file.read(100) == DATA[position : position + 100]


async def test_progress_counts_plain_bytes(secret: jetstow.ObjectStore) -> None:
    told: list[tuple[int, int | None]] = []
    await secret.put("a", DATA, SMALL, progress=lambda *each: told.append(each))
    assert told[-1] == (10_000, 10_000)
    await secret.get("a", progress=lambda *each: told.append(each))
    assert told[-1] == (10_000, 10_000)


async def test_others_see_sealed_bytes_with_a_right_digest(
    store: jetstow.ObjectStore, secret: jetstow.ObjectStore, raw: Client
) -> None:
    await secret.put("a", b"attack at dawn" * 1000, SMALL)
    theirs = await (await raw.jetstream().object_store(store.bucket)).get("a")
    assert theirs.data is not None
    assert b"attack" not in theirs.data
    assert theirs.info.digest == digest_of(theirs.data)
    assert theirs.info.size == len(theirs.data)
    assert theirs.info.headers == {"Jetstow-Encryption": ["AES-256-GCM; chunk=1024"]}
    assert (await store.as_stored().get("a")).data == theirs.data
    assert KEY.hex() not in repr(secret)


async def test_without_the_key_it_is_an_error_that_says_so(
    store: jetstow.ObjectStore, secret: jetstow.ObjectStore, tmp_path: Path
) -> None:
    await secret.put("a", DATA)
    wrong = store.encrypted(bytes(32))
    for view, said in ((store, "is encrypted"), (wrong, "another key")):
        reads = [view.get("a"), view.get_file("a", tmp_path / "f"), view.get_range("a", 0, 5)]
        for read in reads:
            with pytest.raises(ObjectEncryptedError, match=said):
                await read
    assert list(tmp_path.iterdir()) == []


async def test_plain_objects_are_read_as_they_are(
    store: jetstow.ObjectStore, secret: jetstow.ObjectStore
) -> None:
    await store.put("plain", DATA)
    assert (await secret.get("plain")).data == DATA
    await store.add_link("link", await secret.put("a", DATA))
    assert (await secret.get("link")).data == DATA


async def test_changed_bytes_are_never_handed_out(
    store: jetstow.ObjectStore, secret: jetstow.ObjectStore
) -> None:
    await secret.put("a", DATA, SMALL)
    stored = bytearray((await store.as_stored().get("a")).data)
    stored[5_000] ^= 1
    # Whoever may write to the bucket can make the digest fit.
    await store.as_stored().put("a", bytes(stored), _marked())
    with pytest.raises(TamperedError, match="'a'"):
        await secret.get("a")
    assert await secret.get_range("a", 0, 1000) == DATA[:1000]
    with pytest.raises(TamperedError):
        await secret.get_range("a", 4_500, 1000)
    await store.as_stored().put("a", bytes(stored[:4096]), _marked())
    with pytest.raises(TamperedError):
        await secret.get("a")
    await store.as_stored().put("a", b"too short", _marked())
    with pytest.raises(TamperedError):
        await secret.get_range("a", 0)


def _marked() -> ObjectMeta:
    return ObjectMeta(headers={"Jetstow-Encryption": ["AES-256-GCM; chunk=1024"]})


async def test_it_keeps_its_mark(store: jetstow.ObjectStore, secret: jetstow.ObjectStore) -> None:
    await secret.put("a", DATA, ObjectMeta(tags=["t"]))
    for view in (store, secret):
        info = await view.update_meta("a", ObjectMeta(description="d"))
        assert (info.encrypted, info.description, info.tags) == (True, "d", [])
    renamed = await store.update_meta("a", ObjectMeta(name="b"))
    assert renamed.encrypted
    assert (await secret.get("b")).data == DATA
    assert not (await store.put("b", b"plain")).encrypted


async def test_a_mark_that_another_client_has_dropped_can_be_set_again(
    store: jetstow.ObjectStore, secret: jetstow.ObjectStore, raw: Client
) -> None:
    put = await secret.put("a", DATA)
    theirs = await raw.jetstream().object_store(store.bucket)
    await theirs.update_meta("a", api.ObjectMeta(name="a", description="theirs"))
    assert not (await secret.get_info("a")).encrypted
    assert (await secret.get("a")).data != DATA
    stored = store.as_stored()
    meta = (await stored.get_info("a")).meta
    meta.headers = {"Jetstow-Encryption": (put.headers or {})["Jetstow-Encryption"]}
    await stored.update_meta("a", meta)
    assert (await secret.get("a")).data == DATA


async def test_copies(
    store: jetstow.ObjectStore, secret: jetstow.ObjectStore, js: jetstow.JetStreamContext
) -> None:
    await secret.put("a", DATA, SMALL)
    other = await js.create_object_store(f"{store.bucket}-other")
    await store.copy("a", "sealed", to=other)
    await secret.copy("a", "opened", to=other)
    again = other.encrypted(bytes(32))
    await secret.copy("a", "anew", to=again)
    await other.copy("opened", "late", to=again)
    with pytest.raises(ObjectEncryptedError):
        await store.copy("a", "none", to=again)
    assert (await other.encrypted(KEY).get("sealed")).data == DATA
    assert (await other.get("opened")).data == DATA
    for name in ("anew", "late"):
        assert (await again.get(name)).data == DATA
    with pytest.raises(InvalidOptionError, match="onto itself"):
        await again.copy("late", to=again)
    await again.copy("late", "late", to=other.encrypted(KEY))
    assert (await other.encrypted(KEY).get("late")).data == DATA
    assert [info.encrypted for info in await other.list()] == [True, False, True, True]


async def test_mirrors_and_backups_need_no_key(
    store: jetstow.ObjectStore,
    secret: jetstow.ObjectStore,
    js: jetstow.JetStreamContext,
    tmp_path: Path,
) -> None:
    await secret.put("a", DATA)
    assert (await store.verify()).ok
    other = await js.create_object_store(f"{store.bucket}-m")
    assert (await jetstow.mirror(store, other)).copied == ["a"]
    assert (await jetstow.mirror(secret, other)).unchanged == ["a"]
    await jetstow.backup(store, tmp_path / "b.tar")
    await jetstow.restore(js, tmp_path / "b.tar", f"{store.bucket}-r")
    for copy in (other, await js.object_store(f"{store.bucket}-r")):
        assert (await copy.encrypted(KEY).get("a")).data == DATA


async def test_watchers_and_listings_tell_plain_sizes(secret: jetstow.ObjectStore) -> None:
    async with await secret.watch(updates_only=True) as changes:
        await secret.put("a", DATA)
        change = await changes.updates()
    assert change is not None
    assert (change.size, change.encrypted) == (10_000, True)
    assert [info.name for info in await secret.find(min_size=10_000, max_size=10_000)] == ["a"]


async def test_what_cannot_be_encrypted(secret: jetstow.ObjectStore, tmp_path: Path) -> None:
    tiny = ObjectMeta(options=ObjectMetaOptions(max_chunk_size=100))
    with pytest.raises(InvalidOptionError, match="1024 bytes at least"):
        await secret.put("a", DATA, tiny)
    (tmp_path / "f").write_bytes(DATA)
    with pytest.raises(InvalidOptionError, match="resume"):
        await secret.put_file(tmp_path / "f", resume=True)
    await secret.put("a", DATA)
    with pytest.raises(InvalidOptionError, match="resume"):
        await secret.get_file("a", tmp_path / "out", resume=True)
    assert [info.name for info in await secret.list()] == ["a"]
