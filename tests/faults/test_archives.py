"""Archives that somebody made, or that are not whole: nothing in them is trusted."""

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

MIB = 1024 * 1024


def file(path: str, data: bytes, said: Any = None) -> bytes:
    comment = b"" if said is None else json.dumps(said).encode()
    return tar.header(path, len(data), 0, comment) + data + tar.filling(len(data))


def bucket_file(**fields: Any) -> bytes:
    said = {"format": "jetstow backup", "version": 1, "bucket": "b"} | fields
    return file("bucket.json", json.dumps(said).encode())


def told(data: bytes, **fields: Any) -> dict[str, Any]:
    return {"name": "a", "size": len(data), "digest": digest_of(data)} | fields


def manifest(*said: dict[str, Any], **fields: Any) -> bytes:
    shas = b"".join(hashlib.sha256(json.dumps(each).encode()).digest() for each in said)
    found = {
        "objects": sum("link" not in each for each in said),
        "links": sum("link" in each for each in said),
        "size": sum(each.get("size", 0) for each in said),
        "left_out": 0,
        "digest": digest_of(shas),
    }
    return file("manifest.json", json.dumps(found | fields).encode()) + tar.END


A = told(b"x")
OBJECT = file("objects/a", b"x", A)
GOOD = bucket_file() + OBJECT + manifest(A)
DEEP = b"[" * 100_000


def tarred(path: str) -> bytes:
    into = io.BytesIO()
    with tarfile.open(fileobj=into, mode="w") as archive:
        archive.addfile(tarfile.TarInfo(path))
    return into.getvalue()


async def test_what_one_can_make_oneself(js: jetstow.JetStreamContext, bucket: str) -> None:
    report = await jetstow.restore(js, io.BytesIO(GOOD), bucket)
    assert (report.objects, report.failed) == (1, [])
    await js.delete_object_store(bucket)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"no tar" * 200, id="no tar"),
        pytest.param(tarred("a"), id="another tar"),
        pytest.param(tarred("bucket.json"), id="an empty bucket.json"),
        pytest.param(bucket_file(version=2), id="a later version"),
        pytest.param(bucket_file(format="mine"), id="another format"),
        pytest.param(bucket_file(bucket=7), id="a bucket that is a number"),
        pytest.param(bucket_file(replicas=-1), id="too few replicas"),
        pytest.param(bucket_file(storage="tape"), id="a storage that there is not"),
        pytest.param(file("bucket.json", DEEP), id="a deep bucket.json"),
        pytest.param(tar.header("bucket.json", 2**40), id="a huge bucket.json"),
    ],
)
async def test_what_is_no_backup_makes_no_bucket(
    js: jetstow.JetStreamContext, bucket: str, data: bytes
) -> None:
    with pytest.raises(BadArchiveError):
        await jetstow.restore(js, io.BytesIO(data), bucket)
    with pytest.raises(BucketNotFoundError):
        await js.object_store(bucket)


async def test_a_bucket_that_one_server_cannot_make(
    js: jetstow.JetStreamContext, bucket: str
) -> None:
    data = bucket_file(replicas=3) + OBJECT + manifest(A)
    with pytest.raises(InvalidOptionError, match=r"replicas.*as it can be here, first"):
        await jetstow.restore(js, io.BytesIO(data), bucket)
    await js.create_object_store(bucket)
    assert (await jetstow.restore(js, io.BytesIO(data), bucket)).objects == 1


