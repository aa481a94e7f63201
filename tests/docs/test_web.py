"""The application of the page about web frameworks, behind a real HTTP server and client."""

from __future__ import annotations

import asyncio
import importlib.util
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

import jetstow
from jetstow.errors import ObjectNotFoundError
from tests.docs import pages
from tests.support.purges import purges_ended
from tests.support.servers import NatsServer

DATA = bytes(range(256)) * 20_000


def app_of_the_page(folder: Path) -> FastAPI:
    block = next(block for block in pages.blocks("guides/web.md") if block.file == "app.py")
    path = folder / "page_app.py"
    path.write_text(block.text, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("page_app", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    app = module.app
    assert isinstance(app, FastAPI)
    return app


class _Server(uvicorn.Server):
    """A server in a thread. `ready` is set when it accepts connections."""

    def __init__(self, app: Any) -> None:
        super().__init__(uvicorn.Config(app, port=0, log_level="warning", lifespan="on"))
        self.ready = threading.Event()

    async def startup(self, *arguments: Any, **options: Any) -> None:
        await super().startup(*arguments, **options)
        self.ready.set()

    @property
    def url(self) -> str:
        port = self.servers[0].sockets[0].getsockname()[1]
        return f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, web_nats: NatsServer) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NATS_URL", web_nats.url)
        server = _Server(app_of_the_page(tmp_path_factory.mktemp("app")))
        thread = threading.Thread(target=server.run)
        thread.start()
        assert server.ready.wait(30)
        yield server.url
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def web_nats() -> Iterator[NatsServer]:
    with NatsServer() as server:
        yield server


@pytest.fixture
async def uploads(web_nats: NatsServer, address: str) -> AsyncIterator[jetstow.ObjectStore]:
    async with jetstow.connect(web_nats.url) as nc:
        store = await nc.jetstream().object_store("incoming")
        await store.put("data", DATA)
        yield store


async def get(address: str, name: str, **headers: str) -> httpx.Response:
    async with httpx.AsyncClient() as client:
        return await client.get(f"{address}/files/{name}", headers=headers)


async def test_upload_and_download(address: str, uploads: jetstow.ObjectStore) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(DATA), 100_000):
            yield DATA[start : start + 100_000]

    async with httpx.AsyncClient() as client:
        headers = {"content-type": "video/mp4"}
        stored = await client.put(f"{address}/files/a/b.bin", content=pieces(), headers=headers)
    info = await uploads.get_info("a/b.bin")
    assert stored.status_code == 201
    assert stored.json() == {"name": "a/b.bin", "size": len(DATA), "sha256": info.sha256}
    received = await get(address, "a/b.bin")
    assert received.content == DATA
    assert received.headers["content-length"] == str(len(DATA))
    assert received.headers["content-type"] == "video/mp4"


@pytest.mark.parametrize(
    ("wanted", "content", "shown"),
    [
        ("bytes=0-0", DATA[:1], f"bytes 0-0/{len(DATA)}"),
        ("bytes=131070-131075", DATA[131070:131076], f"bytes 131070-131075/{len(DATA)}"),
        ("bytes=5119990-", DATA[-10:], f"bytes 5119990-5119999/{len(DATA)}"),
        ("bytes=5119990-9999999", DATA[-10:], f"bytes 5119990-5119999/{len(DATA)}"),
    ],
)
async def test_range(
    address: str, uploads: jetstow.ObjectStore, wanted: str, content: bytes, shown: str
) -> None:
    response = await get(address, "data", range=wanted)
    assert (response.status_code, response.content) == (206, content)
    assert response.headers["content-range"] == shown


async def test_range_outside_of_the_object(address: str, uploads: jetstow.ObjectStore) -> None:
    response = await get(address, "data", range=f"bytes={len(DATA)}-")
    assert response.status_code == 416
    assert response.headers["content-range"] == f"bytes */{len(DATA)}"


async def test_empty_object(address: str, uploads: jetstow.ObjectStore) -> None:
    await uploads.put("empty", b"")
    response = await get(address, "empty")
    assert (response.status_code, response.content) == (200, b"")


async def test_missing_object(address: str, uploads: jetstow.ObjectStore) -> None:
    response = await get(address, "missing")
    assert response.status_code == 404
    assert response.text == "not found\n"


async def test_link_is_followed(address: str, uploads: jetstow.ObjectStore) -> None:
    await uploads.add_link("alias", "data")
    assert (await get(address, "alias")).content == DATA


async def test_client_that_disconnects_leaves_nothing(
    address: str, uploads: jetstow.ObjectStore
) -> None:
    await purges_ended(uploads)  # of what the fixture replaced
    before = (await uploads.status()).size
    host, port = address.removeprefix("http://").split(":")
    head = f"PUT /files/cut HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(DATA)}\r\n\r\n"
    _, writer = await asyncio.open_connection(host, int(port))
    with closing(writer):
        writer.write(head.encode() + DATA[:2_000_000])
        await writer.drain()
        while (await uploads.status()).size <= before:
            await asyncio.sleep(0.01)
    await writer.wait_closed()
    while (await uploads.status()).size > before:
        await asyncio.sleep(0.01)
    with pytest.raises(ObjectNotFoundError):
        await uploads.get_info("cut")
