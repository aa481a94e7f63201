"""nats-py's object store."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import nats

from benchmarks.clients.serve import UnsupportedError
from benchmarks.clients.work import Client, run


class CountingFile:
    """A file that only counts its bytes."""

    size = 0

    def write(self, data: bytes) -> int:
        self.size += len(data)
        return len(data)


class NatsPy:
    has_get_into = False

    async def open(self, url: str, bucket: str) -> None:
        self._nc = await nats.connect(url)
        self._js = self._nc.jetstream(timeout=30)
        self._bucket = bucket
        self._store = await self._js.object_store(bucket)

    async def put(self, name: str, data: bytes) -> None:
        await self._store.put(name, data)

    async def get(self, name: str) -> bytes:
        return (await self._store.get(name)).data or b""

    async def stream(self, name: str) -> int:
        into: Any = CountingFile()
        await self._store.get(name, writeinto=into)
        return int(into.size)

    async def put_file(self, name: str, path: str) -> None:
        with Path(path).open("rb") as file:
            await self._store.put(name, file)

    async def get_file(self, name: str, path: str) -> None:
        with Path(path).open("wb") as file:
            await self._store.get(name, writeinto=file)

    async def info(self, name: str) -> tuple[int, str]:
        info = await self._store.get_info(name)
        return info.size or 0, info.digest or ""

    async def get_into(self, name: str, buffer: bytearray) -> None:  # noqa: ARG002
        raise UnsupportedError

    def view(self, kind: str) -> Client:  # noqa: ARG002
        raise UnsupportedError

    async def list(self) -> int:
        return len(await self._store.list(ignore_deletes=True))

    async def range(self, name: str, start: int, length: int) -> bytes:  # noqa: ARG002
        raise UnsupportedError("it reads whole objects only")

    async def direct_get(self, name: str) -> object:
        encoded = base64.urlsafe_b64encode(name.encode()).decode()
        subject = f"$O.{self._bucket}.M.{encoded}"
        return await self._js.get_last_msg(f"OBJ_{self._bucket}", subject, direct=True)


if __name__ == "__main__":
    run(NatsPy())
