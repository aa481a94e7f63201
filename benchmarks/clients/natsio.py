"""natsio. It needs Python 3.13 and has its own environment."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import natsio

from benchmarks.clients.serve import UnsupportedError
from benchmarks.clients.work import Client, run

CHUNK = 128 << 10


class Natsio:
    has_get_into = False

    async def open(self, url: str, bucket: str) -> None:
        self._nc = await natsio.connect(url)
        self._store = await self._nc.jetstream(timeout=30.0).object_store(bucket)

    async def put(self, name: str, data: bytes) -> None:
        await self._store.put(name, data)

    async def get(self, name: str) -> bytes:
        result: bytes = await self._store.get_bytes(name)
        return result

    async def stream(self, name: str) -> int:
        size = 0
        async with self._store.get(name) as result:
            async for chunk in result:
                size += len(chunk)
        return size

    async def put_file(self, name: str, path: str) -> None:
        async def chunks() -> AsyncGenerator[bytes]:
            with Path(path).open("rb") as file:
                while chunk := file.read(CHUNK):
                    yield chunk

        await self._store.put(name, chunks())

    async def get_file(self, name: str, path: str) -> None:
        with Path(path).open("wb") as file:
            async with self._store.get(name) as result:
                async for chunk in result:
                    file.write(chunk)

    async def info(self, name: str) -> tuple[int, str]:
        info = await self._store.info(name)
        return info.size, info.digest or ""

    async def get_into(self, name: str, buffer: bytearray) -> None:  # noqa: ARG002
        raise UnsupportedError

    def view(self, kind: str) -> Client:  # noqa: ARG002
        raise UnsupportedError

    async def list(self) -> int:
        return len(await self._store.list())

    async def range(self, name: str, start: int, length: int) -> bytes:  # noqa: ARG002
        raise UnsupportedError("it reads whole objects only")

    async def direct_get(self, name: str) -> object:  # noqa: ARG002
        raise UnsupportedError


if __name__ == "__main__":
    run(Natsio())
