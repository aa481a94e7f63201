"""expected_digest: bytes with another digest are refused, and nothing is stored."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from nats.aio.client import Client

import jetstow
from jetstow.errors import DigestMismatchError, InvalidOptionError, ObjectNotFoundError
from tests.support import raw_stream
from tests.support.samples import digest_of, some_bytes

pytestmark = pytest.mark.one_path

SIZES = (0, 5, 3 * 128 * 1024 + 5)
HEX = hashlib.sha256(b"data").hexdigest()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("encrypted", [False, True])
async def test_put_of_the_expected_bytes(
    store: jetstow.ObjectStore, size: int, encrypted: bool
) -> None:
    view = store.encrypted(bytes(32)) if encrypted else store
    data = some_bytes(size)
    await view.put("a", data, expected_digest=digest_of(data))
    await view.put("b", data, expected_digest=hashlib.sha256(data).hexdigest())
    await view.put("c", data, expected_digest=hashlib.sha256(data).hexdigest().upper())
    assert (await view.get("c")).data == data


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("encrypted", [False, True])
async def test_put_of_other_bytes_stores_nothing(
    store: jetstow.ObjectStore, raw: Client, size: int, encrypted: bool
) -> None:
    view = store.encrypted(bytes(32)) if encrypted else store
    old = await store.put("a", b"old")
    with pytest.raises(DigestMismatchError, match="'a'") as caught:
        await view.put("a", some_bytes(size), expected_digest=digest_of(b"other"))
    assert digest_of(b"other") in str(caught.value)
    assert await raw_stream.chunks(raw, store.bucket) == {old.nuid: 1}
    assert (await store.get("a")).data == b"old"


async def test_writer_of_other_bytes_stores_nothing(
    store: jetstow.ObjectStore, raw: Client
) -> None:
    with pytest.raises(DigestMismatchError):
        async with store.open("a", "wb", expected_digest=digest_of(b"other")) as file:
            await file.write(some_bytes(500_000))
    assert await raw_stream.chunks(raw, store.bucket) == {}
    with pytest.raises(ObjectNotFoundError):
        await store.get_info("a")


@pytest.mark.parametrize("resume", [False, True])
async def test_put_file(
    store: jetstow.ObjectStore, raw: Client, tmp_path: Path, resume: bool
) -> None:
    path = tmp_path / "a"
    path.write_bytes(data := some_bytes(500_000))
    await store.put_file(path, expected_digest=digest_of(data), resume=resume)
    with pytest.raises(DigestMismatchError):
        await store.put_file(path, "b", expected_digest=HEX, resume=resume)
    assert len(await raw_stream.chunks(raw, store.bucket)) == 1


@pytest.mark.parametrize("digest", ["", HEX[1:], HEX + "0", "SHA-256=", "MD5=abc", "g" * 64, 7])
async def test_digest_that_is_none(store: jetstow.ObjectStore, digest: Any) -> None:
    with pytest.raises(InvalidOptionError, match="expected_digest"):
        await store.put("a", b"data", expected_digest=digest)
    with pytest.raises(InvalidOptionError, match="expected_digest"):
        store.open("a", "wb", expected_digest=digest)
