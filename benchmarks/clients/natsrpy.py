"""natsrpy, the Rust client from Python, with chunks of 128 KiB like the other clients."""

from __future__ import annotations

import io
from pathlib import Path

import natsrpy

from benchmarks.clients.nats_py import CountingFile
from benchmarks.clients.serve import UnsupportedError
from benchmarks.clients.work import Client, run

CHUNK = 128 << 10


class Natsrpy:
    has_get_into = False

    async def open(self, url: str, bucket: str) -> None:
        self._nc = natsrpy.Nats(addrs=[url])
        await self._nc.startup()
        self._store = await (await self._nc.jetstream()).object_store.get(bucket)

    async def put(self, name: str, data: bytes) -> None:
        await self._store.put(name, data, chunk_size=CHUNK)

    async def get(self, name: str) -> bytes:
        into = io.BytesIO()
        await self._store.get(name, into)
        return into.getvalue()

    async def stream(self, name: str) -> int:
        into = CountingFile()
        await self._store.get(name, into)
        return into.size

    async def put_file(self, name: str, path: str) -> None:
        await self._store.put_file(name, path, chunk_size=CHUNK)

    async def get_file(self, name: str, path: str) -> None:
        with Path(path).open("wb") as file:
            await self._store.get(name, file)

    async def info(self, name: str) -> tuple[int, str]:
        info = await self._store.get_info(name)
        return info.size, info.digest or ""

    async def get_into(self, name: str, buffer: bytearray) -> None:  # noqa: ARG002
        raise UnsupportedError

    def view(self, kind: str) -> Client:  # noqa: ARG002
        raise UnsupportedError

    async def list(self) -> int:
        return len([info async for info in await self._store.list()])

    async def range(self, name: str, start: int, length: int) -> bytes:  # noqa: ARG002
        raise UnsupportedError("it reads whole objects only")

    async def direct_get(self, name: str) -> object:  # noqa: ARG002
        raise UnsupportedError


if __name__ == "__main__":
    run(Natsrpy())
