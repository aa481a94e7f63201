"""Objects made, and damaged, message by message: as other clients and accidents leave them."""

from __future__ import annotations

import base64
import json
from typing import Any

from nats.aio.client import Client
from nats.nuid import NUID

from tests.support import raw_stream
from tests.support.samples import digest_of

_nuids = NUID()


async def write_chunks(nc: Client, bucket: str, chunks: list[bytes], nuid: str = "") -> str:
    """Publishes chunks, one after another; returns the NUID that they lie under."""
    nuid = nuid or _nuids.next().decode()
    subject = raw_stream.chunk_subject(bucket, nuid)
    for chunk in chunks[:-1]:
        await nc.publish(subject, chunk)
    for chunk in chunks[-1:]:  # the server stores in order, so its answer is for all of them
        answer = await nc.request(subject, chunk, timeout=5)
        assert "error" not in json.loads(answer.data)
    return nuid


async def write_object(
    nc: Client, bucket: str, name: str, pieces: list[bytes], /, **fields: Any
) -> dict[str, Any]:
    """Publishes an object with just these pieces as its chunks; returns its metadata.

    `fields` are added to the metadata, or left out of it where they are None.
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


async def change_metadata(nc: Client, bucket: str, name: str, /, **fields: Any) -> int:
    """Publishes an object's metadata again, with other fields; None leaves one out."""
    body = await raw_stream.metadata(nc, bucket, name) | fields
    body = {key: value for key, value in body.items() if value is not None}
    return await raw_stream.write_metadata(nc, bucket, name, body)


async def sequences(nc: Client, bucket: str, nuid: str) -> list[int]:
    """Where the chunks of an object lie in the stream."""
    found: list[int] = []
    subject = raw_stream.chunk_subject(bucket, nuid)
    while True:
        which = {"seq": found[-1] + 1 if found else 1, "next_by_subj": subject}
        answer = await raw_stream.request(nc, f"STREAM.MSG.GET.OBJ_{bucket}", which)
        if "error" in answer:
            return found
        found.append(answer["message"]["seq"])


async def lose_chunks(nc: Client, bucket: str, nuid: str, *which: int) -> None:
    """Deletes chunks of an object, by their places in it."""
    places = await sequences(nc, bucket, nuid)
    for index in which:
        answer = await raw_stream.request(
            nc, f"STREAM.MSG.DELETE.OBJ_{bucket}", {"seq": places[index]}
        )
        assert answer["success"]


async def lose_all_chunks(nc: Client, bucket: str, nuid: str) -> None:
    subject = raw_stream.chunk_subject(bucket, nuid)
    answer = await raw_stream.request(nc, f"STREAM.PURGE.OBJ_{bucket}", {"filter": subject})
    assert answer["success"]


async def read_message(nc: Client, bucket: str, seq: int) -> bytes:
    answer = await raw_stream.request(nc, f"STREAM.MSG.GET.OBJ_{bucket}", {"seq": seq})
    return base64.b64decode(answer["message"]["data"])


async def configure(nc: Client, bucket: str, **options: Any) -> None:
    """Changes the configuration of the bucket's stream, behind the back of who has it open."""
    info = await raw_stream.request(nc, f"STREAM.INFO.OBJ_{bucket}")
    answer = await raw_stream.request(nc, f"STREAM.UPDATE.OBJ_{bucket}", info["config"] | options)
    assert "error" not in answer, answer