@pytest.mark.parametrize("name", ["", "../b", "b.c", "*", "x" * 300])
async def test_a_bucket_of_a_name_that_cannot_be(js: jetstow.JetStreamContext, name: str) -> None:
    with pytest.raises(InvalidBucketNameError):
        await jetstow.restore(js, io.BytesIO(bucket_file(bucket=name)))


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(OBJECT, id="ends after an object"),
        pytest.param(OBJECT + tar.END, id="without a manifest"),
        pytest.param(manifest(A), id="an object less"),
        pytest.param(OBJECT * 2 + manifest(A), id="an object more"),
        pytest.param(OBJECT + manifest(told(b"y")), id="another object"),
        pytest.param(OBJECT + manifest(A, size=2), id="another size in the manifest"),
        pytest.param(OBJECT + manifest(A, left_out="x"), id="a count that is text"),
        pytest.param(OBJECT + manifest(A)[:-1024] + OBJECT + tar.END, id="behind the manifest"),
        pytest.param(file("objects/a", b"x"), id="nothing said of it"),
        pytest.param(file("objects/a", b"x", []), id="a list said of it"),
        pytest.param(file("objects/a", b"x", {"name": 1}), id="a name that is a number"),
        pytest.param(file("objects/a", b"x", told(b"xy")), id="another size"),
        pytest.param(file("objects/a", b"x", told(b"x", headers={"h": "x"})), id="bad headers"),
        pytest.param(file("objects/a", b"", A | {"link": {"bucket": 1}}), id="a bad link"),
        pytest.param(
            tar.header("objects/a", 2**60, 0, json.dumps(told(b"", size=2**60)).encode()) + b"x",
            id="an absurd size",
        ),
        pytest.param(tar.header("objects/a", 1, 0, b"[" * MIB), id="a deep description"),
    ],
)
async def test_what_is_not_whole_is_no_success(
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
async def test_the_wrong_bytes_get_no_name(
    js: jetstow.JetStreamContext, store: jetstow.ObjectStore, raw: Client, size: int
) -> None:
    good, bad = b"x" * size, b"y" * size
    said = told(good)
    data = bucket_file() + file("objects/a", bad, said) + file("objects/b", b"x", A | {"name": "b"})
    data += manifest(said, A | {"name": "b"})
    report = await jetstow.restore(js, io.BytesIO(data), store.bucket)
    (error,) = report.failed
    assert isinstance(error, DigestMismatchError)
    assert (error.bucket, error.name, report.objects) == (store.bucket, "a", 1)
    assert [info.name for info in await store.list()] == ["b"]
    assert len(await raw_stream.chunks(raw, store.bucket)) == 1
    # The same where it is there already: what the archive has is no less wrong.
    await store.put("a", good)
    (error,) = (await jetstow.restore(js, io.BytesIO(data), store.bucket)).failed
    assert isinstance(error, DigestMismatchError)


async def test_a_name_that_cannot_be_keeps_no_other_from_coming(
    js: jetstow.JetStreamContext, store: jetstow.ObjectStore
) -> None:
    entries = [told(b"x", name=""), told(b"x", name="x" * 5000), A]
    data = bucket_file() + b"".join(file("objects/a", b"x", each) for each in entries)
    report = await jetstow.restore(js, io.BytesIO(data + manifest(*entries)), store.bucket)
    assert [type(error) for error in report.failed] == [InvalidObjectNameError] * 2
    assert report.objects == 1


async def test_paths_mean_nothing(
    js: jetstow.JetStreamContext, store: jetstow.ObjectStore, tmp_path: Path
) -> None:
    entries = [told(b"x", name=f"{tmp_path}/a"), told(b"x", name="../../a")]
    data = bucket_file()
    data += file(f"{tmp_path}/a", b"x", entries[0]) + file("../../a", b"x", entries[1])
    report = await jetstow.restore(js, io.BytesIO(data + manifest(*entries)), store.bucket)
    assert (report.objects, report.failed) == (2, [])
    assert list(tmp_path.iterdir()) == []


# -- memory ------------------------------------------------------------------------------


@pytest.fixture
def _traced() -> Iterator[None]:
    tracemalloc.start()
    yield
    tracemalloc.stop()


@pytest.mark.usefixtures("_traced")
async def test_a_large_object_moves_through_little_memory(
    js: jetstow.JetStreamContext, store: jetstow.ObjectStore, tmp_path: Path
) -> None:
    size = 60

    async def pieces() -> AsyncIterator[bytes]:
        for number in range(size):
            yield bytes([number]) * MIB

    await store.put("a", pieces())
    await jetstow.backup(store, tmp_path / "a.tar.gz")
    await jetstow.restore(js, tmp_path / "a.tar.gz", f"{store.bucket}-2")
    target = await js.create_object_store(f"{store.bucket}-3")
    await jetstow.mirror(store, target)
    _, peak = tracemalloc.get_traced_memory()
    assert (await target.get_info("a")).digest == (await store.get_info("a")).digest
    assert peak < size * MIB / 2
