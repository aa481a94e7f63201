"""The reader's promise: whatever pieces the bytes come in, the messages come out whole."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nats.aio.client import Client

from jetstow._core.protocol.parser import ParsedMessage, Parser, ProtocolError, parse_headers

SUBJECTS = st.text("abcDEF012.$_-é", min_size=1, max_size=40)
SIZES = st.lists(st.integers(1, 200), min_size=1)


class Told:
    """Everything that a `Frames` has told, in its order."""

    def __init__(self) -> None:
        self.items: list[tuple[object, ...] | bytes] = []
        self.frames = Parser(self.message, self.items.append)

    def message(self, frame: ParsedMessage) -> None:
        self.items.append((frame.sid, frame.subject, frame.reply, frame.head, frame.data))

    def receive(self, data: bytes, sizes: list[int] | None = None) -> None:
        turn = 0
        while data:
            room = self.frames.get_buffer()
            size = min(len(room), len(data), sizes[turn % len(sizes)] if sizes else len(data))
            room[:size] = data[:size]
            self.frames.buffer_updated(size)
            data, turn = data[size:], turn + 1


def on_the_wire(item: tuple[int, str, str, bytes, bytes] | bytes) -> bytes:
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
def test_what_was_sent_comes_out_in_whatever_pieces_it_came(
    items: list[tuple[int, str, str, bytes, bytes] | bytes], sizes: list[int]
) -> None:
    told = Told()
    told.receive(b"".join(map(on_the_wire, items)), sizes)
    assert told.items == items


@pytest.mark.parametrize("size", [1024 * 1024 - 1, 1024 * 1024, 1024 * 1024 + 1, 5_000_000])
@pytest.mark.parametrize("piece", [65_536, 1_000_003])
def test_messages_larger_than_the_buffer(size: int, piece: int) -> None:
    data = bytes(range(251)) * (size // 251 + 1)
    items = [
        (1, "a", "b", b"", b"before"),
        (2, "large", "", b"NATS/1.0\r\n\r\n", data[:size]),
        b"PING\r\n",
    ]
    told = Told()
    told.receive(b"".join(map(on_the_wire, items)), [piece])
    assert told.items == items


def test_many_messages_fill_the_buffer_many_times() -> None:
    items = [(7, "chunk", "", b"", bytes([i % 256]) * 100_000) for i in range(50)]
    told = Told()
    told.receive(b"".join(map(on_the_wire, items)), [333_333])
    assert told.items == items


@given(
    st.lists(st.binary(max_size=80) | st.sampled_from([b"MSG ", b"HMSG a 1 ", b"\r\n", b" 5 3"]))
)
def test_any_bytes_are_cut_or_refused(pieces: list[bytes]) -> None:
    told = Told()
    with contextlib.suppress(ProtocolError):
        for piece in pieces:
            told.receive(piece)


def test_a_subject_may_be_of_any_bytes() -> None:
    """One message to such a subject broke the connection of everybody who watched the bucket,
    again and again."""
    told = Told()
    told.receive(b"MSG $O.b.M.\xff\xfe 1 \xc3 2\r\nab\r\nPING\r\n")
    assert told.items == [(1, "$O.b.M.\ufffd\ufffd", "\ufffd", b"", b"ab"), b"PING\r\n"]


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
def test_what_no_server_sends_is_refused(line: bytes) -> None:
    with pytest.raises(ProtocolError):
        Told().receive(line)


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
async def test_headers_are_what_nats_py_makes_of_them(head: bytes) -> None:
    assert parse_headers(head) == await Client()._process_headers(head)


@pytest.mark.parametrize("space", "\x0b\x0c\x1f\x85\u2003")
def test_only_blanks_around_a_value_are_no_part_of_it(space: str) -> None:
    """A message to a subject that ends in a form feed was listed as the object of the subject
    without it."""
    head = f"NATS/1.0\r\nNats-Subject: \t$O.b.M.YQ=={space} \r\n\r\n".encode()
    assert parse_headers(head) == {"Nats-Subject": f"$O.b.M.YQ=={space}"}


@given(st.binary(max_size=200))
def test_any_headers_are_read(head: bytes) -> None:
    headers = ParsedMessage(1, "a", "", head, b"").headers
    assert (headers is None) == (not head)
