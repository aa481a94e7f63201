"""Compare the NATS parser with a simple one that needs all bytes at once."""

from __future__ import annotations

from typing import Any, Final

from jetstow._core.protocol import parser
from jetstow._core.protocol.parser import ParsedMessage, Parser, ProtocolError

# Small limits: a few bytes fill the buffer, and a few more exceed the largest message.
BUFFER: Final = 96
LARGEST: Final = 1000
SIZES: Final = {"_BUFFER_SIZE": BUFFER, "_MAX_LINE_SIZE": BUFFER // 2, "_MAX_MESSAGE_SIZE": LARGEST}

Item = bytes | tuple[Any, ...]

SEEDS: Final = (
    b"\x07MSG a 1 5\r\nhello\r\nPING\r\n",
    b"\x01HMSG a 1 r 12 17\r\nNATS/1.0\r\n\r\nhello\r\n+OK\r\nMSG a 1 r 0\r\n\r\n",
    b"\x40MSG a 1 200\r\n" + b"x" * 200 + b"\r\nMSG a 1 200\r\n" + b"y" * 200 + b"\r\n",
    b"\xffINFO {\"a\":1}\r\nMSG b 22 r 1\r\nz\r\n-ERR 'x'\r\n",
)


def expected(data: bytes) -> tuple[list[Item], bool]:
    """Return the expected frames, and whether the bytes violate the protocol."""
    items: list[Item] = []
    while True:
        line, end, rest = data.partition(b"\r\n")
        if not end:
            return items, False
        if not line.startswith((b"MSG ", b"HMSG ")):
            items.append(line + end)
            data = rest
            continue
        try:
            sizes = 1 if line[:1] == b"M" else 2
            words = line.split(b" ")
            address, counts = words[:-sizes], [int(word) for word in words[-sizes:]]
            _, subject, sid, *reply = (word.decode("utf-8", "replace") for word in address)
            number, size, head = int(sid), counts[-1], counts[0] if sizes == 2 else 0
            if len(reply) > 1 or not 0 <= head <= size <= LARGEST:
                return items, True
        except ValueError:
            return items, True
        if len(rest) < size + 2:
            return items, False
        if rest[size : size + 2] != b"\r\n":
            return items, True
        items.append((number, subject, "".join(reply), rest[:head], rest[head:size]))
        data = rest[size + 2 :]


def parse(data: bytes, piece: int) -> tuple[list[Item], bool]:
    """Return the same from the parser under test, which gets the bytes in pieces."""
    items: list[Item] = []

    def messages(frames: list[ParsedMessage]) -> None:
        items.extend([(f.sid, f.subject, f.reply, f.raw_headers, f.data) for f in frames])

    own = vars(parser)
    limits = {size: own[size] for size in SIZES}
    own |= SIZES
    try:
        tested = Parser(messages, items.append)
        while data:
            buffer = tested.get_buffer()
            assert buffer.nbytes, "the buffer is never full"
            size = min(buffer.nbytes, len(data), piece)
            buffer[:size] = data[:size]
            data = data[size:]
            tested.buffer_updated(size)
    except ProtocolError:
        return items, True
    finally:
        own |= limits
    return items, False


def check(data: bytes) -> None:
    """Check the parser. The first byte is the size of the pieces."""
    piece, data = (data[0] or 256 if data else 1), data[1:]
    frames, invalid = expected(data)
    found, rejected = parse(data, piece)
    if (found, rejected) != (frames, invalid):
        # The parser rejects an overlong line before its end.
        assert rejected
        assert max(map(len, data.split(b"\r\n"))) >= BUFFER // 2
        assert found == frames[: len(found)]
