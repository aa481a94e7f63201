"""Objects below `/_console/s3`: the operations of S3 with a session instead of a signature."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote, unquote_to_bytes

from starlette.datastructures import Headers

from jetstow.console.access import Session
from jetstow.console.errors import ConsoleError
from jetstow.console.security import is_code_request, with_headers
from jetstow.http.asgi import Receive, Scope, Send

PREFIX: Final = "/_console/s3/"

# Headers that concern the session, or that the gateway would take for a signature. Browsers add
# `Cache-Control` to uploads after a reload of the page: the gateway would store it.
_OF_SESSION: Final = frozenset({
    b"authorization", b"cache-control", b"cookie", b"origin", b"x-amz-content-sha256",
    b"x-amz-security-token", b"x-csrf-token",
})  # fmt: skip


async def serve_object(scope: Scope, receive: Receive, send: Send, session: Session) -> None:
    """Serve an operation of S3 as the caller who has signed in.

    The path is passed on as it was sent: keys may have any characters.

    Raises: `ConsoleError` (CrossOriginRequest: a page would run an object).
    """
    if is_code_request(Headers(scope=scope)):
        raise ConsoleError("CrossOriginRequest", "The console does not load code from objects.")
    path: bytes = b"/" + scope["raw_path"][len(PREFIX) :]
    inner = dict(scope)
    inner["raw_path"] = path
    inner["path"] = unquote_to_bytes(path).decode("utf-8", "replace")
    inner["headers"] = [(n, v) for n, v in scope["headers"] if n.lower() not in _OF_SESSION]
    headers = {}
    _, _, key = path[1:].partition(b"/")
    if key and scope["method"] in ("GET", "HEAD"):
        headers["content-disposition"] = attachment(
            unquote_to_bytes(key).decode("utf-8", "replace")
        )
    await session.gateway.serve_as(inner, receive, with_headers(send, headers), session.identity)


def attachment(name: str) -> str:
    """Return the Content-Disposition that stores a file under the last part of a name."""
    last = name.rstrip("/").rpartition("/")[2] or "object"
    return f"attachment; filename*=UTF-8''{quote(last, safe='')}"
