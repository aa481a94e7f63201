"""Create and damage objects message by message, as other clients or failures leave them."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from typing import Any

from nats.aio.client import Client
from nats.nuid import NUID

from tests.support import raw_stream
from tests.support.samples import digest_of

_nuids = NUID()


async def write_chunks(nc: Client, bucket: str, chunks: list[bytes], nuid: str = "") -> str:
    """Publish chunks in order and return their NUID."""
    nuid = nuid or _nuids.next().decode()
    subject = raw_stream.chunk_subject(bucket, nuid)
    for chunk in chunks[:-1]:
        await nc.publish(subject, chunk)
    for chunk in chunks[-1:]:  # the server stores in order: one reply acknowledges all chunks
        reply = await nc.request(subject, chunk, timeout=5)
        assert "error" not in json.loads(reply.data)
    return nuid


async def write_object(
    nc: Client, bucket: str, name: str, pieces: list[bytes], /, **fields: Any
) -> dict[str, Any]:
    """Publish an object with these pieces as its chunks and return its metadata.

    `fields` are added to the metadata. A field that is None is omitted.
    """
    data = b"".join(pieces)
    body: dict[str, Any] = {
        "name": name,
        "bucket": bucket,
        "nuid": await write_chunks(nc, bucket, pieces),
        "size": len(data),
        "chunks": len(pieces),
        "digest": digest_of(data),
    } | fields
    body = {key: value for key, value in body.items() if value is not None}
    await raw_stream.write_metadata(nc, bucket, name, body)
    return body


async def write_names(nc: Client, bucket: str, names: Iterable[str]) -> None:
    """Publish many empty objects, by their metadata only, without a reply to each."""
    for number, name in enumerate(names):
        body = {"name": name, "bucket": bucket, "nuid": f"nuid{number}", "size": 0, "chunks": 0}
        await nc.publish(raw_stream.meta_subject(bucket, name), json.dumps(body).encode())
    await raw_stream.flush(nc)


async def change_metadata(nc: Client, bucket: str, name: str, /, **fields: Any) -> int:
    """Publish an object's metadata again with other fields. A field that is None is omitted."""
    body = await raw_stream.metadata(nc, bucket, name) | fields
    body = {key: value for key, value in body.items() if value is not None}
    return await raw_stream.write_metadata(nc, bucket, name, body)


async def chunk_sequences(nc: Client, bucket: str, nuid: str) -> list[int]:
    """Return the stream sequences of an object's chunks."""
    result: list[int] = []
    subject = raw_stream.chunk_subject(bucket, nuid)
    while True:
        body = {"seq": result[-1] + 1 if result else 1, "next_by_subj": subject}
        reply = await raw_stream.request(nc, f"STREAM.MSG.GET.OBJ_{bucket}", body)
        if "error" in reply:
            return result
        result.append(reply["message"]["seq"])


async def delete_chunks(nc: Client, bucket: str, nuid: str, *indices: int) -> None:
    """Delete chunks of an object by their index in it."""
    sequences = await chunk_sequences(nc, bucket, nuid)
    for index in indices:
        reply = await raw_stream.request(
            nc, f"STREAM.MSG.DELETE.OBJ_{bucket}", {"seq": sequences[index]}
        )
        assert reply["success"]


async def delete_all_chunks(nc: Client, bucket: str, nuid: str) -> None:
    subject = raw_stream.chunk_subject(bucket, nuid)
    reply = await raw_stream.request(nc, f"STREAM.PURGE.OBJ_{bucket}", {"filter": subject})
    assert reply["success"]


async def read_message(nc: Client, bucket: str, seq: int) -> bytes:
    reply = await raw_stream.request(nc, f"STREAM.MSG.GET.OBJ_{bucket}", {"seq": seq})
    return base64.b64decode(reply["message"]["data"])


async def update_stream(nc: Client, bucket: str, **options: Any) -> None:
    """Change the configuration of the bucket's stream without the store under test."""
    config = await raw_stream.stream_config(nc, bucket)
    reply = await raw_stream.request(nc, f"STREAM.UPDATE.OBJ_{bucket}", config | options)
    assert "error" not in reply, reply
