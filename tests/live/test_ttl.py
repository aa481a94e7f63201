"""put with ttl: an object that expires, its metadata before its chunks (server 2.11)."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from nats.aio.client import Client

import jetstow
from jetstow import ObjectMeta
from jetstow.errors import BucketExistsError, InvalidOptionError, ObjectNotFoundError
from tests.support import raw_stream
from tests.support.samples import some_bytes

pytestmark = [pytest.mark.min_server("2.11"), pytest.mark.every_version, pytest.mark.one_path]

HOUR = 3600
SMALL = ObjectMeta(options=jetstow.ObjectMetaOptions(max_chunk_size=1_000))


async def message_ttls(raw: Client, info: jetstow.ObjectInfo) -> list[str | None]:
    """Return the TTLs of the metadata and of a chunk, as the server stores them."""
    subjects = (
        raw_stream.meta_subject(info.bucket, info.name),
        f"$O.{info.bucket}.C.{info.nuid}",
    )
    js = raw.jetstream()
    found = [await js.get_last_msg(f"OBJ_{info.bucket}", subject) for subject in subjects]
    return [(message.headers or {}).get("Nats-TTL") for message in found]


def remaining(info: jetstow.ObjectInfo) -> float:
    assert info.expires is not None
    return (info.expires - datetime.datetime.now(datetime.UTC)).total_seconds()


async def test_object_expires(store: jetstow.ObjectStore) -> None:
    await store.put("stays", b"data")
    await store.put("goes", b"data", ttl=0.5)
    assert (await store.get("goes")).data == b"data"
    while True:  # the timeout of the test limits the wait
        try:
            await store.get("goes")
        except ObjectNotFoundError:
            break
    assert [info.name for info in await store.list()] == ["stays"]
    assert (await store.put("goes", b"again", expected_revision=0)).expires is None


@pytest.mark.parametrize("size", [0, 10, 50_000])
async def test_chunks_expire_after_their_name(
    store: jetstow.ObjectStore, raw: Client, size: int
) -> None:
    info = await store.put("a", some_bytes(size), SMALL, ttl=HOUR)
    assert HOUR - 60 < remaining(info) <= HOUR
    assert (await store.get_info("a")).expires == info.expires
    if size:
        assert await message_ttls(raw, info) == ["3600s", "4500s"]
    assert (await store.get("a")).data == some_bytes(size)


async def test_ttl_of_put_file_and_open(store: jetstow.ObjectStore, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"data")
    assert remaining(await store.put_file(tmp_path / "f", ttl=HOUR)) > HOUR - 60
    async with store.open("w", "wb", ttl=HOUR) as file:
        await file.write(b"data")
    assert file.info is not None
    assert remaining(file.info) > HOUR - 60
    with pytest.raises(InvalidOptionError, match="resume"):
        await store.put_file(tmp_path / "f", ttl=HOUR, resume=True)


async def test_update_rename_and_copy_keep_the_expiry(
    store: jetstow.ObjectStore, raw: Client
) -> None:
    info = await store.put("a", b"data", ttl=HOUR)
    updated = await store.update_meta("a", ObjectMeta(description="d"))
    assert (updated.expires, updated.description) == (info.expires, "d")
    renamed = await store.update_meta("a", ObjectMeta(name="b"))
    name, chunk = await message_ttls(raw, renamed)
    assert renamed.expires == info.expires
    assert int((name or "").removesuffix("s")) in range(HOUR - 60, HOUR + 1)
    assert chunk == "4500s"
    copied = await store.copy("b", "c")
    assert copied.expires == info.expires
    assert (await message_ttls(raw, copied))[1] is not None
    replaced = await store.put("b", b"forever")
    assert (replaced.expires, await message_ttls(raw, replaced)) == (None, [None, None])
    await store.delete("c")
    assert (await store.get_info("c", show_deleted=True)).expires is None


async def test_copy_with_another_expiry(store: jetstow.ObjectStore, raw: Client) -> None:
    await store.put("a", b"data", ttl=HOUR)
    forever = await store.copy("a", "b", ttl=None)
    assert (forever.expires, await message_ttls(raw, forever)) == (None, [None, None])
    assert forever.headers is None
    longer = await store.copy("a", "c", ttl=datetime.timedelta(hours=3))
    assert remaining(longer) > 2 * HOUR
    assert (await message_ttls(raw, longer))[0] == "10800s"
    assert remaining(await store.copy("b", "d", ttl=60)) <= 60
    assert (await store.copy("b", "e", ttl="keep")).expires is None
    vault = store.encrypted(bytes(32))
    await vault.put("v", b"data", ttl=HOUR)
    assert (await vault.copy("v", "w", ttl=None)).expires is None
    assert (await vault.get("w")).data == b"data"
    assert (await store.as_stored().copy("v", "x", ttl=None)).expires is None
    with pytest.raises(InvalidOptionError):
        await store.copy("a", "f", ttl=0)
    assert not await store.exists("f")


async def test_mirror_and_backup_keep_the_expiry(
    store: jetstow.ObjectStore,
    js: jetstow.JetStreamContext,
    tmp_path: Path,
    raw: Client,
) -> None:
    info = await store.put("a", b"data", ttl=HOUR)
    other = await js.create_object_store(f"{store.bucket}-m")
    assert (await jetstow.mirror(store, other)).failed == []
    await jetstow.backup(store, tmp_path / "b.tar")
    await jetstow.restore(js, tmp_path / "b.tar", f"{store.bucket}-r")
    restored = await js.object_store(f"{store.bucket}-r")
    for copy in (await other.get_info("a"), await restored.get_info("a")):
        assert copy.expires == info.expires
        assert (await message_ttls(raw, copy))[0] is not None
    assert (await jetstow.mirror(store, other)).unchanged == ["a"]


async def test_first_ttl_enables_it_on_the_stream(
    js: jetstow.JetStreamContext, raw: Client, bucket: str
) -> None:
    await raw.jetstream().create_object_store(bucket)
    store = await js.object_store(bucket)
    await store.put("a", b"data")
    config = await raw_stream.stream_config(raw, bucket)
    assert not config.get("allow_msg_ttl")
    await store.put("b", b"data", ttl=HOUR)
    after = await raw_stream.stream_config(raw, bucket)
    changed = {key for key in after if after[key] != config.get(key)}
    assert changed <= {
        "allow_msg_ttl",
        "metadata",
    }  # the server writes its required API level there
    assert after["allow_msg_ttl"]


async def test_bucket_with_message_ttl_is_created_again(
    js: jetstow.JetStreamContext, bucket: str
) -> None:
    """The second run of a program that used `ttl` raised BucketExistsError."""
    store = await js.create_object_store(bucket, description="cache")
    await store.put("a", b"data", ttl=HOUR)
    again = await js.create_object_store(bucket, description="cache")
    assert (await again.get("a")).data == b"data"
    with pytest.raises(BucketExistsError):
        await js.create_object_store(bucket, description="another")


async def test_bucket_ttl_limits_the_object_ttl(js: jetstow.JetStreamContext, bucket: str) -> None:
    store = await js.create_object_store(bucket, ttl=60)
    assert remaining(await store.put("a", b"data", ttl=HOUR)) <= 60
    assert remaining(await store.put("b", b"data", ttl=30)) <= 30


@pytest.mark.parametrize("ttl", [0, -1, "1h", True, float("nan"), 10**12])
async def test_invalid_ttl(store: jetstow.ObjectStore, ttl: float) -> None:
    with pytest.raises(InvalidOptionError, match="'a'"):
        await store.put("a", b"", ttl=ttl)
    assert await store.list() == []
