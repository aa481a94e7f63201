"""The parser returns the same messages, however their bytes are split."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nats.aio.client import Client

from jetstow._core.protocol.parser import ParsedMessage, Parser, ProtocolError, parse_headers

SUBJECTS = st.text("abcDEF012.$_-é", min_size=1, max_size=40)
SIZES = st.lists(st.integers(1, 200), min_size=1)


class Recorder:
    """Records everything that a `Parser` reports, in its order."""

    def __init__(self) -> None:
        self.items: list[tuple[object, ...] | bytes] = []
        self.parser = Parser(self.on_messages, self.items.append)

    def on_messages(self, messages: list[ParsedMessage]) -> None:
        assert len({(message.sid, message.subject, message.reply) for message in messages}) == 1
        self.items += [
            (message.sid, message.subject, message.reply, message.raw_headers, message.data)
            for message in messages
        ]

    def receive(self, data: bytes, sizes: list[int] | None = None) -> None:
        turn = 0
        while data:
            buffer = self.parser.get_buffer()
            size = min(len(buffer), len(data), sizes[turn % len(sizes)] if sizes else len(data))
            buffer[:size] = data[:size]
            self.parser.buffer_updated(size)
            data, turn = data[size:], turn + 1


def encode(item: tuple[int, str, str, bytes, bytes] | bytes) -> bytes:
    if isinstance(item, bytes):
        return item
    sid, subject, reply, head, data = item
    address = f"{subject} {sid} {reply} ".encode() if reply else f"{subject} {sid} ".encode()
    if head:
        line = b"HMSG " + address + b"%d %d\r\n" % (len(head), len(head) + len(data))
    else:
        line = b"MSG " + address + b"%d\r\n" % len(data)
    return line + head + data + b"\r\n"


LINES = st.sampled_from(
    [b"PING\r\n", b"PONG\r\n", b"+OK\r\n", b"-ERR 'Stale'\r\n", b'INFO {"a":1}\r\n']
)
MESSAGES = st.tuples(
    st.integers(1, 10**9),
    SUBJECTS,
    st.one_of(st.just(""), SUBJECTS),
    st.one_of(st.just(b""), st.binary(min_size=1, max_size=60)),
    st.binary(max_size=300),
)


@given(st.lists(st.one_of(LINES, MESSAGES)), SIZES)
def test_messages_split_at_any_place(
    items: list[tuple[int, str, str, bytes, bytes] | bytes], sizes: list[int]
) -> None:
    recorder = Recorder()
    recorder.receive(b"".join(map(encode, items)), sizes)
    assert recorder.items == items


@pytest.mark.parametrize("size", [1024 * 1024 - 1, 1024 * 1024, 1024 * 1024 + 1, 5_000_000])
@pytest.mark.parametrize("piece", [65_536, 1_000_003])
def test_message_larger_than_buffer(size: int, piece: int) -> None:
    data = bytes(range(251)) * (size // 251 + 1)
    items: list[tuple[int, str, str, bytes, bytes] | bytes] = [
        (1, "a", "b", b"", b"before"),
        (2, "large", "", b"NATS/1.0\r\n\r\n", data[:size]),
        b"PING\r\n",
    ]
    recorder = Recorder()
    recorder.receive(b"".join(map(encode, items)), [piece])
    assert recorder.items == items


def test_buffer_is_filled_many_times() -> None:
    items = [(7, "chunk", "", b"", bytes([i % 256]) * 100_000) for i in range(50)]
    recorder = Recorder()
    recorder.receive(b"".join(map(encode, items)), [333_333])
    assert recorder.items == items


@given(
    st.lists(st.binary(max_size=80) | st.sampled_from([b"MSG ", b"HMSG a 1 ", b"\r\n", b" 5 3"]))
)
def test_any_bytes_are_parsed_or_raise(pieces: list[bytes]) -> None:
    recorder = Recorder()
    with contextlib.suppress(ProtocolError):
        for piece in pieces:
            recorder.receive(piece)


def test_subject_that_is_not_utf_8() -> None:
    """One message to such a subject closed the connection of every watcher, again and again."""
    recorder = Recorder()
    recorder.receive(b"MSG $O.b.M.\xff\xfe 1 \xc3 2\r\nab\r\nPING\r\n")
    assert recorder.items == [(1, "$O.b.M.\ufffd\ufffd", "\ufffd", b"", b"ab"), b"PING\r\n"]


@pytest.mark.parametrize(
    "line",
    [
        b"MSG a 1\r\n",
        b"MSG a 1 -5\r\n",
        b"MSG a x 5\r\n",
        b"MSG a 1 r q 5\r\n",
        b"HMSG a 1 9 5\r\n",
        b"HMSG a 1 5\r\n",
        b"MSG a 1 99999999999\r\n",
        b"MSG a 1 " + b"9" * 10_000 + b"\r\n",
        b"MSG a 1 2\r\nabcd",
        b"INFO " + b"x" * 600_000,
    ],
)
def test_invalid_lines_raise(line: bytes) -> None:
    with pytest.raises(ProtocolError):
        Recorder().receive(line)


@pytest.mark.parametrize(
    "head",
    [
        b"NATS/1.0 503\r\n\r\n",
        b"NATS/1.0 404 No Messages\r\n\r\n",
        b"NATS/1.0 204 EOB\r\nNats-Num-Pending: 7\r\nNats-Last-Sequence: 9\r\n\r\n",
        b"NATS/1.0\r\nNats-Sequence: 12\r\nNats-Subject: $O.b.C.x\r\n\r\n",
        b"NATS/1.0\r\nName:value\r\nOther:  two words \r\nUmlaut: \xc3\xa4 \xff\r\n\r\n",
    ],
)
async def test_headers_equal_those_of_nats_py(head: bytes) -> None:
    assert parse_headers(head) == await Client()._process_headers(head)


@pytest.mark.parametrize("space", "\x0b\x0c\x1f\x85\u2003")
def test_only_blanks_are_stripped_from_headers(space: str) -> None:
    """A message to a subject that ends in a form feed was listed as the object of the subject
    without it."""
    head = f"NATS/1.0\r\nNats-Subject: \t$O.b.M.YQ=={space} \r\n\r\n".encode()
    assert parse_headers(head) == {"Nats-Subject": f"$O.b.M.YQ=={space}"}


@given(st.binary(max_size=200))
def test_any_headers_are_parsed(head: bytes) -> None:
    headers = ParsedMessage(1, "a", "", head, b"").headers
    assert (headers is None) == (not head)


@pytest.mark.parametrize("taken", [0b000, 0b101, 0b010, 0b111])
@pytest.mark.parametrize("piece", [9_999, 600_000])
def test_large_messages_are_offered_in_order(taken: int, piece: int) -> None:
    """Bit n of `taken`: whether large message n is processed when it is offered."""
    recorder = Recorder()
    offered: list[bytes] = []

    def take(message: ParsedMessage) -> bool:
        offered.append(bytes(message.data))
        if not taken >> len(offered) - 1 & 1:
            return False
        recorder.items.append((1, "a", "", b"", offered[-1]))
        return True

    recorder.parser = Parser(recorder.on_messages, recorder.items.append, take)
    sizes = [10, 16_384, 16_383, 1_100_000, 10, 50_000, 10]
    items = [(1, "a", "", b"", bytes([n]) * size) for n, size in enumerate(sizes)]
    recorder.receive(b"".join(map(encode, items)), [piece])
    assert recorder.items == items
    assert [len(data) for data in offered] == [16_384, 1_100_000, 50_000]
