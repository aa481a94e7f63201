"""Other clients of the object store behind one interface: nats-py, nats.go, natsrpy and nats.js.

The interface has only what every client supports. The module of each client describes its
differences.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True)
class PeerInfo:
    """An object as a client reports it. Fields that it does not report are empty."""

    name: str
    bucket: str
    nuid: str = ""
    size: int = 0
    chunks: int = 0
    digest: str = ""
    deleted: bool = False
    description: str = ""
    headers: dict[str, list[str]] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)
    link: tuple[str, str] | None = None
    """The bucket and the object; "" is a link to a bucket."""
    chunk_size: int = 0


@dataclass(frozen=True)
class PeerMeta:
    """The metadata of a `put`."""

    description: str | None = None
    headers: dict[str, list[str]] | None = None
    metadata: dict[str, str] | None = None
    chunk_size: int | None = None


NO_META = PeerMeta()


class Peer(Protocol):
    """A client with its own connection."""

    name: str
    has_metadata: bool
    """It writes and reads `metadata`."""
    has_links: bool
    """It creates links. Every client follows them."""
    encodes_names_as_utf8: bool
    can_rename: bool

    async def open(self, url: str) -> None: ...
    async def close(self) -> None: ...
    async def create(self, bucket: str) -> None: ...
    async def put(self, bucket: str, name: str, data: bytes, meta: PeerMeta = NO_META) -> None: ...
    async def get(self, bucket: str, name: str) -> bytes | None: ...
    async def info(self, bucket: str, name: str) -> PeerInfo | None: ...
    async def list(self, bucket: str) -> list[PeerInfo]: ...
    async def delete(self, bucket: str, name: str) -> None: ...
    async def link(self, bucket: str, name: str, target: str) -> None: ...
    async def link_bucket(self, bucket: str, name: str, target_bucket: str) -> None: ...
    async def describe(self, bucket: str, name: str, description: str) -> None: ...
    async def rename(self, bucket: str, name: str, new_name: str) -> None: ...
    async def seal(self, bucket: str) -> None: ...

    def watch(self, bucket: str) -> AsyncGenerator[PeerInfo | None]:
        """Yield None when the watch has started, then every change."""
        ...


class PeerError(Exception):
    """The peer raised an error; the text is the peer's."""


def header_lists(headers: Any) -> dict[str, list[str]]:
    """Return headers with list values. Some clients store a single value as a string."""
    return {
        key: [value] if isinstance(value, str) else list(value)
        for key, value in (headers or {}).items()
    }
