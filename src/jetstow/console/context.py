"""What the requests of a console share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar, cast
from urllib.parse import urlsplit

from starlette.requests import Request

from jetstow.console.attempts import Attempts
from jetstow.s3.app import Gateway

T = TypeVar("T")

# Of host names and addresses. Others would end the value of a header or of a policy.
_HOST_CHARACTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789.-:")


@dataclass(slots=True)
class Context:
    """The gateway behind the console, and its options.

    `preview_port` is the port of previews. `draining` is set when the gateway begins to stop:
    responses without an end must end then.
    """

    gateway: Gateway
    preview_port: int | None = None
    attempts: Attempts = field(default_factory=Attempts)
    draining: asyncio.Event = field(default_factory=asyncio.Event)
    _parts: dict[Callable[..., Any], Any] = field(default_factory=dict)

    def part(self, new_part: Callable[[Context], T]) -> T:
        """Return what `new_part` made for this console; it is called on first use.

        Modules keep their state here: indexes, jobs, samples.
        """
        if new_part not in self._parts:
            self._parts[new_part] = new_part(self)
        return cast("T", self._parts[new_part])

    def preview_origin(self, request: Request) -> str | None:
        """Return the origin of previews, with the host name of a request; None without them."""
        if self.preview_port is None:
            return None
        host = _host(request)
        return host and f"{request.scope['scheme']}://{_authority(host, self.preview_port)}"


def origin(request: Request) -> str | None:
    """Return the origin of the console as the browser has it; None if the host is not valid."""
    host = _host(request)
    return host and f"{request.scope['scheme']}://{_authority(host, _port(request))}"


def _host(request: Request) -> str | None:
    """Return the host name of a request, if it consists of characters of host names only."""
    try:
        name = urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
    except ValueError:
        return None
    return name if name and set(name) <= _HOST_CHARACTERS else None


def _port(request: Request) -> int | None:
    try:
        return urlsplit(f"//{request.headers.get('host', '')}").port
    except ValueError:
        return None


def _authority(host: str, port: int | None) -> str:
    name = f"[{host}]" if ":" in host else host
    return name if port is None else f"{name}:{port}"


def context_of(request: Request) -> Context:
    """Return the context of the console that serves a request."""
    return cast("Context", request.scope["jetstow.console"])
