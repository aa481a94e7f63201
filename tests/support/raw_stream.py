"""Read and write the stream of a bucket with plain JetStream requests, without jetstow.

Tests check here, independently of the store under test, that no messages are left over.
"""

from __future__ import annotations

import base64
import json
from typing import Any

from nats.aio.client import Client


async def request(nc: Client, subject: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """Send a JetStream API request and return the decoded reply, also if it is an error."""
    reply = await nc.request(f"$JS.API.{subject}", json.dumps(body or {}).encode(), timeout=5)
    decoded: dict[str, Any] = json.loads(reply.data)
    return decoded


async def create(nc: Client, bucket: str, **options: Any) -> None:
    """Create the stream of a bucket with other options. An option that is None is omitted."""
    config = {
        "name": f"OBJ_{bucket}",
        "subjects": [f"$O.{bucket}.C.>", f"$O.{bucket}.M.>"],
        "storage": "memory",
        "num_replicas": 1,
        "discard": "new",
        "allow_rollup_hdrs": True,
        "allow_direct": True,
    } | options
    config = {key: value for key, value in config.items() if value is not None}
    reply = await request(nc, f"STREAM.CREATE.OBJ_{bucket}", config)
    assert "error" not in reply, reply


async def stream_config(nc: Client, bucket: str) -> dict[str, Any]:
    """Return the configuration of the bucket's stream."""
    config: dict[str, Any] = (await request(nc, f"STREAM.INFO.OBJ_{bucket}"))["config"]
    return config


async def flush(nc: Client) -> None:
    """Wait until the server has processed everything that was sent, subscriptions too.

    nats-py's `flush` writes its PING before buffered data. The second PING comes after it.
    """
    for _ in range(2):
        await nc.flush()


async def subjects(nc: Client, bucket: str, below: str = ">") -> dict[str, int]:
    """Return every subject in the bucket with its number of messages.

    Raises: `LookupError` (the bucket does not exist).
    """
    filtered = {"subjects_filter": f"$O.{bucket}.{below}"}
    info = await request(nc, f"STREAM.INFO.OBJ_{bucket}", filtered)
    if error := info.get("error"):
        raise LookupError(f"{bucket}: {error}")
    return dict(info["state"].get("subjects") or {})


async def chunks(nc: Client, bucket: str) -> dict[str, int]:
    """Return the number of stored chunks by NUID."""
    counts = await subjects(nc, bucket, "C.>")
    return {subject.rpartition(".")[2]: count for subject, count in counts.items()}


async def names(nc: Client, bucket: str) -> dict[str, int]:
    """Return the number of metadata messages by object name, deleted objects included."""
    counts = await subjects(nc, bucket, "M.>")
    return {
        base64.urlsafe_b64decode(subject.rpartition(".")[2]).decode(
            errors="backslashreplace"
        ): count
        for subject, count in counts.items()
    }


async def consumer_count(nc: Client, bucket: str) -> int:
    """Return the number of consumers of the bucket's stream."""
    info = await request(nc, f"STREAM.INFO.OBJ_{bucket}")
    return int(info["state"]["consumer_count"])


async def metadata(nc: Client, bucket: str, name: str) -> dict[str, Any]:
    """Return the decoded JSON of the last metadata message of `name`."""
    message = await last_message(nc, bucket, meta_subject(bucket, name))
    decoded: dict[str, Any] = json.loads(base64.b64decode(message.get("data", "")))
    return decoded


async def last_message(nc: Client, bucket: str, subject: str) -> dict[str, Any]:
    """Return the last message on a subject: `seq`, `time`, and `data` and `hdrs` in base64.

    Raises: `LookupError` (the subject has no message).
    """
    reply = await request(nc, f"STREAM.MSG.GET.OBJ_{bucket}", {"last_by_subj": subject})
    if error := reply.get("error"):
        raise LookupError(f"{subject}: {error}")
    message: dict[str, Any] = reply["message"]
    return message


async def write_metadata(nc: Client, bucket: str, name: str, body: Any) -> int:
    """Publish metadata, a dict as JSON and bytes unchanged, and return its sequence."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"Nats-Rollup": "sub"}
    reply = await nc.request(meta_subject(bucket, name), data, headers=headers, timeout=5)
    return int(json.loads(reply.data)["seq"])


def meta_subject(bucket: str, name: str) -> str:
    return f"$O.{bucket}.M.{base64.urlsafe_b64encode(name.encode()).decode()}"


def chunk_subject(bucket: str, nuid: str) -> str:
    return f"$O.{bucket}.C.{nuid}"
