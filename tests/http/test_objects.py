"""Objects over HTTP, with httpx and curl and a real server."""

from __future__ import annotations

import asyncio
import os
from email.utils import format_datetime
from pathlib import Path

import httpx
import pytest
from nats.aio.client import Client

import jetstow
from tests.support import object_builder

DATA = bytes(range(256)) * 20_000  # 40 chunks
OTHER_ETAG = '"other"'


async def last_modified(store: jetstow.ObjectStore, name: str) -> str:
    modified = (await store.get_info(name)).modified
    assert modified is not None
    return format_datetime(modified, usegmt=True)


async def test_get(client: httpx.AsyncClient, store: jetstow.ObjectStore) -> None:
    info = await store.put("a.csv", DATA)
    response = await client.get("/a.csv")
    assert (response.status_code, response.content) == (200, DATA)
    assert response.headers["content-length"] == str(len(DATA))
    assert response.headers["content-type"] == "text/csv"
    assert response.headers["accept-ranges"] == "bytes"
    assert response.headers["etag"] == f'"{info.sha256}"'
    assert response.headers["last-modified"] == await last_modified(store, "a.csv")
    assert "content-range" not in response.headers


async def test_head_has_the_headers_of_get(
    client: httpx.AsyncClient, store: jetstow.ObjectStore
) -> None:
    await store.put("a", DATA)
    get, head = await client.get("/a"), await client.head("/a")
    assert (head.status_code, head.content) == (200, b"")
    for response in (get, head):
        response.headers.pop("date")
    assert head.headers == get.headers


@pytest.mark.parametrize("data", [b"", b"x", b"x" * 128 * 1024, b"x" * 1024 * 1024])
async def test_object_of_each_size(
    client: httpx.AsyncClient, store: jetstow.ObjectStore, data: bytes
) -> None:
    await store.put("a", data)
    response = await client.get("/a")
    assert (response.status_code, response.content) == (200, data)


async def test_content_headers_are_those_of_the_object(
    client: httpx.AsyncClient, store: jetstow.ObjectStore
) -> None:
    headers: dict[str, str | list[str]] = {
        "Cache-Control": "max-age=60",
        "content-encoding": "x-own",
        "Content-Language": ["de", "en"],
        "Content-Disposition": 'attachment; filename="é.csv"',
        "Expires": "Thu, 01 Dec 2094 16:00:00 GMT",
        "Own": "not for HTTP",
    }
    await store.put("a", b"x", content_type="text/csv; charset=utf-8", headers=headers)
    response = await client.get("/a")
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    assert response.headers["cache-control"] == "max-age=60"
    assert response.headers["content-encoding"] == "x-own"
    assert response.headers["content-language"] == "de, en"
    assert response.headers["content-disposition"] == 'attachment; filename="é.csv"'
    assert response.headers["expires"] == "Thu, 01 Dec 2094 16:00:00 GMT"
    assert "own" not in response.headers


async def test_header_with_a_line_break_is_left_out(
    client: httpx.AsyncClient, store: jetstow.ObjectStore, raw: Client
) -> None:
    """Such a header started another header of the response: any that the writer chose."""
    headers = {"Cache-Control": ["a\r\nset-cookie: stolen=1"], "Content-Language": ["de"]}
    await object_builder.write_object(raw, store.bucket, "a", [b"x"], headers=headers)
    response = await client.get("/a")
    assert (response.status_code, response.content) == (200, b"x")
    assert response.headers["content-language"] == "de"
    assert not {"set-cookie", "cache-control"} & response.headers.keys()


@pytest.mark.parametrize(
    ("wanted", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=131070-131075", 131_070, 131_076),
        ("bytes=100-3000000", 100, 3_000_001),
        ("bytes=5119990-", 5_119_990, 5_120_000),
        ("bytes=5119990-9999999", 5_119_990, 5_120_000),
        ("bytes=-10", 5_119_990, 5_120_000),
        ("bytes=-9999999", 0, 5_120_000),
        ("bytes=0-", 0, 5_120_000),
    ],
)
async def test_range(
    client: httpx.AsyncClient, store: jetstow.ObjectStore, wanted: str, start: int, stop: int
) -> None:
    await store.put("a", DATA)
    response = await client.get("/a", headers={"range": wanted})
    assert (response.status_code, response.content) == (206, DATA[start:stop])
    assert response.headers["content-range"] == f"bytes {start}-{stop - 1}/{len(DATA)}"
    assert response.headers["content-length"] == str(stop - start)


