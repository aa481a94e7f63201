"""encrypted: plaintext for the holder of the key, marked ciphertext for all others."""

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

pytestmark = pytest.mark.one_path

KEY = secrets.token_bytes(32)
SMALL = ObjectMeta(options=ObjectMetaOptions(max_chunk_size=1024))
DATA = some_bytes(10_000)


@pytest.fixture
def secret(store: jetstow.ObjectStore) -> jetstow.ObjectStore:
    return store.encrypted(KEY)


@pytest.mark.parametrize("size", [0, 1, 928, 929, 10_000, 400_000])
async def test_round_trip_by_every_verb(
    secret: jetstow.ObjectStore, tmp_path: Path, size: int
) -> None:
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


async def test_ranges_count_plaintext_bytes(secret: jetstow.ObjectStore) -> None:
    await secret.put("a", DATA, SMALL)
    ranges = [(0, 1), (0, 928), (927, 2), (928, 1008), (1935, 3), (9_999, 1), (9_000, None)]
    for start, length in [*ranges, (0, None), (10_000, None), (5, 0)]:
        stop = len(DATA) if length is None else start + length
        assert await secret.get_range("a", start, length) == DATA[start:stop]
    with pytest.raises(InvalidRangeError, match="10000 bytes"):
        await secret.get_range("a", 10_001)
    async with secret.open("a") as file:
        for position in (9_000, 10, 5_000, 9_995):
            await file.seek(position)
            assert await file.read(100) == DATA[position : position + 100]


async def test_progress_counts_plaintext_bytes(secret: jetstow.ObjectStore) -> None:
    reports: list[tuple[int, int | None]] = []
    await secret.put("a", DATA, SMALL, progress=lambda *each: reports.append(each))
    assert reports[-1] == (10_000, 10_000)
    await secret.get("a", progress=lambda *each: reports.append(each))
    assert reports[-1] == (10_000, 10_000)


async def test_other_clients_read_ciphertext(
    store: jetstow.ObjectStore, secret: jetstow.ObjectStore, raw: Client
) -> None:
    await secret.put("a", b"attack at dawn" * 1000, SMALL)
    theirs = await (await raw.jetstream().object_store(store.bucket)).get("a")
    assert theirs.data is not None
    assert b"attack" not in theirs.data
    assert theirs.info.digest == digest_of(theirs.data)
    assert theirs.info.size == len(theirs.data)
    assert list(theirs.info.headers or {}) == ["Jetstow-Encryption"]
    assert (await store.as_stored().get("a")).data == theirs.data
    assert KEY.hex() not in repr(secret)


async def test_read_without_the_key(
    store: jetstow.ObjectStore, secret: jetstow.ObjectStore, tmp_path: Path
) -> None:
    await secret.put("a", DATA)
    wrong = store.encrypted(bytes(32))
    for view, text in ((store, "is encrypted"), (wrong, "another key")):
        reads = [view.get("a"), view.get_file("a", tmp_path / "f"), view.get_range("a", 0, 5)]
        for read in reads:
            with pytest.raises(ObjectEncryptedError, match=text):
                await read
    assert list(tmp_path.iterdir()) == []


async def test_links(store: jetstow.ObjectStore, secret: jetstow.ObjectStore) -> None:
    await secret.add_link("link", await secret.put("a", DATA))
    assert (await secret.get("link")).data == DATA
    assert await secret.get_range("link", 5, 5) == DATA[5:10]
    await secret.rename("link", "other")
    assert (await secret.get("other")).data == DATA


async def test_header_survives_update_and_rename(
    store: jetstow.ObjectStore, secret: jetstow.ObjectStore
) -> None:
    await secret.put("a", DATA, ObjectMeta(tags=["t"]))
    for view in (store, secret):
        info = await view.update_meta("a", ObjectMeta(description="d"))
        assert (info.encrypted, info.description, info.tags) == (True, "d", [])
    renamed = await secret.update_meta("a", ObjectMeta(name="b"))
    assert (renamed.encrypted, renamed.size) == (True, 10_000)
    assert (await secret.get("b")).data == DATA
    assert (await secret.rename("b", "c")).size == 10_000
    assert (await secret.get("c")).data == DATA
    assert await secret.get_range("c", 9_990) == DATA[9_990:]
    assert not (await store.put("c", b"plain")).encrypted


async def test_rename_and_copy_without_the_key(
    store: jetstow.ObjectStore, secret: jetstow.ObjectStore
) -> None:
    """The object could not be read any more: it is encrypted for its name."""
    await secret.add_link("link", await secret.put("a", DATA))
    steps = [
        store.rename("a", "b"), store.update_meta("a", ObjectMeta(name="b")),
        store.copy("a", "b"), store.rename("link", "b"),
    ]  # fmt: skip
    for step in steps:
        with pytest.raises(ObjectEncryptedError, match="is encrypted for its name and bucket"):
            await step
    await store.as_stored().rename("a", "b")
    with pytest.raises(TamperedError, match="under another name"):
        await secret.rename("b", "c")  # it might be a different object
    await store.as_stored().rename("b", "a")
    assert (await secret.get("link")).data == DATA
    assert {info.name for info in await store.list()} == {"a", "link"}


