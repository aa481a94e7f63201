"""The objects of a bucket as read-only files of an ASGI application."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from jetstow.errors import (
    ConnectionLostError,
    InvalidObjectNameError,
    JetStreamUnavailableError,
    LinkIsABucketError,
    ObjectNotFoundError,
    TimeoutError,
)
from jetstow.http.asgi import Receive, Scope, Send, send_text
from jetstow.http.response import ObjectResponse

if TYPE_CHECKING:
    from jetstow.store import ObjectStore

_NOT_FOUND: Final = (ObjectNotFoundError, InvalidObjectNameError, LinkIsABucketError)
_UNAVAILABLE: Final = (ConnectionLostError, JetStreamUnavailableError, TimeoutError)


class Files:
    """An ASGI application that serves the objects of a bucket: `app.mount("/files", Files(store))`.

    The object's name is the `prefix` and the path below the mount point: with the prefix
    "public/", `/files/a.txt` is the object `public/a.txt`. Only names with the prefix can be
    read; links are followed, also out of it. `headers` are added to each response with an object.
    `store` may be a function that returns the store for an ASGI scope.

    GET and HEAD are answered as `ObjectResponse` describes, other methods with 405, missing
    objects with 404. If the connection to NATS is closed, or the server does not answer, the
    response is 503. Other errors are raised.
    """

    def __init__(
        self,
        store: ObjectStore | Callable[[Scope], ObjectStore],
        *,
        prefix: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._store = store
        self._prefix = prefix
        self._headers = {name.lower(): value for name, value in (headers or {}).items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            raise ValueError(f"jetstow.http.Files serves HTTP, not {scope['type']!r}")
        if scope["method"] not in {"GET", "HEAD"}:
            allow = {"allow": "GET, HEAD"}
            await send_text(send, HTTPStatus.METHOD_NOT_ALLOWED, "method not allowed", allow)
            return
        name = self._prefix + _path_below_mount(scope)
        store = self._store(scope) if callable(self._store) else self._store
        try:
            response = await ObjectResponse.open(store, name, scope, headers=self._headers)
        except _NOT_FOUND:
            await _send_error(scope, send, HTTPStatus.NOT_FOUND, "not found")
        except _UNAVAILABLE:
            await _send_error(scope, send, HTTPStatus.SERVICE_UNAVAILABLE, "unavailable")
        else:
            await response(scope, receive, send)


def _path_below_mount(scope: Scope) -> str:
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    if root and (path == root or path.startswith(f"{root}/")):
        path = path[len(root) :]
    return path.removeprefix("/")


async def _send_error(scope: Scope, send: Send, status: int, text: str) -> None:
    await send_text(send, status, "" if scope["method"] == "HEAD" else text, {})
