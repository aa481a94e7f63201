"""nats.js (npm `@nats-io/obj`) in a node process that reads and writes lines of JSON."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import shutil
import subprocess
import threading
from collections.abc import AsyncGenerator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from tests.support.peers import NO_META, PeerError, PeerInfo, PeerMeta, header_lists
from tests.support.servers import die_with_parent

FOLDER = Path(__file__).resolve().parents[2] / "interop" / "js"


class MissingPeerError(RuntimeError):
    """node or the client's packages are not installed. The test fails; it is not skipped."""


class NodeProcess:
    """The node process. `NatsJs` opens and closes connections in it."""

    def __init__(self) -> None:
        node = shutil.which("node")
        if node is None or not (FOLDER / "node_modules" / "@nats-io" / "obj").exists():
            raise MissingPeerError("the JavaScript client is not installed: run `make peers`")
        command = [*die_with_parent(), node, str(FOLDER / "peer.mjs")]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=FOLDER
        )
        self._numbers = itertools.count()
        self._waiting: dict[int, Future[Any]] = {}
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    async def request(self, op: str, **args: Any) -> Any:
        """Run an operation of `peer.mjs` and return its result.

        Raises: `PeerError` (with the client's message).
        """
        number = next(self._numbers)
        reply = self._waiting[number] = Future()
        stdin = self._process.stdin
        if stdin is None or not self._reader.is_alive():
            raise PeerError(f"node ended with {self._process.wait()}")
        stdin.write(json.dumps({"id": number, "op": op, "args": args}).encode() + b"\n")
        stdin.flush()
        return await asyncio.wrap_future(reply)

    def _read(self) -> None:
        for line in self._process.stdout or ():
            reply = json.loads(line)
            waiting = self._waiting.pop(reply["id"])
            if not waiting.set_running_or_notify_cancel():
                continue
            if "error" in reply:
                waiting.set_exception(PeerError(reply["error"]))
            else:
                waiting.set_result(reply["value"])
        for waiting in list(self._waiting.values()):
            waiting.set_exception(PeerError("node ended"))

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        self._reader.join()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()


class NatsJs:
    name = "nats.js"
    has_metadata = True
    has_links = True
    # It encodes names as Latin-1 and rejects other characters.
    encodes_names_as_utf8 = False
    can_rename = True
    # Its `link` and `update` publish without a rollup.
    rolls_up_metadata = False

    def __init__(self, node: NodeProcess) -> None:
        self._request = node.request

    async def open(self, url: str) -> None:
        await self._request("open", url=url)

    async def close(self) -> None:
        await self._request("close")

    async def create(self, bucket: str, *, batched: bool = False) -> None:
        await self._request("create", bucket=bucket, batched=batched)

    async def put(
        self,
        bucket: str,
        name: str,
        data: bytes,
        meta: PeerMeta = NO_META,
        *,
        batched: bool = False,
    ) -> None:
        """Put an object; `batched` uses fast ingest, an undocumented option of the client."""
        await self._request(
            "put",
            bucket=bucket,
            name=name,
            data=base64.b64encode(data).decode(),
            batched=batched,
            **_meta_fields(meta),
        )

    async def get(self, bucket: str, name: str) -> bytes | None:
        data = await self._request("get", bucket=bucket, name=name)
        return None if data is None else base64.b64decode(data)

    async def info(self, bucket: str, name: str) -> PeerInfo | None:
        info = await self._request("info", bucket=bucket, name=name)
        return _peer_info(info) if info else None

    async def list(self, bucket: str) -> list[PeerInfo]:
        return [_peer_info(info) for info in await self._request("list", bucket=bucket)]

    async def delete(self, bucket: str, name: str) -> None:
        await self._request("delete", bucket=bucket, name=name)

    async def link(self, bucket: str, name: str, target: str) -> None:
        await self._request("link", bucket=bucket, name=name, target_bucket=bucket, target=target)

    async def link_bucket(self, bucket: str, name: str, target_bucket: str) -> None:
        await self._request("link_bucket", bucket=bucket, name=name, target_bucket=target_bucket)

    async def describe(self, bucket: str, name: str, description: str) -> None:
        # `update` drops the fields that it does not get, except the headers.
        info = await self.info(bucket, name)
        metadata = info.metadata if info else None
        await self._request(
            "update", bucket=bucket, name=name, description=description, metadata=metadata
        )

    async def rename(self, bucket: str, name: str, new_name: str) -> None:
        info = await self.info(bucket, name)
        fields = {"description": info.description, "metadata": info.metadata} if info else {}
        await self._request("update", bucket=bucket, name=name, new_name=new_name, **fields)

    async def seal(self, bucket: str) -> None:
        await self._request("seal", bucket=bucket)

    async def watch(self, bucket: str) -> AsyncGenerator[PeerInfo | None]:
        await self._request("watch", bucket=bucket)
        try:
            yield None
            while (info := await self._request("next")) is not None:
                yield _peer_info(info)
        finally:
            await self._request("unwatch")


def _meta_fields(meta: PeerMeta) -> dict[str, Any]:
    fields = {
        "description": meta.description,
        "headers": meta.headers,
        "metadata": meta.metadata,
        "chunk_size": meta.chunk_size,
    }
    return {key: value for key, value in fields.items() if value is not None}


def _peer_info(info: dict[str, Any]) -> PeerInfo:
    options = info.get("options") or {}
    link = options.get("link")
    return PeerInfo(
        name=info["name"],
        bucket=info["bucket"],
        nuid=info.get("nuid") or "",
        size=info.get("size") or 0,
        chunks=info.get("chunks") or 0,
        digest=info.get("digest") or "",
        deleted=bool(info.get("deleted")),
        description=info.get("description") or "",
        headers=header_lists(info.get("headers")),
        metadata=info.get("metadata") or {},
        link=(link["bucket"], link.get("name") or "") if link else None,
        chunk_size=options.get("max_chunk_size") or 0,
    )
