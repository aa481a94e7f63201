"""The feed of changes: what it sends, and that it ends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest

import jetstow
from jetstow.console import feed, open_responses
from tests.support.console import RunningConsole, error_code
from tests.support.gateway import OTHER, OWNER, WRITER

if TYPE_CHECKING:
    from tests.support.console import ConsoleClient
    from tests.support.servers import NatsServer


class Events:
    """The events of a feed, in order."""

    def __init__(self, response: httpx.Response) -> None:
        self._pieces = response.aiter_text()
        self._rest = ""

    async def next(self) -> tuple[str, Any]:
        """Return the name and the data of the next event; `end` if there is none."""
        async with asyncio.timeout(20):
            while "\n\n" not in self._rest:
                piece = await anext(self._pieces, None)
                if piece is None:
                    return "end", None
                self._rest += piece
        event, _, self._rest = self._rest.partition("\n\n")
        fields = dict(line.split(": ", 1) for line in event.split("\n"))
        if "event" not in fields:
            return await self.next()  # a comment
        return fields["event"], json.loads(fields["data"])

    async def changes(self, count: int) -> list[dict[str, Any]]:
        """Return the next changes: at least `count`."""
        found: list[dict[str, Any]] = []
        while len(found) < count:
            name, data = await self.next()
            assert name == "changes"
            assert data["revision"] == data["changes"][-1]["revision"]
            found += data["changes"]
        return found


@asynccontextmanager
async def following(
    console: RunningConsole, bucket: str, prefix: str = ""
) -> AsyncIterator[Events]:
    headers = {"cookie": console.sign_in_cookie(OWNER)}
    url = f"{console.url}/_console/api/buckets/{bucket}/changes"
    async with (
        httpx.AsyncClient(timeout=20, headers=headers) as http,
        http.stream("GET", url, params={"prefix": prefix}) as response,
    ):
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        events = Events(response)
        assert await events.next() == ("open", {})
        yield events


async def test_changes_of_any_client(console: RunningConsole, store: jetstow.ObjectStore) -> None:
    await store.put("before", b"")
    async with following(console, store.bucket) as events:
        info = await store.put("a/<b>\n\u2028", b"12345")
        (change,) = await events.changes(1)
        assert change.pop("modified")[:19] == (info.mtime or "")[:19]
        assert change == {
            "name": "a/<b>\n\u2028", "deleted": False, "size": 5, "revision": info.revision,
        }  # fmt: skip
        await store.delete("before")
        (change,) = await events.changes(1)
        assert (change["name"], change["deleted"], change["size"]) == ("before", True, 0)


async def test_changes_of_a_folder_in_batches(
    console: RunningConsole, store: jetstow.ObjectStore
) -> None:
    async with following(console, store.bucket, "a/") as events:
        await asyncio.gather(*(store.put(f"{p}/{n}", b"") for n in range(50) for p in "ab"))
        changes = await events.changes(50)
        assert {change["name"] for change in changes} == {f"a/{n}" for n in range(50)}


async def test_feed_ends_with_its_bucket(
    console: RunningConsole, client: ConsoleClient, store: jetstow.ObjectStore
) -> None:
    async with following(console, store.bucket) as events:
        confirm = {"confirm": store.bucket}
        path = f"buckets/{store.bucket}"
        deleted = await asyncio.to_thread(client.request, "DELETE", path, json=confirm)
        assert deleted.status_code == 204
        assert await events.next() == ("gone", {})
        assert await events.next() == ("end", None)


async def test_feed_ends_when_the_gateway_stops(
    server: NatsServer, store: jetstow.ObjectStore
) -> None:
    """It must not hold up the drain, which waits 30 seconds for requests."""
    with ExitStack() as stack:
        running = stack.enter_context(RunningConsole(server.url))
        async with following(running, store.bucket) as events:
            stopping = asyncio.create_task(asyncio.to_thread(stack.pop_all().close))
            assert await events.next() == ("end", None)
            async with asyncio.timeout(20):
                await stopping


async def test_client_that_goes_away(
    console: RunningConsole, js: jetstow.JetStreamContext, store: jetstow.ObjectStore
) -> None:
    """Its consumer is deleted."""

    async def consumers() -> int:
        return (await js.stream_info(f"OBJ_{store.bucket}")).state.consumer_count

    before = await consumers()
    async with following(console, store.bucket):
        assert await consumers() == before + 1
    async with asyncio.timeout(20):
        while await consumers() > before:
            await asyncio.sleep(0.05)


async def test_session_that_ends(
    console: RunningConsole, store: jetstow.ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The session and the permission are checked again and again."""
    monkeypatch.setattr(feed, "_CHECK_INTERVAL", 0.1)
    assert console.gateway is not None
    keys = console.gateway.services.keys
    original = list(keys)
    async with following(console, store.bucket) as events:
        keys._keys.pop(OWNER.access_key)
        try:
            assert await events.next() == ("end", None)
        finally:
            keys.replace(original)


async def test_number_of_feeds_is_limited(
    console: RunningConsole, store: jetstow.ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each feed is a consumer of the server: a client could open them without end."""
    monkeypatch.setattr(feed, "MAX_FEEDS", 1)
    path = f"buckets/{store.bucket}/changes"
    with console.sign_in(OTHER) as other, console.sign_in() as owner:
        async with following(console, store.bucket):
            assert error_code(owner.get(path)) == "TooManyRequests"
            with other.stream("GET", path) as response:
                assert response.status_code == 200, "other keys have their own"
        open_feeds = console.console.context.part(open_responses.new_counts)
        async with asyncio.timeout(20):
            while open_feeds.total():
                await asyncio.sleep(0.05)


def test_permissions(console: RunningConsole, s3_bucket: str) -> None:
    for key in (OTHER, WRITER):
        with console.sign_in(key) as other:
            response = other.get(f"buckets/{s3_bucket}/changes")
            assert (response.status_code, error_code(response)) == (403, "AccessDenied")
    with console.sign_in() as owner:
        assert error_code(owner.get("buckets/none/changes")) == "NoSuchBucket"
