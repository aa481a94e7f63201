"""Says what jetstow knows of an object in the words that all clients share."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tests.support.peers import Peer, Seen, listed

if TYPE_CHECKING:
    import jetstow


def seen(info: jetstow.ObjectInfo) -> Seen:
    link = info.options.link if info.options else None
    return Seen(
        name=info.name,
        bucket=info.bucket,
        nuid=info.nuid,
        size=info.size or 0,
        chunks=info.chunks or 0,
        digest=info.digest or "",
        deleted=bool(info.deleted),
        description=info.description or "",
        headers=listed(info.headers),
        metadata=info.metadata or {},
        link=(link.bucket, link.name or "") if link else None,
        chunk_size=(info.options.max_chunk_size if info.options else 0) or 0,
    )


def to(peer: Peer, said: Seen) -> Seen:
    """What the peer can show of it."""
    return said if peer.has_metadata else replace(said, metadata={})
