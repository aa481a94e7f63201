"""Responses that end early: damaged objects, clients that disconnect, objects that change."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from nats.aio.client import Client

import jetstow
from jetstow.errors import ChunksLostError, DigestMismatchError
from jetstow.http import ObjectResponse
from tests.support import object_builder
from tests.support.purges import purges_ended
from tests.support.samples import digest_of
from tests.support.web import serve

CHUNK = 128 * 1024
PIECES = [bytes([number]) * CHUNK for number in range(40)]  # 10 messages of ASGI
DATA = b"".join(PIECES)


class App:
    """An application that sends the object "a" and keeps what became of the response."""

    def __init__(self, store: Any) -> None:
        self.store = store
        self.response: ObjectResponse | None = None
        self.outcome: asyncio.Future[BaseException | None] = asyncio.Future()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            self.response = await ObjectResponse.open(self.store, "a", scope)
            await self.response(scope, receive, send)
        except BaseException as error:
            self.outcome.set_result(error)
            raise
        self.outcome.set_result(None)


async def damaged(raw: Client, bucket: str, **fields: Any) -> None:
    await object_builder.write_object(raw, bucket, "a", PIECES, **fields)


async def get(url: str, **headers: str) -> httpx.Response:
    async with httpx.AsyncClient() as client:
        return await client.get(url, headers=headers)


async def test_wrong_digest_closes_the_connection(store: jetstow.ObjectStore, raw: Client) -> None:
    """The last bytes are not sent before the digest is verified."""
    await damaged(raw, store.bucket, digest=digest_of(b"other"))
    app = App(store)
    async with serve(app) as url:
        with pytest.raises(httpx.RemoteProtocolError):
            await get(url)
    assert isinstance(await app.outcome, DigestMismatchError)


async def test_lost_chunk_closes_the_connection(store: jetstow.ObjectStore, raw: Client) -> None:
    info = await store.put("a", DATA * 4)
    app = App(store)

    async def lose_and_send(scope: Any, receive: Any, send: Any) -> None:
        async def send_and_lose(message: Any) -> None:
            if message["type"] == "http.response.start":
                await raw.jetstream().delete_msg(f"OBJ_{store.bucket}", info.revision - 1)
            await send(message)

        await app(scope, receive, send_and_lose)

    async with serve(lose_and_send) as url:
        with pytest.raises(httpx.RemoteProtocolError):
            await get(url)
    assert isinstance(await app.outcome, ChunksLostError)


async def test_lost_chunk_that_is_noticed_at_the_start(
    store: jetstow.ObjectStore, raw: Client
) -> None:
    await damaged(raw, store.bucket)
    info = await store.get_info("a")
    await raw.jetstream().delete_msg(f"OBJ_{store.bucket}", info.revision - 3)
    async with serve(App(store)) as url:
        assert (await get(url)).status_code == 500


async def test_first_chunk_that_is_lost_is_a_500(store: jetstow.ObjectStore, raw: Client) -> None:
    """The first bytes are read before the response starts."""
    await damaged(raw, store.bucket)
    info = await store.get_info("a")
    await raw.jetstream().delete_msg(f"OBJ_{store.bucket}", info.revision - len(PIECES))
    app = App(store)
    async with serve(app) as url:
        assert (await get(url)).status_code == 500
    assert isinstance(await app.outcome, ChunksLostError)


async def test_damaged_object_of_one_message_is_a_500(
    store: jetstow.ObjectStore, raw: Client
) -> None:
    fields = {"digest": digest_of(b"other")}
    await object_builder.write_object(raw, store.bucket, "a", [b"x"], **fields)
    async with serve(App(store)) as url:
        assert (await get(url)).status_code == 500


async def test_client_that_disconnects_ends_the_response(store: jetstow.ObjectStore) -> None:
    """uvicorn ignores what is sent after a disconnect: a download ran to its end for no client."""
    await store.put("a", DATA * 4)
    app = App(store)
    async with serve(app) as url:
        _, port = url.rsplit(":", 1)
        reader, writer = await asyncio.open_connection("127.0.0.1", int(port), limit=1024)
        writer.write(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        await reader.readexactly(100)
        writer.close()
        assert await app.outcome is None
    assert app.response is not None
    assert app.response.bytes_sent < len(DATA * 4)


async def test_send_that_reports_the_disconnect(store: jetstow.ObjectStore) -> None:
    """Servers of ASGI 2.4 raise OSError."""
    await store.put("a", DATA)

    async def send(message: Any) -> None:
        if message["type"] == "http.response.body":
            raise OSError("the client has gone")

    response = await ObjectResponse.open(store, "a", {"method": "GET", "headers": []})
    await response({}, asyncio.Event().wait, send)  # type: ignore[arg-type]
    assert response.bytes_sent == 0


async def test_slow_client_stops_the_reading(
    nc: jetstow.Client, store: jetstow.ObjectStore
) -> None:
    """While `send` waits, no more than the windows in flight is read from NATS."""
    await store.put("a", bytes(64 * 2**20))
    sizes: list[int] = []
    is_blocked, proceed = asyncio.Event(), asyncio.Event()

    async def send(message: Any) -> None:
        if message["type"] == "http.response.body":
            sizes.append(len(message["body"]))
            is_blocked.set()
            await proceed.wait()

    received = nc.stats["in_bytes"]
    response = await ObjectResponse.open(store, "a", {"method": "GET", "headers": []})
    sending = asyncio.create_task(response({}, asyncio.Event().wait, send))  # type: ignore[arg-type]
    await is_blocked.wait()
    for _ in range(50):
        await store.exists("a")
    assert nc.stats["in_bytes"] - received < 32 * 2**20
    assert len(sizes) == 1
    proceed.set()
    await sending
    assert sum(sizes) == 64 * 2**20
    assert max(sizes) <= 2**20
    assert min(sizes[:-1]) >= 512 * 1024


class Replacing:
    """A store whose object is replaced after it was opened."""

    def __init__(self, store: jetstow.ObjectStore) -> None:
        self._store = store
        self._opened = 0

    async def open(self, name: str, **options: Any) -> jetstow.ObjectReader:
        file = await self._store.open(name, **options)
        if not self._opened:
            await self._store.put(name, b"new")
            await purges_ended(self._store)  # else the first chunks may still be there
        self._opened += 1
        return file


async def test_object_replaced_before_the_first_bytes(store: jetstow.ObjectStore) -> None:
    """The new object is sent, with its own headers."""
    await store.put("a", DATA)
    async with serve(App(Replacing(store))) as url:
        response = await get(url)
    assert (response.status_code, response.content) == (200, b"new")
    assert response.headers["etag"] == f'"{(await store.get_info("a")).sha256}"'


async def test_response_that_is_not_sent(store: jetstow.ObjectStore) -> None:
    async def unused(message: Any) -> None:
        raise AssertionError

    await store.put("a", DATA)
    scope = {"method": "GET", "headers": []}
    response = await ObjectResponse.open(store, "a", scope)
    await response.close()
    with pytest.raises(ValueError, match="closed"):
        await response({}, asyncio.Event().wait, unused)  # type: ignore[arg-type]
