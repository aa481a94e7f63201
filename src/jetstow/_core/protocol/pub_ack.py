"""The acknowledgement of a published message (PubAck)."""

from __future__ import annotations

from typing import Any

import msgspec


class PubAck(msgspec.Struct, gc=False):
    """The stream and the sequence at which a message is stored, or the error that refused it."""

    seq: int = 0
    stream: str = ""
    domain: str | None = None
    error: dict[str, Any] | None = None


_decode = msgspec.json.Decoder(PubAck).decode


def decode_ack(data: bytes) -> PubAck:
    """Decode an acknowledgement; one without a sequence and an error if it cannot be parsed."""
    try:
        return _decode(data)
    except (ValueError, RecursionError):
        return PubAck()
