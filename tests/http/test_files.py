"""`Files` as an application of its own, and mounted in Starlette and FastAPI."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from fastapi import Depends, FastAPI, Request
from fastapi.responses import Response
from starlette.applications import Starlette
from starlette.routing import Mount, Route

import jetstow
from jetstow.http import Files, ObjectResponse
from tests.support.servers import NatsServer
from tests.support.web import serve


async def fetch(app: Any, path: str, method: str = "GET", **headers: str) -> httpx.Response:
    async with serve(app) as url, httpx.AsyncClient(base_url=url) as client:
        return await client.request(method, path, headers=headers)


@pytest.mark.parametrize(
    "name", ["a", "a/b", "a b/é%ü.txt", "a//b", "dir/", "a?b#c", "..a/...", "a+b", "a\\b"]
)
async def test_name_is_the_path(
    client: httpx.AsyncClient, store: jetstow.ObjectStore, name: str
) -> None:
    from urllib.parse import quote

    await store.put(name, b"x")
    response = await client.get(f"/{quote(name)}")
    assert (response.status_code, response.content) == (200, b"x")


async def test_only_names_with_the_prefix(store: jetstow.ObjectStore) -> None:
    await store.put("public/a", b"open")
    await store.put("private", b"secret")
    async with (
        serve(Files(store, prefix="public/")) as url,
        httpx.AsyncClient(base_url=url) as client,
    ):
        assert (await client.get("/a")).content == b"open"
        for path in ("/private", "/../private", "/%2e%2e/private", "//private", "/public/a"):
            request = client.build_request("GET", "/")
            request.url = request.url.copy_with(raw_path=path.encode())
            assert (await client.send(request)).status_code == 404


@pytest.mark.parametrize("path", ["/", "/missing", f"/{'x' * 5_000}", "/%00", "/%ff"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_missing_object(client: httpx.AsyncClient, method: str, path: str) -> None:
    response = await client.request(method, path)
    assert response.status_code == 404
    assert bool(response.content) == (method == "GET")


async def test_deleted_object_and_bucket_link(
    client: httpx.AsyncClient, store: jetstow.ObjectStore
) -> None:
    await store.put("a", b"x")
    await store.delete("a")
    await store.add_bucket_link("b", "other")
    assert (await client.get("/a")).status_code == 404
    assert (await client.get("/b")).status_code == 404


async def test_names_of_versions(js: jetstow.JetStreamContext, bucket: str) -> None:
    """They were served, also those of deleted objects."""
    store = await js.create_object_store(bucket, versioned=True)
    version = (await store.put("a", b"x")).version
    await store.delete("a")
    hidden = f".jetstow/versions/a/{version}"
    assert (await store.get(hidden)).data == b"x"  # as other NATS clients see it
    for prefix in ("", ".jet"):
        files, path = Files(store, prefix=prefix), hidden.removeprefix(prefix)
        assert (await fetch(files, f"/{path}")).status_code == 404
        assert (await fetch(files, f"/{path.replace('/', '%2F')}")).status_code == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_files_are_read_only(
    client: httpx.AsyncClient, store: jetstow.ObjectStore, method: str
) -> None:
    await store.put("a", b"x")
    response = await client.request(method, "/a")
    assert (response.status_code, response.headers["allow"]) == (405, "GET, HEAD")
    assert (await store.get("a")).data == b"x"


async def test_additional_headers(store: jetstow.ObjectStore) -> None:
    await store.put("a", b"x", headers={"Cache-Control": "no-store"})
    files = Files(
        store, headers={"Cache-Control": "max-age=60", "X-Content-Type-Options": "nosniff"}
    )
    response = await fetch(files, "/a")
    assert response.headers["cache-control"] == "max-age=60"
    assert response.headers["x-content-type-options"] == "nosniff"
    etag = response.headers["etag"]
    unchanged = await fetch(files, "/a", **{"if-none-match": etag})
    assert (unchanged.status_code, unchanged.headers["cache-control"]) == (304, "max-age=60")


async def test_mounted_in_starlette(store: jetstow.ObjectStore) -> None:
    await store.put("p/a/b", b"x")
    app = Starlette(routes=[Mount("/files", Files(store, prefix="p/"))])
    assert (await fetch(app, "/files/a/b")).content == b"x"
    outer = Starlette(routes=[Mount("/outer", app)])
    assert (await fetch(outer, "/outer/files/a/b")).content == b"x"


async def test_mounted_in_fastapi(store: jetstow.ObjectStore) -> None:
    await store.put("a", b"x")
    app = FastAPI()
    app.mount("/files", Files(store))
    assert (await fetch(app, "/files/a")).content == b"x"


async def test_store_of_the_application(store: jetstow.ObjectStore) -> None:
    """An application opens its store when it starts, after it has mounted `Files`."""
    await store.put("a", b"x")
    app = FastAPI()
    app.mount("/files", Files(lambda scope: scope["app"].state.store))
    app.state.store = store
    assert (await fetch(app, "/files/a")).content == b"x"


async def test_response_of_a_starlette_route(store: jetstow.ObjectStore) -> None:
    async def download(request: Any) -> ObjectResponse:
        return await ObjectResponse.open(store, request.path_params["name"], request.scope)

    await store.put("a", b"x")
    app = Starlette(routes=[Route("/{name:path}", download)])
    response = await fetch(app, "/a", range="bytes=0-0")
    assert (response.status_code, response.content) == (206, b"x")


async def test_response_of_a_fastapi_route(store: jetstow.ObjectStore) -> None:
    class Download(Response):
        def __init__(self, response: ObjectResponse) -> None:
            super().__init__()
            self.response = response

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            await self.response(scope, receive, send)

    def user() -> str:
        return "me"

    app = FastAPI()

    @app.get("/{name:path}", response_class=Download)
    async def download(name: str, request: Request, user: str = Depends(user)) -> Download:
        response = await ObjectResponse.open(store, name, request.scope)
        response.headers["x-user"] = user
        return Download(response)

    await store.put("a", b"x")
    response = await fetch(app, "/a", range="bytes=0-0")
    assert (response.status_code, response.content) == (206, b"x")
    assert response.headers["x-user"] == "me"


@pytest.mark.parametrize("kind", ["lifespan", "websocket"])
async def test_other_scopes_are_refused(store: jetstow.ObjectStore, kind: str) -> None:
    async def unused(*_: object) -> Any:
        raise AssertionError

    with pytest.raises(ValueError, match=kind):
        await Files(store)({"type": kind}, unused, unused)


async def test_server_that_is_down() -> None:
    with NatsServer() as server:
        async with jetstow.connect(
            server.url, max_reconnect_attempts=1, reconnect_time_wait=0.01
        ) as nc:
            store = await nc.jetstream().create_object_store("b")
            await store.put("a", b"x")
            server.stop()
            response = await fetch(Files(store), "/a")
            assert (response.status_code, response.text) == (503, "unavailable\n")
