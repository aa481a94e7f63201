"""Objects below `/_console/s3`: the operations of S3 with a session instead of a signature."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote, unquote_to_bytes

from starlette.datastructures import Headers

from jetstow.console.access import Session
from jetstow.console.errors import ConsoleError
from jetstow.console.previews import file_name
from jetstow.console.security import is_code_request, with_headers
from jetstow.http.asgi import Receive, Scope, Send
from jetstow.s3.errors import S3Error

PREFIX: Final = "/_console/s3/"
# Before a bucket whose key is in the query. It is no name of a bucket: a request that has lost its
# query, or reaches an older gateway, fails.
_BY_NAME: Final = b"@name/"
_NAME: Final = b"name="

# Headers that concern the session, or that the gateway would take for a signature. Browsers add
# `Cache-Control` to uploads after a reload of the page: the gateway would store it.
_OF_SESSION: Final = frozenset({
    b"authorization", b"cache-control", b"cookie", b"origin", b"x-amz-content-sha256",
    b"x-amz-security-token", b"x-csrf-token",
})  # fmt: skip


async def serve_object(scope: Scope, receive: Receive, send: Send, session: Session) -> None:
    """Serve an operation of S3 as the caller who has signed in.

    The path is passed on as it was sent: keys may have any characters. A key that browsers or
    proxies would change in a path is the parameter `name` of `@name/BUCKET` instead.

    Raises: `ConsoleError` (CrossOriginRequest: a page would run an object), `S3Error`
    (InvalidArgument: not one name).
    """
    if is_code_request(Headers(scope=scope)):
        raise ConsoleError("CrossOriginRequest", "The console does not load code from objects.")
    path, query = _target(scope["raw_path"][len(PREFIX) :], scope["query_string"])
    inner = dict(scope)
    inner["raw_path"] = path
    inner["query_string"] = query
    inner["path"] = unquote_to_bytes(path).decode("utf-8", "replace")
    inner["headers"] = [(n, v) for n, v in scope["headers"] if n.lower() not in _OF_SESSION]
    headers = {}
    _, _, key = path[1:].partition(b"/")
    if key and scope["method"] in ("GET", "HEAD"):
        headers["content-disposition"] = attachment(
            unquote_to_bytes(key).decode("utf-8", "replace")
        )
    await session.gateway.serve_as(inner, receive, with_headers(send, headers), session.identity)


def _target(path: bytes, query: bytes) -> tuple[bytes, bytes]:
    """Return the path of an operation of S3, and its query without the parameter `name`."""
    if not path.startswith(_BY_NAME):
        return b"/" + path, query
    bucket, fields = path[len(_BY_NAME) :], query.split(b"&")
    names = [field for field in fields if field.startswith(_NAME)]
    if b"/" in bucket or len(names) != 1 or names[0] == _NAME:
        raise S3Error("InvalidArgument", "The request must have one bucket and one name.")
    name = unquote_to_bytes(names[0][len(_NAME) :].replace(b"+", b" "))
    rest = b"&".join(field for field in fields if field is not names[0])
    return b"/%b/%b" % (bucket, quote(name, safe="").encode()), rest


def attachment(name: str) -> str:
    """Return the Content-Disposition that stores a file under the last part of a name."""
    return f"attachment; filename*=UTF-8''{quote(file_name(name), safe='')}"
