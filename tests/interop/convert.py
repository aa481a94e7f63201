"""Convert jetstow's `ObjectInfo` to the `PeerInfo` that all clients share."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tests.support.peers import Peer, PeerInfo, header_lists

if TYPE_CHECKING:
    import jetstow


def to_peer_info(info: jetstow.ObjectInfo) -> PeerInfo:
    link = info.options.link if info.options else None
    return PeerInfo(
        name=info.name,
        bucket=info.bucket,
        nuid=info.nuid,
        size=info.size or 0,
        chunks=info.chunks or 0,
        digest=info.digest or "",
        deleted=bool(info.deleted),
        description=info.description or "",
        headers=header_lists(info.headers),
        metadata=info.metadata or {},
        link=(link.bucket, link.name or "") if link else None,
        chunk_size=(info.options.max_chunk_size if info.options else 0) or 0,
    )


def visible_to(peer: Peer, info: PeerInfo) -> PeerInfo:
    """Return the info without the fields that the peer does not support."""
    return info if peer.has_metadata else replace(info, metadata={})
