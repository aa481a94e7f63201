"""Buckets as ADR-20 has them, made and filled message by message, the same for every client."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from benchmarks.bare import Buffer, Wire

CHUNK = 128 << 10
WINDOW = 8 << 20  # unacknowledged bytes of a put
BATCH = 4 << 20  # bytes asked for by one direct get of many messages; two are in flight

NUID = "ThisIsTheBenchmarksOne"
OBJECT = "object"
ROLLUP = b"NATS/1.0\r\nNats-Rollup: sub\r\n\r\n"


def create(wire: Wire, bucket: str, *, storage: str = "file", replicas: int = 1) -> str:
    """Make a bucket as jetstow makes it.

    Returns the name of the node that leads it, empty for a single server.
    """
    config = {
        "name": f"OBJ_{bucket}",
        "subjects": [f"$O.{bucket}.C.>", f"$O.{bucket}.M.>"],
        "storage": storage,
        "num_replicas": replicas,
        "discard": "new",
        "allow_rollup_hdrs": True,
        "allow_direct": True,
    }
    made = wire.api(f"STREAM.CREATE.OBJ_{bucket}", config)
    return str((made.get("cluster") or {}).get("leader") or "")


def delete(wire: Wire, bucket: str) -> None:
    """Remove a bucket."""
    wire.api(f"STREAM.DELETE.OBJ_{bucket}")


def digest_field(digest: bytes) -> str:
    """A digest as metadata has it."""
    return "SHA-256=" + base64.urlsafe_b64encode(digest).decode()


def chunk_subject(bucket: str, nuid: str = NUID) -> bytes:
    return f"$O.{bucket}.C.{nuid}".encode()


def meta_subject(bucket: str, name: str) -> bytes:
    return f"$O.{bucket}.M.{base64.urlsafe_b64encode(name.encode()).decode()}".encode()


def publish_chunks(wire: Wire, subject: bytes, chunks: Iterable[Buffer]) -> int:
    """Publish with a window of unacknowledged bytes; return how many chunks there were.

    Returns when the last acknowledgement is there.
    """
    in_flight = count = 0
    for chunk in chunks:
        while in_flight >= WINDOW // CHUNK:
            wire.answer()
            in_flight -= 1
        wire.publish(subject, chunk)
        in_flight += 1
        count += 1
    for _ in range(in_flight):
        wire.answer()
    return count


def drain_chunks(
    wire: Wire, bucket: str, count: int, use: Callable[[memoryview], object] | None = None
) -> int:
    """Read the first `count` messages of a bucket by batched direct gets; return the bytes.

    Two batches are in flight. `use` gets the payloads piece by piece. Raises `RuntimeError`
    if a batch has less in it than it should have.
    """
    step = BATCH // CHUNK
    starts = iter(range(1, count + 1, step))
    asked = sum(_ask_batch(wire, bucket, start, count) for start in islice(starts, 2))
    size = seen = 0
    while seen < count:
        message = wire.message()
        if message.status == b"204":
            wire.skip(message)
            asked += sum(_ask_batch(wire, bucket, start, count) for start in islice(starts, 1))
            continue
        if message.status:
            raise RuntimeError(f"the server answered {message.header!r}")
        seen += 1
        size += message.size
        if use is None:
            wire.skip(message)
        else:
            for piece in wire.pieces(message):
                use(piece)
    if asked != seen:
        raise RuntimeError(f"asked for {asked} messages, got {seen}")
    return size


def _ask_batch(wire: Wire, bucket: str, start: int, count: int) -> int:
    size = min(BATCH // CHUNK, count - start + 1)
    # With room for the headers, so that `max_bytes` does not end a batch before its time.
    wanted = {"seq": start, "next_by_subj": chunk_subject(bucket).decode(), "batch": size}
    wanted["max_bytes"] = size * (CHUNK + 1024)
    wire.publish(f"$JS.API.DIRECT.GET.OBJ_{bucket}".encode(), json.dumps(wanted).encode())
    return size


def chunks_of(block: bytes, size: int) -> Iterator[memoryview]:
    """`size` bytes of a block repeated, cut into chunks."""
    view = memoryview(block)
    for start in range(0, size, CHUNK):
        at = start % len(block)
        yield view[at : at + min(CHUNK, size - start)]


def seed(wire: Wire, bucket: str, block: bytes, size: int) -> None:
    """Store one object, named `OBJECT`, of a block repeated."""
    digest = hashlib.sha256()
    for chunk in chunks_of(block, size):
        digest.update(chunk)
    count = publish_chunks(wire, chunk_subject(bucket), chunks_of(block, size))
    described = _metadata(bucket, OBJECT, NUID, size, count, digest_field(digest.digest()))
    wire.publish(meta_subject(bucket, OBJECT), described, ROLLUP)
    wire.answer()


def fill(wire: Wire, bucket: str, count: int) -> None:
    """Store the metadata of many objects, as if each had one chunk of 1 KiB."""
    digest = digest_field(hashlib.sha256(b"").digest())
    in_flight = 0
    for number in range(count):
        if in_flight == 512:
            wire.answer()
            in_flight -= 1
        name = f"folder-{number % 100:02}/object-{number:06}"
        described = _metadata(bucket, name, f"{number:022}", 1024, 1, digest)
        wire.publish(meta_subject(bucket, name), described, ROLLUP)
        in_flight += 1
    for _ in range(in_flight):
        wire.answer()


def _metadata(bucket: str, name: str, nuid: str, size: int, chunks: int, digest: str) -> bytes:
    fields: dict[str, Any] = {
        "name": name,
        "options": {"max_chunk_size": CHUNK},
        "bucket": bucket,
        "nuid": nuid,
        "size": size,
        "mtime": "0001-01-01T00:00:00Z",
        "chunks": chunks,
        "digest": digest,
    }
    return json.dumps(fields).encode()
