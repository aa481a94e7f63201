"""What nats-py's own tests of its object store expect, on jetstow's contexts.

One difference is intended: `update_meta` with another name renames a live object.
"""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiofiles
import nats.errors
import nats.js.errors as nats_js
import pytest
from nats.aio.client import Client
from nats.js import api
from nats.js.client import JetStreamContext

import jetstow
from tests.support.samples import digest_of

pytestmark = [pytest.mark.one_path, pytest.mark.first_and_last_version]


@pytest.fixture(params=["nats-py", "jetstow", "jetstow on a nats-py connection"])
async def context(
    request: pytest.FixtureRequest, nc: jetstow.Client, raw: Client, bucket: str
) -> AsyncIterator[JetStreamContext]:
    """The programs run with nats-py itself, too: so the expectations are its own."""
    ours = nc.jetstream() if request.param == "jetstow" else jetstow.jetstream(raw)
    context = raw.jetstream() if request.param == "nats-py" else ours
    await context.create_object_store(bucket, description="testing")
    yield context
    with suppress(nats_js.NotFoundError):
        await context.delete_object_store(bucket)


async def test_headers_and_options_read_as_they_were_written(
    context: JetStreamContext, bucket: str
) -> None:
    store = await context.object_store(bucket=bucket)
    options = api.ObjectMetaOptions(max_chunk_size=5)
    headers = {"name": "value", "other": "text"}
    meta = api.ObjectMeta(description="words", headers=dict(headers), options=options)
    put = await store.put("file.txt", b"123456789", meta=meta)
    for info in (put, await store.get_info(name="file.txt"), (await store.get("file.txt")).info):
        assert (info.size, info.chunks, info.digest) == (9, 2, digest_of(b"123456789"))
        assert info.headers == headers
        assert headers == info.headers
        assert info.headers is not None
        assert info.headers["name"] == "value"
        assert info.headers.get("other") == "text"
        assert dict(info.headers) == {**info.headers} == headers
        assert list(info.headers.items()) == [("name", "value"), ("other", "text")]
        assert (info.options, info.description, info.deleted) == (options, "words", False)


async def test_status_of_a_default_bucket(context: JetStreamContext, bucket: str) -> None:
    config = (await (await context.object_store(bucket)).status()).stream_info.config
    assert config == (await context.stream_info(f"OBJ_{bucket}")).config
    assert (config.name, config.description) == (f"OBJ_{bucket}", "testing")
    assert config.subjects == [f"$O.{bucket}.C.>", f"$O.{bucket}.M.>"]
    assert (config.retention, config.discard, config.storage) == ("limits", "new", "file")
    limits = (config.max_consumers, config.max_msgs, config.max_bytes, config.max_msg_size)
    assert limits == (-1, -1, -1, -1)
    assert not config.max_age
    assert (config.num_replicas, config.allow_rollup_hdrs, config.allow_direct) == (1, True, True)


async def test_files_of_all_kinds(context: JetStreamContext, bucket: str, tmp_path: Path) -> None:
    store: Any = await context.object_store(bucket)
    data = b"A" * (1024 * 1024 + 33)
    path = tmp_path / "file"
    path.write_bytes(data)
    infos = [await store.put("memory", io.BytesIO(data))]
    with path.open() as file:
        infos.append(await store.put("binary", file.buffer))
    with path.open() as file:
        infos.append(await store.put("text", file))
    async with aiofiles.open(path) as text:
        infos.append(await store.put("aiofiles", text))
    for info in infos:
        assert (info.size, info.chunks, info.digest) == (len(data), 9, digest_of(data))
    assert (await store.get("aiofiles")).data == data
    for number in range(2):
        target = tmp_path / f"target{number}"
        with target.open("w") as file:
            result = await store.get("text", writeinto=file.buffer if number else file)
        assert result.data == b""
        assert target.read_bytes() == data


async def test_errors(context: JetStreamContext, bucket: str) -> None:
    with pytest.raises(nats_js.InvalidBucketNameError):
        await context.create_object_store(bucket="not valid!")
    store = await context.object_store(bucket)
    await store.put("a", b"x")
    await store.seal()
    assert (await store.status()).sealed is True
    with pytest.raises(nats_js.BadRequestError):
        await store.put("b", b"x")
    for missing in ("b", ""):
        with pytest.raises(nats_js.NotFoundError):
            await store.get(missing)
        with pytest.raises(nats_js.NotFoundError):
            await store.get_info(missing)
    assert await context.delete_object_store(bucket=bucket) is True
    with pytest.raises(nats_js.NotFoundError):
        await store.get("a")
    with pytest.raises(nats_js.NotFoundError):
        await context.delete_object_store(bucket=bucket)
    with pytest.raises(nats_js.BucketNotFoundError):
        await context.object_store(bucket=bucket)


async def test_changes_and_updates(context: JetStreamContext, bucket: str) -> None:
    store = await context.object_store(bucket)
    watcher = await store.watch()
    assert await watcher.updates() is None
    for name in ("A", "B", "C"):
        await store.put(name, name.encode())
    for name in ("A", "B", "C"):
        change = await watcher.updates()
        assert (change.name, change.bucket, change.size, change.chunks) == (name, bucket, 1, 1)
        assert change.digest == digest_of(name.encode())
    with pytest.raises(nats.errors.TimeoutError):
        await watcher.updates(timeout=0.05)
    await store.delete("B")
    change = await watcher.updates()
    assert (change.name, change.deleted) == ("B", True)
    with pytest.raises(nats_js.ObjectNotFoundError):
        await store.get("B")
    deleted = (await store.get("B", show_deleted=True)).info
    assert (deleted.name, deleted.deleted) == ("B", True)
    assert (await store.put("C", b"CCC")).deleted is False
    assert (await watcher.updates()).deleted is False
    meta = (await store.get("C")).info.meta
    meta.description = "changed"
    await store.update_meta("C", meta)
    change = await watcher.updates()
    assert (change.name, change.description) == ("C", "changed")
    for name in ("B", "X"):
        with pytest.raises(nats_js.ObjectDeletedError):
            await store.update_meta(name, deleted.meta)
    entries = await store.list(ignore_deletes=True)
    assert [entry.name for entry in entries] == ["A", "C"]
    await watcher.stop()
