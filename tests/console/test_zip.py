"""Folders as zip archives: what is in them, and that a broken one is not complete."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

import jetstow
from jetstow.console import open_responses, zip_api, zip_stream
from tests.support import object_builder, raw_stream
from tests.support.cli import wait_until
from tests.support.console import error_code
from tests.support.gateway import OTHER

if TYPE_CHECKING:
    from nats.aio.client import Client

    from tests.support.console import ConsoleClient, RunningConsole


def get_zip(client: ConsoleClient, bucket: str, **query: Any) -> dict[str, bytes]:
    response = client.get(f"buckets/{bucket}/zip", params=query)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/zip"
    assert response.headers["content-disposition"].startswith("attachment; ")
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        assert archive.testzip() is None
        return {info.filename: archive.read(info) for info in archive.infolist()}


async def test_archive(client: ConsoleClient, store: jetstow.ObjectStore) -> None:
    large = os.urandom(3 * 1024 * 1024)
    objects = {
        "a/b/c.txt": b"1", "a/b/ü/<x>": b"2", "a/empty": b"", "a/folder/": b"", "z": b"3",
        "a/large": large,
    }  # fmt: skip
    for name, data in objects.items():
        await store.put(name, data)
    await store.add_link("a/link", await store.get_info("z"))
    bucket = store.bucket
    inner = {"b/c.txt": b"1", "b/ü/_x_": b"2", "empty": b"", "large": large, "link": b"3"}
    assert get_zip(client, bucket, prefix="a/") == inner
    assert get_zip(client, bucket) == {f"a/{name}": data for name, data in inner.items()} | {
        "z": b"3"
    }
    assert get_zip(client, bucket, names=["a/b/c.txt", "z"]) == {"a/b/c.txt": b"1", "z": b"3"}
    selected = get_zip(client, bucket, prefix="a/", names=["a/empty"], prefixes=["a/b/"])
    assert selected == {"empty": b"", "b/c.txt": b"1", "b/ü/_x_": b"2"}
    response = client.head(f"buckets/{bucket}/zip", params={"prefix": "a/"})
    assert (response.status_code, response.content) == (200, b"")
    missing = client.get(f"buckets/{bucket}/zip", params={"prefix": "none/"})
    assert (missing.status_code, error_code(missing)) == (404, "NoSuchKey")
    missing = client.get(f"buckets/{bucket}/zip", params={"names": "none"})
    assert (missing.status_code, error_code(missing)) == (404, "NoSuchKey")


async def test_hostile_names(
    client: ConsoleClient, store: jetstow.ObjectStore, tmp_path: Path
) -> None:
    names = ["../../evil", "/abs", "a\\..\\b", "a", "a/b", "A", "C:x", "x" * 900, "\u202egpj.exe"]
    for name in names:
        await store.put(name, name.encode())
    found = get_zip(client, store.bucket)
    assert sorted(found.values()) == sorted(name.encode() for name in names)
    response = client.get(f"buckets/{store.bucket}/zip")
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        archive.extractall(tmp_path)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) == len(names)


async def test_many_small_objects(client: ConsoleClient, store: jetstow.ObjectStore) -> None:
    expected = {f"{number:04}": str(number).encode() for number in range(500)}
    for name, data in expected.items():
        await store.put(name, data)
    assert get_zip(client, store.bucket) == expected


async def test_number_of_zips_is_limited(
    console: RunningConsole, store: jetstow.ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each keeps the names of its objects: a client could have them without end."""
    monkeypatch.setattr(zip_api, "MAX_ZIPS", 1)
    await store.put("a", bytes(32 * 1024 * 1024))
    path = f"buckets/{store.bucket}/zip"
    open_zips = console.console.context.part(open_responses.new_counts)
    with console.sign_in(OTHER) as other, console.sign_in() as owner:
        # Neither an error nor a response without a body stays counted.
        assert error_code(owner.get(path, params={"names": "none"})) == "NoSuchKey"
        assert owner.head(path).status_code == 200
        wait_until(lambda: not open_zips.total())
        with owner.stream("GET", path) as response:
            assert response.status_code == 200
            assert error_code(owner.get(path)) == "TooManyRequests"
            assert other.head(path).status_code == 200, "other keys have their own"
        wait_until(lambda: not open_zips.total())
        assert owner.head(path).status_code == 200


async def test_broken_object_ends_the_connection(
    client: ConsoleClient, store: jetstow.ObjectStore, raw: Client
) -> None:
    """An archive without one of its objects would look like a complete one."""
    await store.put("a", b"fine")
    await store.put("b", bytes(2 * 1024 * 1024))
    nuid = (await raw_stream.metadata(raw, store.bucket, "b"))["nuid"]
    await object_builder.delete_chunks(raw, store.bucket, nuid, 3)
    with pytest.raises(httpx.RemoteProtocolError):
        client.get(f"buckets/{store.bucket}/zip")


def test_object_that_may_not_be_read(console: RunningConsole, s3: Any, s3_bucket: str) -> None:
    """The policy allows to list and to read, but for one object."""
    for name in ("a", "b", "secret"):
        s3.put_object(Bucket=s3_bucket, Key=name, Body=name.encode())
    allow = f'{{"Effect": "Allow", "Principal": {{"AWS": "{OTHER.owner}"}}, '
    arn = f"arn:aws:s3:::{s3_bucket}"
    policy = (
        f'{{"Version": "2012-10-17", "Statement": ['
        f'{allow}"Action": ["s3:ListBucket", "s3:GetObject"], "Resource": ["{arn}", "{arn}/*"]}},'
        f'{{"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", '
        f'"Resource": "{arn}/secret"}}]}}'
    )
    s3.put_bucket_policy(Bucket=s3_bucket, Policy=policy)
    with console.sign_in(OTHER) as other:
        assert get_zip(other, s3_bucket, names=["a", "b"]) == {"a": b"a", "b": b"b"}
        refused = other.get(f"buckets/{s3_bucket}/zip", params={"names": "secret"})
        assert error_code(refused) == "AccessDenied"
        with pytest.raises(httpx.RemoteProtocolError):
            other.get(f"buckets/{s3_bucket}/zip")


async def test_memory_is_bounded(store: jetstow.ObjectStore) -> None:
    """What is not sent is not read: the archive waits for the client."""
    size = 16 * 1024 * 1024
    await store.put("a", bytes(size))
    pieces = zip_stream.zip_pieces({"a": "a"}, store.open)
    total = 0
    async for piece in pieces:
        assert len(piece) < 2 * 1024 * 1024
        total += len(piece)
    assert total in range(size, size + 1_000)
