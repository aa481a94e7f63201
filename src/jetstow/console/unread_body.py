"""Requests whose body is longer than the application reads."""

from __future__ import annotations

from jetstow.http.asgi import Message, Receive, Scope, Send
from jetstow.s3.body.raw import RawBody
from jetstow.s3.request import parse_headers

_CLOSE = (b"connection", b"close")


def limit_unread_body(scope: Scope, receive: Receive, send: Send) -> tuple[Receive, Send]:
    """Return `receive` and `send` that close a connection if much of a body is unread.

    uvicorn reads what follows a response without a limit of bytes or of time: a client without a
    session could keep a connection busy forever.
    """
    body = RawBody(parse_headers(scope["headers"]), receive)

    async def send_and_drain(message: Message) -> None:
        if message["type"] == "http.response.start":
            if body.can_drain:
                await body.drain()
            if not body.ended and _CLOSE not in message["headers"]:
                message = {**message, "headers": [*message["headers"], _CLOSE]}
        elif not message.get("more_body", False):
            # The client has the response now, and reads it while it sends: to close a
            # connection with unread bytes resets it.
            await body.drain()
        await send(message)

    return body.receive, send_and_drain
