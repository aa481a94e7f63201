"""The fuzz targets: one function per parser, with properties that must hold for all bytes.

A target catches the errors that its parser may raise for invalid input. Any other exception is a
finding.
"""

from __future__ import annotations

import atexit
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from fuzz import console, encryption, frames, s3_documents, s3_settings, s3_signatures
from jetstow import _nats_context
from jetstow._core.protocol import digest, subjects
from jetstow._core.protocol.message import status
from jetstow._core.protocol.metadata import _decode_any, decode_info, encode_info
from jetstow._core.protocol.msg_metadata import MsgMetadata
from jetstow._core.protocol.parser import ParsedMessage, parse_headers
from jetstow._core.read.direct_get import parse_message
from jetstow._core.read.windows import NoDirectGetError
from jetstow._core.write.unacked import UnackedChunks
from jetstow._embedded.home_dir import HomeDir
from jetstow.errors import BadObjectMetaError, ContextError, InvalidObjectNameError, JetstowError
from jetstow.models import ObjectInfo

Check = Callable[[bytes], None]

DIRECT_GET_HEADERS: Final = (
    b"Nats-Stream: OBJ_b\r\nNats-Subject: $O.b.C.x\r\nNats-Sequence: 7\r\n"
    b"Nats-Time-Stamp: 2026-01-02T03:04:05.6Z\r\nNats-Num-Pending: 3\r\n"
    b"Nats-Last-Sequence: 9\r\n\r\n"
)


@dataclass(frozen=True)
class Parser:
    """A parser: its target, and seeds that resemble regular input."""

    check: Check
    seeds: tuple[bytes, ...]


def metadata(data: bytes) -> None:
    """Both decoders agree, and decoded metadata survives a round trip."""

    def result(decode: Callable[[], ObjectInfo]) -> object:
        try:
            return decode()
        except BadObjectMetaError as error:
            return str(error)

    info = result(lambda: decode_info("b", "n", data, revision=7, mtime="t"))
    assert info == result(lambda: _decode_any("b", "n", data, 7, "t"))
    if isinstance(info, str):
        assert info.startswith("metadata of object 'n' in bucket 'b' cannot be read: ")
        assert len(info) < 300
    elif isinstance(info, ObjectInfo):
        assert subjects.chunk_subject("b", info.nuid).count(".") == 3
        assert not set(info.nuid) & set(" .*>\r\n\t\0")
        again = decode_info("b", "n", encode_info(info), revision=7, mtime="t")
        assert encode_info(again) == encode_info(info)
        marker = encode_info(replace(info, deleted=True))
        assert decode_info("b", "n", marker, revision=7, mtime="t").deleted


def digests(data: bytes) -> None:
    """A digest is 32 bytes or None in every spelling."""
    text = data.decode("utf-8", "surrogateescape")
    for written in (text, f"SHA-256={text}"):
        raw = digest.parse_digest(written)
        assert raw is None or len(raw) == 32
        digest.Digest().matches(written)


def headers(data: bytes) -> None:
    """Headers are strings by name, and the status is a number or None."""
    found = parse_headers(data)
    assert all(isinstance(text, str) for pair in found.items() for text in pair)
    frame = ParsedMessage(1, "a", "", data, b"")
    assert (frame.headers or {}) == (found if data else {})
    code = status(frame)
    assert code is None or code >= 0
    assert status(ParsedMessage(1, "a", "$JS.ACK.x", data, b"")) is None


def direct(data: bytes) -> None:
    """The fast path of Direct Get replies agrees with the general header parser."""
    frame = ParsedMessage(1, "a", "", data, b"data")
    for head in (data, b"NATS/1.0\r\n" + data + DIRECT_GET_HEADERS):
        frame = ParsedMessage(1, "a", "", head, b"data")
        try:
            piece = parse_message(frame, 0)
        except NoDirectGetError:
            assert not head.endswith(DIRECT_GET_HEADERS)
            continue
        parsed = parse_headers(head)
        assert piece.seq == int(parsed["Nats-Sequence"])
        assert piece.pending == int(parsed["Nats-Num-Pending"])
        if head.endswith(DIRECT_GET_HEADERS):
            assert (piece.seq, piece.pending, piece.subject) == (7, 3, "$O.b.C.x")


def msg_metadata(data: bytes) -> None:
    """A reply subject raises ValueError, or has valid numbers and a valid time."""
    reply = data.decode("utf-8", "replace")
    try:
        result = MsgMetadata.parse(reply)
    except ValueError:
        return
    assert reply.startswith("$JS.ACK.")
    assert min(result.stream_seq, result.consumer_seq, result.time, result.pending) >= 0
    assert result.timestamp.endswith("Z")


def object_names(data: bytes) -> None:
    """Names and subjects convert into each other without loss, or not at all."""
    text = data.decode("utf-8", "surrogateescape")
    name = subjects.object_name("b", text)
    assert name is None or subjects.meta_subject("b", name) == text
    name = subjects.object_name("b", f"$O.b.M.{text}")
    assert name is None or subjects.meta_subject("b", name) == f"$O.b.M.{text}"
    with suppress(InvalidObjectNameError):
        checked = subjects.check_object_name("b", text)
        assert subjects.object_name("b", subjects.meta_subject("b", checked)) == checked
    with suppress(JetstowError):
        bucket = subjects.check_bucket_name(text)
        assert subjects.bucket_name(subjects.stream_name(bucket)) == bucket


