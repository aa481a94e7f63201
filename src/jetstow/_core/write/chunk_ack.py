"""The acknowledgement of a chunk, decoded."""

from __future__ import annotations

from typing import Any

import msgspec


class ChunkAck(msgspec.Struct):
    """The fields of an acknowledgement (PubAck); `seq` is 0 if there is none."""

    seq: int = 0
    stream: str = ""
    domain: str | None = None
    error: dict[str, Any] | None = None


_decode = msgspec.json.Decoder(ChunkAck).decode


def decode_ack(data: bytes) -> ChunkAck:
    """Decode an acknowledgement. One that cannot be parsed has neither a `seq` nor an `error`."""
    try:
        return _decode(data)
    except (ValueError, RecursionError):
        return ChunkAck()
