"""Buckets of ADR-20, created and filled message by message, the same for every client."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from benchmarks.socket_client import Buffer, SocketClient

CHUNK = 128 << 10
WINDOW = 8 << 20  # unacknowledged bytes of a put
BATCH = 4 << 20  # bytes of a batched Direct Get; two are in flight

NUID = "ThisIsTheBenchmarksOne"
OBJECT = "object"
ROLLUP = b"NATS/1.0\r\nNats-Rollup: sub\r\n\r\n"


def create(nc: SocketClient, bucket: str, *, storage: str = "file", replicas: int = 1) -> str:
    """Create a bucket with jetstow's configuration.

    Returns: the name of its leader, or "" for a single server.
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
    made = nc.api_request(f"STREAM.CREATE.OBJ_{bucket}", config)
    return str((made.get("cluster") or {}).get("leader") or "")


def delete(nc: SocketClient, bucket: str) -> None:
    """Remove a bucket."""
    nc.api_request(f"STREAM.DELETE.OBJ_{bucket}")


def digest_field(digest: bytes) -> str:
    """Return a digest in the format of the metadata."""
    return "SHA-256=" + base64.urlsafe_b64encode(digest).decode()


def chunk_subject(bucket: str, nuid: str = NUID) -> bytes:
    return f"$O.{bucket}.C.{nuid}".encode()


def meta_subject(bucket: str, name: str) -> bytes:
    return f"$O.{bucket}.M.{base64.urlsafe_b64encode(name.encode()).decode()}".encode()


def publish_chunks(nc: SocketClient, subject: bytes, chunks: Iterable[Buffer]) -> int:
    """Publish chunks with a window of unacknowledged bytes, and wait for all acknowledgements.

    Returns: the number of chunks.
    """
    in_flight = count = 0
    for chunk in chunks:
        while in_flight >= WINDOW // CHUNK:
            nc.reply()
            in_flight -= 1
        nc.publish(subject, chunk)
        in_flight += 1
        count += 1
    for _ in range(in_flight):
        nc.reply()
    return count


def drain_chunks(
    nc: SocketClient, bucket: str, count: int, use: Callable[[memoryview], object] | None = None
) -> int:
    """Read the first `count` messages of a bucket by batched Direct Gets, two in flight.

    `use` is called with the pieces of the payloads. Returns the number of bytes.

    Raises: `RuntimeError` (a batch is incomplete).
    """
    step = BATCH // CHUNK
    starts = iter(range(1, count + 1, step))
    asked = sum(_request_batch(nc, bucket, start, count) for start in islice(starts, 2))
    size = seen = 0
    while seen < count:
        message = nc.message()
        if message.status == b"204":
            nc.skip(message)
            asked += sum(_request_batch(nc, bucket, start, count) for start in islice(starts, 1))
            continue
        if message.status:
            raise RuntimeError(f"the server replied {message.header!r}")
        seen += 1
        size += message.size
        if use is None:
            nc.skip(message)
        else:
            for piece in nc.payload(message):
                use(piece)
    if asked != seen:
        raise RuntimeError(f"asked for {asked} messages, got {seen}")
    return size


def _request_batch(nc: SocketClient, bucket: str, start: int, count: int) -> int:
    size = min(BATCH // CHUNK, count - start + 1)
    # Add the size of the headers, so that `max_bytes` does not end a batch early.
    body = {"seq": start, "next_by_subj": chunk_subject(bucket).decode(), "batch": size}
    body["max_bytes"] = size * (CHUNK + 1024)
    nc.publish(f"$JS.API.DIRECT.GET.OBJ_{bucket}".encode(), json.dumps(body).encode())
    return size


def chunks_of(block: bytes, size: int) -> Iterator[memoryview]:
    """Yield `size` bytes of a repeated block in chunks."""
    view = memoryview(block)
    for start in range(0, size, CHUNK):
        at = start % len(block)
        yield view[at : at + min(CHUNK, size - start)]


def put_object(nc: SocketClient, bucket: str, block: bytes, size: int) -> None:
    """Store one object, named `OBJECT`, of a repeated block."""
    digest = hashlib.sha256()
    for chunk in chunks_of(block, size):
        digest.update(chunk)
    count = publish_chunks(nc, chunk_subject(bucket), chunks_of(block, size))
    described = _metadata(bucket, OBJECT, NUID, size, count, digest_field(digest.digest()))
    nc.publish(meta_subject(bucket, OBJECT), described, ROLLUP)
    nc.reply()


def put_names(nc: SocketClient, bucket: str, count: int) -> None:
    """Store the metadata of `count` objects, as if each had one chunk of 1 KiB."""
    digest = digest_field(hashlib.sha256(b"").digest())
    in_flight = 0
    for number in range(count):
        if in_flight == 512:
            nc.reply()
            in_flight -= 1
        name = f"folder-{number % 100:02}/object-{number:06}"
        described = _metadata(bucket, name, f"{number:022}", 1024, 1, digest)
        nc.publish(meta_subject(bucket, name), described, ROLLUP)
        in_flight += 1
    for _ in range(in_flight):
        nc.reply()


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
