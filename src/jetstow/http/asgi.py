"""The types of ASGI 3, a response with a text, and responses that end with their client."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, MutableMapping
from typing import Any, Final, TypeAlias

from jetstow._core.aio.background import stop

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]

_CONTROL_CHARACTERS: Final = frozenset(map(chr, (*range(9), *range(10, 32), 127)))


def response_start(status: int, headers: Mapping[str, str]) -> Message:
    """Return the message that starts a response.

    Values that HTTP does not allow are left out: the headers of an object may be any text, and a
    line break would start another header.
    """
    raw = [
        (name.lower().encode("latin-1"), _encode(value))
        for name, value in headers.items()
        if _CONTROL_CHARACTERS.isdisjoint(value)
    ]
    return {"type": "http.response.start", "status": status, "headers": raw}


async def send_text(send: Send, status: int, text: str, headers: Mapping[str, str]) -> None:
    """Send a response of one line of text, or without a body."""
    body = f"{text}\n".encode() if text else b""
    all_headers = {
        "content-type": "text/plain; charset=utf-8",
        "content-length": str(len(body)),
        **headers,
    }
    await send(response_start(status, all_headers))
    await send({"type": "http.response.body", "body": body})


def _encode(value: str) -> bytes:
    """Encode a header value as Latin-1, which HTTP specifies, or as UTF-8 if that is impossible."""
    try:
        return value.encode("latin-1")
    except UnicodeEncodeError:
        return value.encode("utf-8", "replace")


async def until_disconnect(sending: Coroutine[None, None, None], receive: Receive) -> None:
    """Run `sending`; cancel it if the client disconnects, which `send` does not report."""
    tasks = [asyncio.create_task(sending), asyncio.create_task(_disconnect(receive))]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        await stop(*tasks)


async def _disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass  # a part of the request's body, which a GET ignores
