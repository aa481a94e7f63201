"""put with ttl: an object that is gone by itself, its name before its chunks (server 2.11)."""

from __future__ import annotations

import datetime

import pytest
from nats.aio.client import Client

import jetstow
from jetstow import ObjectMeta
from jetstow.errors import InvalidOptionError, ObjectNotFoundError
from tests.support import raw_stream
from tests.support.samples import some_bytes

pytestmark = pytest.mark.min_server("2.11")

HOUR = 3600
SMALL = ObjectMeta(options=jetstow.ObjectMetaOptions(max_chunk_size=1_000))


async def ttls(raw: Client, info: jetstow.ObjectInfo) -> list[str | None]:
    """The time to live of the name, and of a chunk, as the server has them."""
    subjects = (
        raw_stream.meta_subject(info.bucket, info.name),
        f"$O.{info.bucket}.C.{info.nuid}",
    )
    js = raw.jetstream()
    found = [await js.get_last_msg(f"OBJ_{info.bucket}", subject) for subject in subjects]
    return [(message.headers or {}).get("Nats-TTL") for message in found]


def left(info: jetstow.ObjectInfo) -> float:
    assert info.expires is not None
    return (info.expires - datetime.datetime.now(datetime.UTC)).total_seconds()


async def test_it_is_gone_when_its_time_is_over(store: jetstow.ObjectStore) -> None:
    await store.put("stays", b"data")
    await store.put("goes", b"data", ttl=0.5)
    assert (await store.get("goes")).data == b"data"
    while True:  # the test's own timeout ends what does not
        try:
            await store.get("goes")
        except ObjectNotFoundError:
            break
    assert [info.name for info in await store.list()] == ["stays"]
    assert (await store.put("goes", b"again", expected_revision=0)).expires is None


@pytest.mark.parametrize("size", [0, 10, 50_000])
async def test_chunks_outlive_their_name(
    store: jetstow.ObjectStore, raw: Client, size: int
) -> None:
    info = await store.put("a", some_bytes(size), SMALL, ttl=HOUR)
    assert HOUR - 60 < left(info) <= HOUR
    assert (await store.get_info("a")).expires == info.expires
    if size:
        assert await ttls(raw, info) == ["3600s", "4500s"]
    assert (await store.get("a")).data == some_bytes(size)


async def test_files_have_it_too(store: jetstow.ObjectStore, tmp_path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "f").write_bytes(b"data")
    assert left(await store.put_file(tmp_path / "f", ttl=HOUR)) > HOUR - 60
    async with store.open("w", "wb", ttl=HOUR) as file:
        await file.write(b"data")
    assert file.info is not None
    assert left(file.info) > HOUR - 60
    with pytest.raises(InvalidOptionError, match="resume"):
        await store.put_file(tmp_path / "f", ttl=HOUR, resume=True)


async def test_to_describe_rename_and_copy_it_is_no_second_life(
    store: jetstow.ObjectStore, raw: Client
) -> None:
    info = await store.put("a", b"data", ttl=HOUR)
    told = await store.update_meta("a", ObjectMeta(description="d"))
    assert (told.expires, told.description) == (info.expires, "d")
    renamed = await store.update_meta("a", ObjectMeta(name="b"))
    name, chunk = await ttls(raw, renamed)
    assert renamed.expires == info.expires
    assert int((name or "").removesuffix("s")) in range(HOUR - 60, HOUR + 1)
    assert chunk == "4500s"
    copied = await store.copy("b", "c")
    assert copied.expires == info.expires
    assert (await ttls(raw, copied))[1] is not None
    replaced = await store.put("b", b"for ever")
    assert (replaced.expires, await ttls(raw, replaced)) == (None, [None, None])
    await store.delete("c")
    assert (await store.get_info("c", show_deleted=True)).expires is None


async def test_mirrors_and_backups_keep_it(
    store: jetstow.ObjectStore,
    js: jetstow.JetStreamContext,
    tmp_path,
    raw: Client,  # type: ignore[no-untyped-def]
) -> None:
    info = await store.put("a", b"data", ttl=HOUR)
    other = await js.create_object_store(f"{store.bucket}-m")
    assert (await jetstow.mirror(store, other)).failed == []
    await jetstow.backup(store, tmp_path / "b.tar")
    await jetstow.restore(js, tmp_path / "b.tar", f"{store.bucket}-r")
    restored = await js.object_store(f"{store.bucket}-r")
    for copy in (await other.get_info("a"), await restored.get_info("a")):
        assert copy.expires == info.expires
        assert (await ttls(raw, copy))[0] is not None
    assert (await jetstow.mirror(store, other)).unchanged == ["a"]


async def test_a_bucket_of_another_client_learns_it(
    js: jetstow.JetStreamContext, raw: Client, bucket: str
) -> None:
    await raw.jetstream().create_object_store(bucket)
    store = await js.object_store(bucket)
    await store.put("a", b"data")
    config = (await raw_stream.request(raw, f"STREAM.INFO.OBJ_{bucket}"))["config"]
    assert not config.get("allow_msg_ttl")
    await store.put("b", b"data", ttl=HOUR)
    after = (await raw_stream.request(raw, f"STREAM.INFO.OBJ_{bucket}"))["config"]
    changed = {key for key in after if after[key] != config.get(key)}
    assert changed <= {"allow_msg_ttl", "metadata"}  # where the server notes what it needs
    assert after["allow_msg_ttl"]


async def test_nothing_outlives_its_bucket(js: jetstow.JetStreamContext, bucket: str) -> None:
    store = await js.create_object_store(bucket, ttl=60)
    assert left(await store.put("a", b"data", ttl=HOUR)) <= 60
    assert left(await store.put("b", b"data", ttl=30)) <= 30


@pytest.mark.parametrize("ttl", [0, -1, "1h", True, float("nan"), 10**12])
async def test_what_is_no_time_to_live(store: jetstow.ObjectStore, ttl: float) -> None:
    with pytest.raises(InvalidOptionError, match="'a'"):
        await store.put("a", b"", ttl=ttl)
    assert await store.list() == []
