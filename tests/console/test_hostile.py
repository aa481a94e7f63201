"""All routes of the API against callers without rights, and against hostile parameters."""

from __future__ import annotations

import itertools
import socket
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx

from jetstow.console.routes import ROUTES
from jetstow.console.sessions import COOKIE
from tests.support.console import ConsoleClient, RunningConsole, error_code
from tests.support.gateway import LIMITED, OTHER, READER, WRITER
from tests.support.s3_http import request_head

if TYPE_CHECKING:
    from collections.abc import Iterator

# What every key may do, and what checks the objects that it concerns one by one.
_OF_ALL = {("GET", "/session"), ("DELETE", "/session"), ("GET", "/buckets"), ("GET", "/health")}
_OF_BUCKET = "/buckets/{bucket}"
_CHANGES = {"POST", "PATCH", "PUT", "DELETE"}
# Of these, the method does not say whether they change something.
_READS = {f"{_OF_BUCKET}/verify", f"{_OF_BUCKET}/share"}

HOSTILE = (
    "",
    "a\0b",
    "../../etc",
    "%ff",
    "é\U0001f680",
    "a" * 2000,
    "-1",
    "٣",
    "$versions/x",
    "a\r\nb: c",
)


def routes(bucket: str) -> Iterator[tuple[str, str, str]]:
    """Yield each method and path of the API, also as the route has it."""
    for route in ROUTES:
        path = route.path.replace("{bucket}", bucket).replace("{access_key}", "OWNERKEY")
        for method in sorted((route.methods or set()) - {"HEAD"}):
            yield method, path.removeprefix("/"), route.path


def send(client: ConsoleClient, method: str, path: str, **options: Any) -> httpx.Response:
    """Send a request, and read the response to its end unless that has none."""
    with client.stream(method, path, **options) as response:
        if response.headers.get("content-type", "").startswith("text/event-stream"):
            return response
        response.read()
        return response


def test_changes_need_a_session_and_its_token(console: RunningConsole, s3_bucket: str) -> None:
    with ConsoleClient(console.url) as anonymous, console.sign_in() as client:
        del client.headers["x-csrf-token"]
        for method, path, route in routes(s3_bucket):
            if (method, route) == ("POST", "/session"):
                continue
            response = send(anonymous, method, path)
            assert (response.status_code, error_code(response)) == (401, "SignInRequired"), path
            if method in _CHANGES:
                assert error_code(send(client, method, path)) == "InvalidCsrfToken", path
            for headers in ({"origin": "https://evil.test"}, {"sec-fetch-site": "cross-site"}):
                refused = send(client, method, path, headers=headers)
                assert error_code(refused) == "CrossOriginRequest", path
        for method in ("PUT", "POST", "DELETE"):
            assert client.s3(method, f"{s3_bucket}/a").status_code == 403


def test_callers_without_rights(console: RunningConsole, s3: Any, s3_bucket: str) -> None:
    """A key sees nothing of a bucket that it may not read, and changes nothing."""
    s3.put_object(Bucket=s3_bucket, Key="a", Body=b"a")
    with console.sign_in() as client:
        state = {"created": client.created(s3_bucket), "revision": 9}
    bodies = {
        "seal": {"confirm": s3_bucket}, "delete": {**state, "names": ["a"]},
        "undo": {"markers": {"a": "v"}}, "garbage": {"dry_run": True},
        "mirror": {"to": "elsewhere"}, "share": {"name": "a", "seconds": 9},
        "object": {"revision": 1}, s3_bucket: {"confirm": s3_bucket},
    }  # fmt: skip
    for key in (OTHER, LIMITED, READER, WRITER):
        with console.sign_in(key) as client:
            for method, path, route in routes(s3_bucket):
                if (method, route) in _OF_ALL or route == "/session":
                    continue
                is_read = method == "GET" or route in _READS
                if key is READER and is_read and route.startswith(_OF_BUCKET):
                    continue
                body = bodies.get(path.rpartition("/")[2], {})
                if method == "PATCH" and path.endswith(s3_bucket):
                    body = {}
                options: dict[str, Any] = {} if method == "GET" else {"json": body}
                response = send(client, method, path, params={"name": "a"}, **options)
                case = key.access_key, method, path
                if (
                    route.endswith(("/delete", "/undo"))
                    and key is not READER
                    and key is not LIMITED
                ):
                    continue  # see below
                assert response.status_code in (400, 403), (case, response.text)
                assert response.status_code == 403 or route == "/buckets", (case, response.text)
            # Like DeleteObjects, it answers for each object.
            path = f"buckets/{s3_bucket}/delete"
            deleted = client.post(path, json=bodies["delete"]).text
            if key is not WRITER:
                assert "AccessDenied" in deleted
                s3.head_object(Bucket=s3_bucket, Key="a")


