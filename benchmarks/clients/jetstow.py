"""jetstow with its defaults: the version in this environment, which may be an older one."""

from __future__ import annotations

import inspect
from typing import Self

import jetstow
from benchmarks.clients.serve import UnsupportedError
from benchmarks.clients.work import run


class Jetstow:
    has_get_into = "into" in inspect.signature(jetstow.ObjectStore.get).parameters

    def __init__(self, store: jetstow.ObjectStore | None = None, *, is_dated: bool = True) -> None:
        self._is_dated = is_dated
        if store is not None:
            self._store = store

    async def open(self, url: str, bucket: str) -> None:
        self._nc = await jetstow.connect(url)
        self._store = await self._nc.jetstream().object_store(bucket)

    async def put(self, name: str, data: bytes) -> None:
        if self._is_dated:
            await self._store.put(name, data)
        else:
            await self._store.put(name, data, dated=False)

    async def get(self, name: str) -> bytes:
        return (await self._store.get(name)).data or b""

    async def stream(self, name: str) -> int:
        size = 0
        async for chunk in self._store.stream(name):
            size += len(chunk)
        return size

    async def put_file(self, name: str, path: str) -> None:
        await self._store.put_file(path, name)

    async def get_file(self, name: str, path: str) -> None:
        await self._store.get_file(name, path)

    async def info(self, name: str) -> tuple[int, str]:
        info = await self._store.get_info(name)
        return info.size or 0, info.digest or ""

    async def get_into(self, name: str, buffer: bytearray) -> None:
        await self._store.get(name, into=buffer)

    def view(self, kind: str) -> Self:
        if kind == "encrypted":
            return type(self)(self._store.encrypted(bytes(32)))
        return type(self)(self._store, is_dated=False)

    async def list(self) -> int:
        return len(await self._store.list())

    async def range(self, name: str, start: int, length: int) -> bytes:
        return await self._store.get_range(name, start, length)

    async def direct_get(self, name: str) -> object:  # noqa: ARG002
        raise UnsupportedError


if __name__ == "__main__":
    run(Jetstow())