@pytest.mark.parametrize("wanted", ["bytes=0-1,4-5", "lines=1-2", "bytes=2-1"])
async def test_range_that_is_ignored(
    client: httpx.AsyncClient, store: jetstow.ObjectStore, wanted: str
) -> None:
    await store.put("a", b"0123456789")
    response = await client.get("/a", headers={"range": wanted})
    assert (response.status_code, response.content) == (200, b"0123456789")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_range_behind_the_end(
    client: httpx.AsyncClient, store: jetstow.ObjectStore, method: str
) -> None:
    await store.put("a", b"0123456789")
    response = await client.request(method, "/a", headers={"range": "bytes=10-"})
    assert response.status_code == (416 if method == "GET" else 200)
    assert response.headers.get("content-range") == ("bytes */10" if method == "GET" else None)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_unchanged_object_is_not_sent(
    client: httpx.AsyncClient, store: jetstow.ObjectStore, method: str
) -> None:
    await store.put("a", DATA, content_type="text/csv", headers={"Cache-Control": "no-cache"})
    etag, date = (await client.head("/a")).headers["etag"], await last_modified(store, "a")
    conditions = [{"if-none-match": f"{OTHER_ETAG}, W/{etag}"}, {"if-modified-since": date}]
    for headers in conditions:
        response = await client.request(method, "/a", headers=headers)
        assert (response.status_code, response.content) == (304, b"")
        assert response.headers["etag"] == etag
        assert response.headers["cache-control"] == "no-cache"
        assert not {"content-type", "content-length"} & response.headers.keys()
    await store.put("a", b"new")
    response = await client.request(method, "/a", headers={"if-none-match": etag})
    assert response.status_code == 200


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_failed_precondition(
    client: httpx.AsyncClient, store: jetstow.ObjectStore, method: str
) -> None:
    await store.put("a", DATA)
    for headers in (
        {"if-match": OTHER_ETAG},
        {"if-unmodified-since": "Sun, 06 Nov 1994 08:49:37 GMT"},
    ):
        response = await client.request(method, "/a", headers=headers)
        assert response.status_code == 412
        assert bool(response.content) == (method == "GET")


async def test_range_of_a_certain_object(
    client: httpx.AsyncClient, store: jetstow.ObjectStore
) -> None:
    await store.put("a", b"0123456789")
    etag = (await client.head("/a")).headers["etag"]
    for condition, status in ((etag, 206), (OTHER_ETAG, 200)):
        headers = {"range": "bytes=2-3", "if-range": condition}
        assert (await client.get("/a", headers=headers)).status_code == status


async def test_equal_bytes_have_equal_tags(
    client: httpx.AsyncClient, store: jetstow.ObjectStore, js: jetstow.JetStreamContext
) -> None:
    """A revision as the tag was the same for other bytes, in a bucket that was created again."""
    tags = []
    for data in (b"one", b"two", b"one"):
        await js.delete_object_store(store.bucket)
        await js.create_object_store(store.bucket)
        await store.put("a", data)
        tags.append((await client.head("/a")).headers["etag"])
    assert tags[0] == tags[2] != tags[1]


async def test_object_without_digest(
    client: httpx.AsyncClient, store: jetstow.ObjectStore, raw: Client
) -> None:
    fields = await object_builder.write_object(raw, store.bucket, "a", [b"x"], digest=None)
    response = await client.get("/a")
    assert response.content == b"x"
    assert response.headers["etag"] == f'"{fields["nuid"]}"'


async def test_encrypted_object(store: jetstow.ObjectStore) -> None:
    from jetstow.http import Files
    from tests.support.web import serve

    vault = store.encrypted(bytes(32))
    await vault.put("a", DATA)
    async with serve(Files(vault)) as url, httpx.AsyncClient(base_url=url) as client:
        assert (await client.get("/a")).content == DATA
        response = await client.get("/a", headers={"range": "bytes=-7"})
        assert (response.status_code, response.content) == (206, DATA[-7:])


async def test_curl_continues_a_download(
    url: str, store: jetstow.ObjectStore, tmp_path: Path
) -> None:
    await store.put("a", DATA)
    file = tmp_path / "a"
    file.write_bytes(DATA[:1_000_003])
    curl = await asyncio.create_subprocess_exec(
        "curl", "-sSf", "-C", "-", "-o", os.fspath(file), f"{url}/a"
    )
    assert await curl.wait() == 0
    assert file.read_bytes() == DATA
