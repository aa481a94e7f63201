"""What a consumer's message says of itself, in its reply subject.

$JS.ACK.<stream>.<consumer>.<tries>.<stream seq>.<consumer seq>.<time>.<pending>
$JS.ACK.<domain>.<account>.<stream>.<consumer>.<tries>.<stream seq>.<consumer seq>.
    <time>.<pending>[.<random>]
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from jetstow._core.protocol.timestamps import format_timestamp

# Of the largest number that the server counts with.
_DIGITS: Final = len(str(2**64 - 1))


@dataclass(frozen=True, slots=True)
class MsgMetadata:
    """A message's place in its stream and its consumer; `pending` more follow. Time in ns."""

    stream_seq: int
    consumer_seq: int
    time: int
    pending: int

    @classmethod
    def parse(cls, reply: str) -> MsgMetadata:
        """Read a reply subject. Raises `ValueError` for any other one."""
        tokens = reply.split(".")
        start = {9: 5}.get(len(tokens), 7)
        if tokens[:2] != ["$JS", "ACK"] or len(tokens) < start + 4:
            raise ValueError(f"{reply!r} is no consumer's reply subject")
        numbers = tokens[start : start + 4]
        # Python reads more as a number than the server writes, and of any length.
        if not all(token.isascii() and token.isdigit() for token in numbers):
            raise ValueError(f"{reply!r} is no consumer's reply subject: it counts nothing")
        if max(map(len, numbers)) > _DIGITS:
            raise ValueError(f"{reply!r} is no consumer's reply subject: it counts too far")
        return cls(*map(int, numbers))

    @property
    def timestamp(self) -> str:
        """The time as the server writes it elsewhere: RFC 3339 in UTC, nanoseconds."""
        return format_timestamp(self.time)
