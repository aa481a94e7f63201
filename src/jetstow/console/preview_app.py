"""The listener for previews: single objects, in an origin that has nothing else."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final
from urllib.parse import quote

from jetstow.console.previews import PDF, Link, find_link
from jetstow.console.unread_body import limit_unread_body
from jetstow.http.asgi import Message, Receive, Scope, Send, send_text
from jetstow.s3.app import Gateway
from jetstow.s3.auth.authenticate import Identity

_PLAIN: Final = "text/plain; charset=utf-8"
# The headers of a request that the gateway gets. Others may be those of a signature.
_PASSED: Final = frozenset({
    b"if-match", b"if-modified-since", b"if-none-match", b"if-range", b"if-unmodified-since",
    b"range", b"referer", b"user-agent",
})  # fmt: skip
# The headers of its response that the browser gets: an object chooses no others.
_KEPT: Final = frozenset({
    b"accept-ranges", b"connection", b"content-length", b"content-range", b"etag",
    b"last-modified",
})  # fmt: skip
_OBJECT: Final = frozenset({HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT, HTTPStatus.NOT_MODIFIED})
_HEADERS: Final = {
    "cache-control": "private, no-cache",
    "cross-origin-resource-policy": "cross-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
# Nothing that an object loads or runs, besides what it has in itself.
_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; media-src 'self'"
)


class PreviewApp:
    """An ASGI application with the objects that signed links name: `/TOKEN/FILENAME`."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] != "http":
            return
        receive, send = limit_unread_body(scope, receive, send)
        gateway = self._gateway
        if scope["method"] not in ("GET", "HEAD"):
            await _refuse(send, HTTPStatus.METHOD_NOT_ALLOWED, "only GET and HEAD")
            return
        gateway.key_reload.check()
        token = scope["raw_path"].decode("latin-1").removeprefix("/").partition("/")[0]
        found = find_link(gateway.services.keys, token, gateway.clock().timestamp())
        if found is None:
            await _refuse(send, HTTPStatus.FORBIDDEN, "the link is not valid any more")
            return
        link, key = found
        inner = _object_scope(scope, link)
        await gateway.serve_as(inner, receive, _with_own_headers(send, link), Identity(key))


def _object_scope(scope: Scope, link: Link) -> Scope:
    """Return the request of the gateway's API for an object."""
    path = f"/{quote(link.bucket, safe='')}/{quote(link.name, safe='')}"
    query = "" if link.version is None else f"versionId={quote(link.version, safe='')}"
    return dict(scope) | {
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(n, v) for n, v in scope["headers"] if n.lower() in _PASSED],
    }


def _with_own_headers(send: Send, link: Link) -> Send:
    """Return `send` that replaces the headers of a response by those of a preview."""

    async def send_preview(message: Message) -> None:
        if message["type"] == "http.response.start":
            is_object = message["status"] in _OBJECT
            media_type = link.media_type if is_object else _PLAIN
            headers = _HEADERS | {
                "content-type": media_type,
                "content-disposition": "inline",
                "content-security-policy": _policy(link, media_type),
            }
            kept = [(n, v) for n, v in message["headers"] if n.lower() in _KEPT]
            own = [(n.encode(), v.encode("latin-1")) for n, v in headers.items()]
            message = {**message, "headers": kept + own}
        await send(message)

    return send_preview


def _policy(link: Link, media_type: str) -> str:
    # Chromium's viewer refuses a PDF in a sandbox. It gives a PDF no access to its origin.
    sandbox = "" if media_type == PDF else "; sandbox"
    return f"{_POLICY}; frame-ancestors {link.origin}{sandbox}"


async def _refuse(send: Send, status: HTTPStatus, text: str) -> None:
    headers = _HEADERS | {"content-security-policy": f"{_POLICY}; sandbox"}
    await send_text(send, status, text, headers)
