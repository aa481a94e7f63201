"""The metadata of a message that a consumer delivers, from its reply subject.

$JS.ACK.<stream>.<consumer>.<tries>.<stream seq>.<consumer seq>.<time>.<pending>
$JS.ACK.<domain>.<account>.<stream>.<consumer>.<tries>.<stream seq>.<consumer seq>.
    <time>.<pending>[.<random>]
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from jetstow._core.protocol.timestamps import format_timestamp

# The server counts in unsigned 64-bit numbers.
_MAX_DIGITS: Final = len(str(2**64 - 1))


@dataclass(frozen=True, slots=True)
class MsgMetadata:
    """Sequences, time in nanoseconds, and the number of messages that follow."""

    stream_seq: int
    consumer_seq: int
    time: int
    pending: int

    @classmethod
    def parse(cls, reply: str) -> MsgMetadata:
        """Parse a reply subject.

        Raises: `ValueError` (it is not the reply subject of a consumer).
        """
        tokens = reply.split(".")
        start = {9: 5}.get(len(tokens), 7)
        if tokens[:2] != ["$JS", "ACK"] or len(tokens) < start + 4:
            raise ValueError(f"{reply!r} is not the reply subject of a consumer")
        numbers = tokens[start : start + 4]
        # `int` accepts signs, spaces, underscores and other scripts, and numbers of any length.
        if not all(token.isascii() and token.isdigit() for token in numbers):
            raise ValueError(f"{reply!r} is not the reply subject of a consumer: not a number")
        if max(map(len, numbers)) > _MAX_DIGITS:
            raise ValueError(f"{reply!r} is not the reply subject of a consumer: number too long")
        return cls(*map(int, numbers))

    @property
    def timestamp(self) -> str:
        """The time in the server's format: RFC 3339 in UTC with nanoseconds."""
        return format_timestamp(self.time)
