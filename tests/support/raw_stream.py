"""What really lies in a bucket's stream, read with plain JetStream requests.

The tests that say "nothing is left behind" ask here, not the store under test.
"""

from __future__ import annotations

import base64
import json
from typing import Any

from nats.aio.client import Client


async def request(nc: Client, subject: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """One JetStream API request; the answer, errors included, as it came."""
    answer = await nc.request(f"$JS.API.{subject}", json.dumps(body or {}).encode(), timeout=5)
    decoded: dict[str, Any] = json.loads(answer.data)
    return decoded


async def arrived(nc: Client) -> None:
    """Returns when the server has all that was sent, subscriptions too.

    nats-py's `flush` writes its question before what waits to be sent; a second one comes after.
    """
    for _ in range(2):
        await nc.flush()


async def subjects(nc: Client, bucket: str, below: str = ">") -> dict[str, int]:
    """Every subject in the bucket and how many messages are on it."""
    filtered = {"subjects_filter": f"$O.{bucket}.{below}"}
    info = await request(nc, f"STREAM.INFO.OBJ_{bucket}", filtered)
    if error := info.get("error"):
        raise LookupError(f"{bucket}: {error}")
    return dict(info["state"].get("subjects") or {})


async def chunks(nc: Client, bucket: str) -> dict[str, int]:
    """The number of chunks stored, by the NUID they were written under."""
    found = await subjects(nc, bucket, "C.>")
    return {subject.rpartition(".")[2]: count for subject, count in found.items()}


async def names(nc: Client, bucket: str) -> dict[str, int]:
    """The names that have metadata, deleted ones too, and how many messages each has."""
    found = await subjects(nc, bucket, "M.>")
    return {
        base64.urlsafe_b64decode(subject.rpartition(".")[2]).decode(
            errors="backslashreplace"
        ): count
        for subject, count in found.items()
    }


async def consumers(nc: Client, bucket: str) -> int:
    """How many consumers the bucket's stream has."""
    info = await request(nc, f"STREAM.INFO.OBJ_{bucket}")
    return int(info["state"]["consumer_count"])


async def metadata(nc: Client, bucket: str, name: str) -> dict[str, Any]:
    """The metadata message of `name`, exactly as JSON has it."""
    message = await message_on(nc, bucket, meta_subject(bucket, name))
    decoded: dict[str, Any] = json.loads(base64.b64decode(message.get("data", "")))
    return decoded


async def message_on(nc: Client, bucket: str, subject: str) -> dict[str, Any]:
    """The last message on a subject: `seq`, `data` and `hdrs` in base64, `time`."""
    answer = await request(nc, f"STREAM.MSG.GET.OBJ_{bucket}", {"last_by_subj": subject})
    if error := answer.get("error"):
        raise LookupError(f"{subject}: {error}")
    message: dict[str, Any] = answer["message"]
    return message


async def write_metadata(nc: Client, bucket: str, name: str, body: Any) -> int:
    """Publishes metadata as some other client may have: a dict as JSON, bytes as they are."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"Nats-Rollup": "sub"}
    answer = await nc.request(meta_subject(bucket, name), data, headers=headers, timeout=5)
    return int(json.loads(answer.data)["seq"])


def meta_subject(bucket: str, name: str) -> str:
    return f"$O.{bucket}.M.{base64.urlsafe_b64encode(name.encode()).decode()}"


def chunk_subject(bucket: str, nuid: str) -> str:
    return f"$O.{bucket}.C.{nuid}"
