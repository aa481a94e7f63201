"""The Rust client as a peer: `python -m tests.interop.natsrpy.peer` (`peers/process.py`).

A panic aborts the process. natsrpy 0.1.4 panics in these cases:

- The last reference to a listing, a watch or an open connection is dropped in a thread of its own
  runtime ("Cannot start a runtime from within a runtime"): by the garbage collector, or because
  Python dropped its reference first. About one of 500 listings did. Listings and connections are
  therefore kept until the process ends.
- A connection is closed shortly after a watch or a listing ("`async fn` resumed after completion").
  Connections are therefore not closed.
- The server does not create the consumer of a `get` in time (nats.rs issue 1615).
"""

from __future__ import annotations

import asyncio
import base64
import io
import json
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import natsrpy
from natsrpy.exceptions import NatsrpySessionError
from natsrpy.js import ObjectInfo, ObjectStore, ObjectStoreConfig

from tests.support.peers import PeerInfo, header_lists

MAX_LINE = 2**26
TIMEOUT = timedelta(seconds=30)

kept: list[Any] = []


class Operations:
    def __init__(self) -> None:
        self._changes: AsyncIterator[ObjectInfo] | None = None

    async def open(self, url: str) -> None:
        connection = natsrpy.Nats(addrs=[url])
        kept.append(connection)
        await connection.startup()
        self._stores = (await connection.jetstream(timeout=TIMEOUT)).object_store

    async def close(self) -> None:
        self._changes = None

    async def create(self, bucket: str) -> None:
        await self._stores.create(ObjectStoreConfig(bucket=bucket))

    async def put(
        self, bucket: str, name: str, data: str, chunk_size: int | None = None, **meta: Any
    ) -> None:
        store = await self._stores.get(bucket)
        # Its own default is 24 KiB.
        options: dict[str, Any] = {"chunk_size": chunk_size} if chunk_size else {}
        await store.put(name, base64.b64decode(data), **meta, **options)

    async def get(self, bucket: str, name: str) -> str | None:
        store = await self._stores.get(bucket)
        into = io.BytesIO()
        try:
            await store.get(name, into)
        except NatsrpySessionError as error:
            if "not found" in str(error):
                return None
            raise
        return base64.b64encode(into.getvalue()).decode()

    async def info(self, bucket: str, name: str) -> dict[str, Any] | None:
        store = await self._stores.get(bucket)
        try:
            return fields(await store.get_info(name))
        except NatsrpySessionError as error:
            if "not found" in str(error):
                return None
            raise

    async def list(self, bucket: str) -> list[dict[str, Any]]:
        store = await self._stores.get(bucket)
        listing = await store.list()
        kept.append(listing)
        return [fields(info) async for info in listing]

    async def delete(self, bucket: str, name: str) -> None:
        store = await self._stores.get(bucket)
        await store.delete(name)

    async def link(self, bucket: str, name: str, target: str, target_bucket: str) -> None:
        store: ObjectStore = await self._stores.get(bucket)
        assert target_bucket == bucket, "it creates links within a bucket only"
        await store.link_object(target, name)

    async def link_bucket(self, bucket: str, name: str, target_bucket: str) -> None:
        store = await self._stores.get(bucket)
        await store.link_bucket(target_bucket, name)

    async def describe(self, bucket: str, name: str, description: str) -> None:
        store = await self._stores.get(bucket)
        info = await store.get_info(name)
        await store.update_metadata(
            name, description=description, headers=info.headers, metadata=info.metadata
        )

    async def rename(self, bucket: str, name: str, new_name: str) -> None:
        store = await self._stores.get(bucket)
        info = await store.get_info(name)
        await store.update_metadata(
            name,
            new_name=new_name,
            description=info.description,
            headers=info.headers,
            metadata=info.metadata,
        )

    async def seal(self, bucket: str) -> None:
        store = await self._stores.get(bucket)
        await store.seal()

    async def watch(self, bucket: str) -> None:
        store = await self._stores.get(bucket)
        self._changes = await store.watch()

    async def next(self) -> dict[str, Any] | None:
        assert self._changes is not None
        info = await anext(self._changes, None)
        return fields(info) if info else None

    async def unwatch(self) -> None:
        self._changes = None


def fields(info: ObjectInfo) -> dict[str, Any]:
    link = info.link
    return asdict(
        PeerInfo(
            name=info.name,
            bucket=info.bucket,
            nuid=info.nuid,
            size=info.size,
            chunks=info.chunks,
            digest=info.digest or "",
            deleted=info.deleted,
            description=info.description or "",
            headers=header_lists(info.headers),
            metadata=info.metadata,
            link=(link.bucket, link.name or "") if link else None,
            chunk_size=info.max_chunk_size or 0,
        )
    )


async def answer(operations: Operations, request: dict[str, Any]) -> None:
    reply = {"id": request["id"]}
    try:
        reply["value"] = await getattr(operations, request["op"])(**request["args"])
    except Exception as error:  # noqa: BLE001 - the test decides what an error means
        reply["error"] = str(error) or repr(error)
    sys.stdout.write(json.dumps(reply) + "\n")
    sys.stdout.flush()


async def main() -> None:
    requests = asyncio.StreamReader(limit=MAX_LINE)
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(requests), sys.stdin
    )
    operations = Operations()
    answers = set()
    async for line in requests:
        task = asyncio.create_task(answer(operations, json.loads(line)))
        answers.add(task)
        task.add_done_callback(answers.discard)
    # Not a regular end, which drops what `kept` holds.
    os._exit(0)


if __name__ == "__main__":
    asyncio.run(main())