def unacked(data: bytes) -> None:
    """The counts of buffered and stored chunks add up after acknowledgements in any order."""
    chunks, size = UnackedChunks(), 0
    for step in zip(data[::3], data[1::3], data[2::3], strict=False):
        action, number, seq = step
        match action % 5:
            case 0:
                chunks.add(memoryview(bytes(seq)))
                size += seq
            case 1:
                size -= chunks.acknowledge(number % 16, action // 128, seq)
            case 2:
                chunks.refuse(number)
            case 3:
                assert all(wrong <= chunks.last_seq for wrong in chunks.take_misplaced().values())
            case 4:
                assert chunks.restart() == tuple(chunks.chunks)
        assert size == chunks.size >= 0
        assert 0 <= chunks.stored <= chunks.sent == chunks.stored + len(chunks.chunks)


_HOME: Final = Path(tempfile.mkdtemp(prefix="jetstow-fuzz-"))
atexit.register(shutil.rmtree, _HOME, ignore_errors=True)


def context(data: bytes) -> None:
    """A context file gives options or a `ContextError`."""
    folder = _HOME / "nats" / "context"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "demo.json").write_bytes(data)
    (_HOME / "nats" / "context.txt").write_bytes(data[:6] if data[:1] == b"d" else b"demo")
    before = dict(os.environ)
    os.environ |= {"XDG_CONFIG_HOME": str(_HOME), "HOME": str(_HOME)}
    os.environ.pop("NATS_CONTEXT", None)
    try:
        found = _nats_context.load_selected()
    except ContextError as error:
        found, text = None, str(error)
    else:
        text = ""
    finally:
        os.environ.clear()
        os.environ.update(before)
    assert "hunter2" not in text, "an error message contains a secret"
    assert found is None or isinstance(found.options["servers"], list)


def home_dir(data: bytes) -> None:
    """Files that a server left behind give valid settings or None."""
    folder = HomeDir(_HOME)
    folder.config_file.write_bytes(data)
    folder.pid_file.write_bytes(data)
    settings = folder.read_settings()
    assert settings is None or (0 < settings.port < 65_536 and settings.token)
    pid = folder.read_pid_file()
    assert pid is None or pid > 1


_META: Final = {
    "name": "n", "description": "d", "headers": {"A": ["1", "2"], "B": "3"}, "metadata": {"k": "v"},
    "options": {"max_chunk_size": 10, "link": {"bucket": "b", "name": "x"}}, "bucket": "b",
    "nuid": "abc", "size": 3, "chunks": 1, "digest": "SHA-256=x", "deleted": False, "other": [7],
}  # fmt: skip
_CONTEXT: Final = {
    "url": "nats://demo:4222, tls://b", "token": "t", "user": "u", "password": "hunter2",
    "creds": "~/x", "nkey": "file:///x", "ca": "$HOME/ca", "cert": "c", "key": "k",
    "user_jwt": "e", "user_seed": "SU", "tls_first": True, "inbox_prefix": "_X",
    "jetstream_domain": "hub",
}  # fmt: skip

PARSERS: Final = {
    "metadata": Parser(
        metadata,
        (
            json.dumps(_META).encode(),
            json.dumps({**_META, "options": None}).encode(),
            b'{"nuid":"a","size":1e2,"deleted":null,"x":[{}]}',
        ),
    ),
    "digests": Parser(
        digests,
        (
            b"LPJNul-wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=",
            b"sha-256=LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ",
        ),
    ),
    "parser": Parser(frames.check, frames.SEEDS),
    "encryption_header": Parser(encryption.check_header, encryption.HEADER_SEEDS),
    "preamble": Parser(encryption.check_preamble, encryption.PREAMBLE_SEEDS),
    "s3_signature": Parser(s3_signatures.check_signature, s3_signatures.SIGNATURE_SEEDS),
    "s3_aws_chunked": Parser(s3_signatures.check_aws_chunked, s3_signatures.CHUNKED_SEEDS),
    "s3_form": Parser(s3_documents.check_form, s3_documents.FORM_SEEDS),
    "s3_policy": Parser(s3_documents.check_policy, s3_documents.POLICY_SEEDS),
    "s3_bucket_policy": Parser(s3_settings.check_bucket_policy, s3_settings.POLICY_SEEDS),
    "s3_website": Parser(s3_settings.check_website, s3_settings.WEBSITE_SEEDS),
    "s3_xml": Parser(s3_documents.check_xml, s3_documents.XML_SEEDS),
    "console_tokens": Parser(console.check_tokens, console.TOKEN_SEEDS),
    "console_archive": Parser(console.check_archive, console.ARCHIVE_SEEDS),
    "console_csv": Parser(console.check_csv, console.CSV_SEEDS),
    "headers": Parser(
        headers, (b"NATS/1.0 404 No Messages\r\n\r\n", b"NATS/1.0\r\nStatus: 100\r\nA:b\r\n\r\n")
    ),
    "direct": Parser(
        direct, (b"NATS/1.0\r\n" + DIRECT_GET_HEADERS, b"NATS/1.0\r\nA: b\r\n" + DIRECT_GET_HEADERS)
    ),
    "msg_metadata": Parser(
        msg_metadata,
        (
            b"$JS.ACK.OBJ_b.c.1.5.2.1700000000123456789.7",
            b"$JS.ACK.hub.A.OBJ_b.c.1.5.2.1700000000123456789.7.x",
        ),
    ),
    "subjects": Parser(object_names, (b"$O.b.M.YQ==", "größe/\U0001f680".encode(), b"YQ==")),
    "unacked": Parser(unacked, (bytes([0, 0, 9, 0, 0, 8, 1, 1, 5, 1, 0, 4, 3, 0, 0, 4, 0, 0]),)),
    "contexts": Parser(
        context, (json.dumps(_CONTEXT).encode(), b'{"creds": "/dev/null", "url": ""}', b"demo")
    ),
    "home_dir": Parser(
        home_dir,
        (b'{"port": 4222, "authorization": {"token": "hunter2"}}', b"1234\n"),
    ),
}
