"""Other clients of the object store behind one face: nats-py, natsrpy and nats.js.

The face says only what every client can; how each differs is told where it is driven.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True)
class Seen:
    """An object as a client sees it: what it does not say is empty."""

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
    """The bucket and the object, "" for a link to a bucket."""
    chunk_size: int = 0


@dataclass(frozen=True)
class Meta:
    """What goes with the bytes of a `put`."""

    description: str | None = None
    headers: dict[str, list[str]] | None = None
    metadata: dict[str, str] | None = None
    chunk_size: int | None = None


NOTHING = Meta()


class Peer(Protocol):
    """A client with a connection of its own."""

    name: str
    has_metadata: bool
    """It writes and reads `metadata`."""
    has_links: bool
    """It makes links; every client follows them."""
    encodes_names_as_utf8: bool
    renames: bool
    keeps_one_message: bool
    """It publishes all metadata rolled up, so that a name has one message."""

    async def open(self, url: str) -> None: ...
    async def close(self) -> None: ...
    async def create(self, bucket: str) -> None: ...
    async def put(self, bucket: str, name: str, data: bytes, meta: Meta = NOTHING) -> None: ...
    async def get(self, bucket: str, name: str) -> bytes | None: ...
    async def info(self, bucket: str, name: str) -> Seen | None: ...
    async def list(self, bucket: str) -> list[Seen]: ...
    async def delete(self, bucket: str, name: str) -> None: ...
    async def link(self, bucket: str, name: str, target: str) -> None: ...
    async def link_bucket(self, bucket: str, name: str, target_bucket: str) -> None: ...
    async def describe(self, bucket: str, name: str, description: str) -> None: ...
    async def rename(self, bucket: str, name: str, new_name: str) -> None: ...
    async def seal(self, bucket: str) -> None: ...

    def watch(self, bucket: str) -> AsyncGenerator[Seen | None]:
        """`None` once the watch stands, then every change."""
        ...


class PeerError(Exception):
    """The peer refused, in its own words."""


def listed(headers: Any) -> dict[str, list[str]]:
    """Headers with every value a list: some clients store a single one as a string."""
    return {
        key: [value] if isinstance(value, str) else list(value)
        for key, value in (headers or {}).items()
    }