async def test_header_that_another_client_dropped(
    store: jetstow.ObjectStore, secret: jetstow.ObjectStore, raw: Client
) -> None:
    await secret.put("a", DATA)
    theirs = await raw.jetstream().object_store(store.bucket)
    await theirs.update_meta("a", api.ObjectMeta(name="a", description="theirs"))
    assert not (await secret.get_info("a")).encrypted
    result = await secret.get("a")
    assert (result.data, result.info.encrypted, result.info.size) == (DATA, True, 10_000)
    assert await secret.get_range("a", 9_990) == DATA[9_990:]
    await secret.update_meta("a", (await secret.get_info("a")).meta)
    info = await secret.get_info("a")
    assert (info.encrypted, info.size, info.description) == (True, 10_000, "theirs")


async def test_copy_between_keys(
    store: jetstow.ObjectStore, secret: jetstow.ObjectStore, js: jetstow.JetStreamContext
) -> None:
    await secret.put("a", DATA, SMALL)
    other = await js.create_object_store(f"{store.bucket}-other")
    await store.as_stored().copy("a", to=other)
    await secret.copy("a", "opened", to=other)
    other_key = other.encrypted(bytes(32))
    await secret.copy("a", "reencrypted", to=other_key)
    await other.copy("opened", "late", to=other_key)
    with pytest.raises(ObjectEncryptedError):
        await store.copy("a", "none", to=other_key)
    assert (await other.encrypted(KEY, original_bucket=store.bucket).get("a")).data == DATA
    assert (await other.get("opened")).data == DATA
    for name in ("reencrypted", "late"):
        assert (await other_key.get(name)).data == DATA
    with pytest.raises(InvalidOptionError, match="onto itself"):
        await other_key.copy("late", to=other_key)
    await other_key.copy("late", "late", to=other.encrypted(KEY))
    assert (await other.encrypted(KEY).get("late")).data == DATA
    assert [info.encrypted for info in await other.list()] == [True, False, True, True]


async def test_mirror_and_backup_without_the_key(
    store: jetstow.ObjectStore,
    secret: jetstow.ObjectStore,
    js: jetstow.JetStreamContext,
    tmp_path: Path,
) -> None:
    await secret.add_link("link", await secret.put("a", DATA))
    assert (await store.verify()).ok
    assert (await secret.verify()).ok
    other = await js.create_object_store(f"{store.bucket}-m")
    assert (await jetstow.mirror(store, other)).copied == ["a", "link"]
    assert (await jetstow.mirror(secret, other)).unchanged == ["a", "link"]
    await jetstow.backup(store, tmp_path / "b.tar")
    await jetstow.restore(js, tmp_path / "b.tar", f"{store.bucket}-r")
    for copy in (other, await js.object_store(f"{store.bucket}-r")):
        with pytest.raises(
            TamperedError, match=r"with store.encrypted\(key, original_bucket=...\)"
        ):
            await copy.encrypted(KEY).get("a")
        vault = copy.encrypted(KEY, original_bucket=store.bucket)
        for name in ("a", "link"):
            assert (await vault.get(name)).data == DATA
            assert await vault.get_range(name, 9_990) == DATA[9_990:]
        assert (await vault.verify()).ok
        await vault.rename("a", "b")  # then it belongs to its bucket
        assert (await copy.encrypted(KEY).get("b")).data == DATA


async def test_stored_bytes_in_larger_chunks(
    store: jetstow.ObjectStore, secret: jetstow.ObjectStore
) -> None:
    """Reading an object in one chunk that was larger than those of the encryption failed with
    `TamperedError`."""
    as_stored = store.as_stored()
    for size in (1, 929, 10_000, 400_000):
        await secret.put("a", some_bytes(size), SMALL)
        stored = await as_stored.get("a")
        # Without the header, the layout is in the bytes.
        for headers in (stored.info.headers, None):
            await as_stored.put("a", stored.data, ObjectMeta(headers=headers))
            assert (await secret.get("a")).data == some_bytes(size)
            assert await secret.get_range("a", size // 2, 1) == some_bytes(size)[size // 2 :][:1]


async def test_watch_and_list_report_plaintext_sizes(secret: jetstow.ObjectStore) -> None:
    async with await secret.watch(updates_only=True) as changes:
        await secret.put("a", DATA)
        change = await changes.updates()
    assert change is not None
    assert (change.size, change.encrypted) == (10_000, True)
    assert [info.name for info in await secret.find(min_size=10_000, max_size=10_000)] == ["a"]


async def test_unsupported_options(secret: jetstow.ObjectStore, tmp_path: Path) -> None:
    tiny = ObjectMeta(options=ObjectMetaOptions(max_chunk_size=100))
    with pytest.raises(InvalidOptionError, match="at least 1024 bytes"):
        await secret.put("a", DATA, tiny)
    (tmp_path / "f").write_bytes(DATA)
    with pytest.raises(InvalidOptionError, match="resume"):
        await secret.put_file(tmp_path / "f", resume=True)
    await secret.put("a", DATA)
    with pytest.raises(InvalidOptionError, match="resume"):
        await secret.get_file("a", tmp_path / "out", resume=True)
    assert [info.name for info in await secret.list()] == ["a"]
