"""Frames beside a reader that is slow, needs all bytes at once, and can be seen to be right."""

from __future__ import annotations

from typing import Any, Final

from jetstow._core.protocol import parser
from jetstow._core.protocol.parser import ParsedMessage, Parser, ProtocolError

# Sizes so small that a few bytes fill the buffer, and a few more are too large a message.
BUFFER: Final = 96
LARGEST: Final = 1000
SIZES: Final = {"_BUFFER": BUFFER, "_LONGEST_LINE": BUFFER // 2, "_LARGEST_MESSAGE": LARGEST}

Item = bytes | tuple[Any, ...]

SEEDS: Final = (
    b"\x07MSG a 1 5\r\nhello\r\nPING\r\n",
    b"\x01HMSG a 1 r 12 17\r\nNATS/1.0\r\n\r\nhello\r\n+OK\r\nMSG a 1 r 0\r\n\r\n",
    b"\x40MSG a 1 200\r\n" + b"x" * 200 + b"\r\nMSG a 1 200\r\n" + b"y" * 200 + b"\r\n",
    b"\xffINFO {\"a\":1}\r\nMSG b 22 r 1\r\nz\r\n-ERR 'x'\r\n",
)


def expected(data: bytes) -> tuple[list[Item], bool]:
    """What is in the bytes, and whether they end in what no server sends."""
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


def heard(data: bytes, piece: int) -> tuple[list[Item], bool]:
    """The same from `Frames`, with the bytes in pieces."""
    items: list[Item] = []

    def message(frame: ParsedMessage) -> None:
        items.append((frame.sid, frame.subject, frame.reply, frame.head, frame.data))

    own = vars(parser)
    usual = {size: own[size] for size in SIZES}
    own |= SIZES
    try:
        cut = Parser(message, items.append)
        while data:
            room = cut.get_buffer()
            assert room.nbytes, "there is always room for more"
            size = min(room.nbytes, len(data), piece)
            room[:size] = data[:size]
            data = data[size:]
            cut.buffer_updated(size)
    except ProtocolError:
        return items, True
    finally:
        own |= usual
    return items, False


def check(data: bytes) -> None:
    """The first byte says how large the pieces are."""
    piece, data = (data[0] or 256 if data else 1), data[1:]
    should, wrong = expected(data)
    found, refused = heard(data, piece)
    if (found, refused) != (should, wrong):
        # A line that is longer than a line may be is refused as soon as that is seen.
        assert refused
        assert max(map(len, data.split(b"\r\n"))) >= BUFFER // 2
        assert found == should[: len(found)]