def test_hostile_parameters(client: ConsoleClient, s3: Any, s3_bucket: str) -> None:
    """Nothing that a client sends is an error of the gateway, or reaches a header."""
    s3.put_object(Bucket=s3_bucket, Key="a", Body=b"a")
    names = ("name", "version", "prefix", "filter", "sort", "offset", "limit", "deep", "names")
    reads = [path for method, path, _ in routes(s3_bucket) if method == "GET"]
    for path, value in itertools.product(reads, HOSTILE):
        every = "&".join(f"{name}={quote(value)}" for name in names)
        queries = [every, f"name=a&version={quote(value)}"]
        if path.endswith("/rows"):
            queries += [f"{name}={quote(value)}" for name in names]
        for query in queries:
            response = send(client, "GET", f"{path}?{query}")
            assert response.status_code < 500, (path, query, response.text)
            assert "b" not in response.headers
    for value in HOSTILE:
        for path in (f"buckets/{quote(value, safe='')}", f"keys/{quote(value, safe='')}"):
            for method in ("GET", "PATCH", "DELETE"):
                options: dict[str, Any] = {} if method == "GET" else {"json": {"confirm": value}}
                response = send(client, method, path, **options)
                assert response.status_code < 500, (path, response.text)


def test_hostile_bodies(client: ConsoleClient, s3_bucket: str) -> None:
    deep = b"[" * 100_000
    texts: tuple[bytes, ...] = (
        b"", b"{", b"null", b"[]", b"1", b"\xff", deep, b'{"a":' + deep, b'{"names":' + deep,
        b'{"name": "\\ud800"}', b'{"confirm": 1e999}', b'{"max_bytes": 1e308}',
        b'{"max_age": 1e308}', b'{"max_age": -1}', b'{"max_bytes": 99999999999999999999}',
        b'{"description": "' + b"x" * 50_000 + b'"}', b'{"replicas": 1000000000000}',
        b'{"name": "hostile-x", "description": "' + b"x" * 50_000 + b'"}',
        b'{"name": "hostile-x", "max_age": 1e300}', b'{"name": "hostile-x", "replicas": -5}',
        b'{"name": "hostile-x", "max_bytes": -99}', b'{"revision": 1, "metadata": {"": "\\u0000"}}',
        b'{"name": "a", "seconds": 1e3}', b'{"name": "a\\u0000", "seconds": 9}',
        b'{"to": "\\u0000"}',
        b'{"names": ["", "\\u0000", "a\\u0000b"], "prefixes": ["\\u0000"]}',
    )  # fmt: skip
    headers = {"content-type": "application/json"}
    for method, path, route in routes(s3_bucket):
        if method == "GET" or route == "/session" or route.startswith("/keys"):
            continue
        for text in texts:
            params = {"name": "a"} if route.endswith("/object") else {}
            response = send(client, method, path, content=text, headers=headers, params=params)
            case = method, path, text[:60], response.text[:300]
            assert response.status_code < 500 or response.status_code == 501, case
            assert '"InternalError"' not in response.text, case
    too_large = client.post("keys", content=b" " * 100_000, headers=headers)
    assert error_code(too_large) == "PayloadTooLarge"


def test_bodies_that_no_request_needs(console: RunningConsole, client: ConsoleClient) -> None:
    """A connection whose body goes on after the response is closed: it was open without end."""
    session = f"{COOKIE}={client.cookies[COOKIE]}"
    preview_port = console.console.context.preview_port
    with_session, plain = {"cookie": session}, {"content-type": "text/plain"}
    as_code = {"sec-fetch-site": "same-origin", "sec-fetch-dest": "script"}
    targets: tuple[tuple[str, str, int | None, dict[str, str]], ...] = (
        ("GET", "/_console/", console.port, {}),
        ("GET", "/_console/static/app.js", console.port, {}),
        ("POST", "/_console/api/session", console.port, plain),
        ("POST", "/_console/api/keys", console.port, {}),
        ("GET", "/_console/api/session", console.port, with_session),
        ("PUT", "/_console/s3/none/a", console.port, with_session),
        ("GET", "/bucket/a", console.port, as_code),
        ("GET", "/x/y", preview_port, {}),
    )
    for method, target, port, headers in targets:
        for size in (9 * 1024, 10**12):
            head = request_head(method, target, {"host": "x", "content-length": size, **headers})
            with socket.create_connection((console.host, port), timeout=20) as connection:
                connection.sendall(head)
                connection.sendall(bytes(9 * 1024))
                received = b""
                while b"\r\n\r\n" not in received and (piece := connection.recv(65536)):
                    received += piece
            assert received.startswith(b"HTTP/1.1 "), (method, target, size)
            has_close = b"connection: close" in received.lower()
            assert has_close is (size > 10**6), (method, target, received[:500])
