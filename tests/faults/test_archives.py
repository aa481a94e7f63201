"""Crafted and incomplete archives: a restore does not trust their content."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from nats.aio.client import Client

import jetstow
from jetstow._transfer.archive import tar
from jetstow.errors import (
    BadArchiveError,
    BucketNotFoundError,
    DigestMismatchError,
    InvalidBucketNameError,
    InvalidObjectNameError,
    InvalidOptionError,
)
from tests.support import raw_stream
from tests.support.samples import digest_of

pytestmark = pytest.mark.one_path

MIB = 1024 * 1024


def file(path: str, data: bytes, metadata: Any = None) -> bytes:
    comment = b"" if metadata is None else json.dumps(metadata).encode()
    return tar.file_header(path, len(data), 0, comment) + data + tar.padding(len(data))


def bucket_file(**fields: Any) -> bytes:
    config = {"format": "jetstow backup", "version": 1, "bucket": "b"} | fields
    return file("bucket.json", json.dumps(config).encode())


def entry(data: bytes, **fields: Any) -> dict[str, Any]:
    return {"name": "a", "size": len(data), "digest": digest_of(data)} | fields


def manifest(*entries: dict[str, Any], **fields: Any) -> bytes:
    digests = b"".join(hashlib.sha256(json.dumps(item).encode()).digest() for item in entries)
    counts = {
        "objects": sum("link" not in item for item in entries),
        "links": sum("link" in item for item in entries),
        "size": sum(item.get("size", 0) for item in entries),
        "left_out": 0,
        "digest": digest_of(digests),
    }
    return file("manifest.json", json.dumps(counts | fields).encode()) + tar.END_OF_ARCHIVE


A = entry(b"x")
OBJECT = file("objects/a", b"x", A)
GOOD = bucket_file() + OBJECT + manifest(A)
DEEP_JSON = b"[" * 100_000


def tar_of(path: str) -> bytes:
    output = io.BytesIO()
    with tarfile.open(fileobj=output, mode="w") as archive:
        archive.addfile(tarfile.TarInfo(path))
    return output.getvalue()


async def test_crafted_valid_archive(js: jetstow.JetStreamContext, bucket: str) -> None:
    result = await jetstow.restore(js, io.BytesIO(GOOD), bucket)
    assert (result.objects, result.failed) == (1, [])
    await js.delete_object_store(bucket)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"no tar" * 200, id="not a tar file"),
        pytest.param(tar_of("a"), id="different tar file"),
        pytest.param(tar_of("bucket.json"), id="empty bucket.json"),
        pytest.param(bucket_file(version=2), id="later version"),
        pytest.param(bucket_file(format="mine"), id="different format"),
        pytest.param(bucket_file(bucket=7), id="bucket is a number"),
        pytest.param(bucket_file(replicas=-1), id="negative replicas"),
        pytest.param(bucket_file(storage="tape"), id="unknown storage"),
        pytest.param(file("bucket.json", DEEP_JSON), id="deeply nested bucket.json"),
        pytest.param(tar.file_header("bucket.json", 2**40), id="huge bucket.json"),
    ],
)
async def test_invalid_archive_creates_no_bucket(
    js: jetstow.JetStreamContext, bucket: str, data: bytes
) -> None:
    with pytest.raises(BadArchiveError):
        await jetstow.restore(js, io.BytesIO(data), bucket)
    with pytest.raises(BucketNotFoundError):
        await js.object_store(bucket)


async def test_configuration_that_the_server_does_not_support(
    js: jetstow.JetStreamContext, bucket: str
) -> None:
    data = bucket_file(replicas=3) + OBJECT + manifest(A)
    with pytest.raises(InvalidOptionError, match=r"replicas.*with options that this server"):
        await jetstow.restore(js, io.BytesIO(data), bucket)
    await js.create_object_store(bucket)
    assert (await jetstow.restore(js, io.BytesIO(data), bucket)).objects == 1


@pytest.mark.parametrize("name", ["", "../b", "b.c", "*", "x" * 300])
async def test_invalid_bucket_name(js: jetstow.JetStreamContext, name: str) -> None:
    with pytest.raises(InvalidBucketNameError):
        await jetstow.restore(js, io.BytesIO(bucket_file(bucket=name)))


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(OBJECT, id="ends after an object"),
        pytest.param(OBJECT + tar.END_OF_ARCHIVE, id="no manifest"),
        pytest.param(manifest(A), id="object missing"),
        pytest.param(OBJECT * 2 + manifest(A), id="object duplicated"),
        pytest.param(OBJECT + manifest(entry(b"y")), id="different object"),
        pytest.param(OBJECT + manifest(A, size=2), id="different size in the manifest"),
        pytest.param(OBJECT + manifest(A, left_out="x"), id="count is text"),
        pytest.param(
            OBJECT + manifest(A)[:-1024] + OBJECT + tar.END_OF_ARCHIVE,
            id="object after the manifest",
        ),
        pytest.param(file("objects/a", b"x"), id="no metadata"),
        pytest.param(file("objects/a", b"x", []), id="metadata is a list"),
        pytest.param(file("objects/a", b"x", {"name": 1}), id="name is a number"),
        pytest.param(file("objects/a", b"x", entry(b"xy")), id="different size"),
        pytest.param(file("objects/a", b"x", entry(b"x", headers={"h": "x"})), id="bad headers"),
        pytest.param(file("objects/a", b"", A | {"link": {"bucket": 1}}), id="bad link"),
        pytest.param(
            tar.file_header("objects/a", 2**60, 0, json.dumps(entry(b"", size=2**60)).encode())
            + b"x",
            id="impossible size",
        ),
        pytest.param(tar.file_header("objects/a", 1, 0, b"[" * MIB), id="deeply nested metadata"),
    ],
)
async def test_incomplete_archive_raises(
    js: jetstow.JetStreamContext, store: jetstow.ObjectStore, raw: Client, data: bytes
) -> None:
    await store.put("theirs", b"x")
    with pytest.raises(BadArchiveError):
        await jetstow.restore(js, io.BytesIO(bucket_file() + data), store.bucket)
    assert (await store.get("theirs")).data == b"x"
    infos = await store.list()
    assert {info.name for info in infos} <= {"theirs", "a"}
    assert len(await raw_stream.chunks(raw, store.bucket)) == len(infos)


@pytest.mark.parametrize("size", [1, 3 * MIB])
async def test_object_with_wrong_bytes_is_not_restored(
    js: jetstow.JetStreamContext, store: jetstow.ObjectStore, raw: Client, size: int
) -> None:
    good, bad = b"x" * size, b"y" * size
    a, b = entry(good), A | {"name": "b"}
    data = bucket_file() + file("objects/a", bad, a) + file("objects/b", b"x", b)
    data += manifest(a, b)
    result = await jetstow.restore(js, io.BytesIO(data), store.bucket)
    (error,) = result.failed
    assert isinstance(error, DigestMismatchError)
    assert (error.bucket, error.name, result.objects) == (store.bucket, "a", 1)
    assert [info.name for info in await store.list()] == ["b"]
    assert len(await raw_stream.chunks(raw, store.bucket)) == 1
    # The damage is reported also if the bucket has the object.
    await store.put("a", good)
    (error,) = (await jetstow.restore(js, io.BytesIO(data), store.bucket)).failed
    assert isinstance(error, DigestMismatchError)


async def test_invalid_object_names_are_reported(
    js: jetstow.JetStreamContext, store: jetstow.ObjectStore
) -> None:
    entries = [entry(b"x", name=""), entry(b"x", name="x" * 5000), A]
    data = bucket_file() + b"".join(file("objects/a", b"x", item) for item in entries)
    result = await jetstow.restore(js, io.BytesIO(data + manifest(*entries)), store.bucket)
    assert [type(error) for error in result.failed] == [InvalidObjectNameError] * 2
    assert result.objects == 1


async def test_paths_in_the_archive_are_ignored(
    js: jetstow.JetStreamContext, store: jetstow.ObjectStore, tmp_path: Path
) -> None:
    entries = [entry(b"x", name=f"{tmp_path}/a"), entry(b"x", name="../../a")]
    data = bucket_file()
    data += file(f"{tmp_path}/a", b"x", entries[0]) + file("../../a", b"x", entries[1])
    result = await jetstow.restore(js, io.BytesIO(data + manifest(*entries)), store.bucket)
    assert (result.objects, result.failed) == (2, [])
    assert list(tmp_path.iterdir()) == []


# -- memory ------------------------------------------------------------------------------


@pytest.fixture
def _traced() -> Iterator[None]:
    tracemalloc.start()
    yield
    tracemalloc.stop()


@pytest.mark.usefixtures("_traced")
async def test_memory_of_backup_restore_and_mirror(
    js: jetstow.JetStreamContext, store: jetstow.ObjectStore, tmp_path: Path
) -> None:
    size = 60

    async def blocks() -> AsyncIterator[bytes]:
        for number in range(size):
            yield bytes([number]) * MIB

    await store.put("a", blocks())
    await jetstow.backup(store, tmp_path / "a.tar.gz")
    await jetstow.restore(js, tmp_path / "a.tar.gz", f"{store.bucket}-2")
    target = await js.create_object_store(f"{store.bucket}-3")
    await jetstow.mirror(store, target)
    _, peak = tracemalloc.get_traced_memory()
    assert (await target.get_info("a")).digest == (await store.get_info("a")).digest
    assert peak < size * MIB / 2
