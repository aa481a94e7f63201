"""All ways to read an object through views with a key: asynchronous, blocking, and fsspec."""

from __future__ import annotations

import asyncio
import io
import os
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from pathlib import Path
from types import TracebackType
from typing import Self

import jetstow
import jetstow.sync
from jetstow.errors import JetstowError
from jetstow.fs import JetstowFileSystem

# A tail has this many bytes.
TAIL = 100

Outcomes = dict[str, bytes | Exception]


class ReadWays:
    """Reads objects of a bucket in every way. A way whose name has "tail" reads the last bytes."""

    def __init__(
        self, url: str, store: jetstow.ObjectStore, key: bytes, folder: Path,
        *, allow_plain: bool = False,
    ) -> None:  # fmt: skip
        self._plain = store
        self._view = store.encrypted(key, allow_plain=allow_plain)
        self._target = folder / "out"
        self._client = jetstow.sync.connect(url)
        self._blocking = (
            self._client.jetstream()
            .object_store(store.bucket)
            .encrypted(key, allow_plain=allow_plain)
        )
        self._fs = JetstowFileSystem(
            url,
            key=key,
            allow_plain=allow_plain,
            use_listings_cache=False,
            skip_instance_cache=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._fs.close()
        self._client.close()

    async def read(self, name: str) -> Outcomes:
        """Return the bytes or the error of each way."""
        ways: list[Callable[[str], Awaitable[bytes]]] = [
            self._get, self._get_into_buffer, self._get_into_file, self._get_file, self._stream,
            self._open_and_read, self._read_in_pieces, self._tail_by_seek, self._get_range,
            self._copy,
        ]  # fmt: skip
        blocking: list[Callable[[str], bytes]] = [
            self._blocking_get, self._blocking_read, self._blocking_tail, self._fsspec_cat,
            self._fsspec_read, self._fsspec_tail,
        ]  # fmt: skip
        outcomes: Outcomes = {}
        for way in ways:
            outcomes[way.__name__] = await _outcome(way(name))
        for each in blocking:
            outcomes[each.__name__] = await _outcome(asyncio.to_thread(each, name))
        return outcomes

    async def _get(self, name: str) -> bytes:
        result = await self._view.get(name)
        assert result.info.size == len(result.data)
        return result.data

    async def _get_into_buffer(self, name: str) -> bytes:
        buffer = bytearray(4_000_000)
        result = await self._view.get(name, into=buffer)
        return bytes(buffer[: result.info.size])

    async def _get_into_file(self, name: str) -> bytes:
        file = io.BytesIO()
        await self._view.get(name, file)
        return file.getvalue()

    async def _get_file(self, name: str) -> bytes:
        await self._view.get_file(name, self._target)
        return self._target.read_bytes()

    async def _stream(self, name: str) -> bytes:
        async with aclosing(self._view.stream(name)) as pieces:
            return b"".join([piece async for piece in pieces])

    async def _open_and_read(self, name: str) -> bytes:
        async with self._view.open(name) as file:
            data = await file.read()
            assert file.info.size == len(data)
            return data

    async def _read_in_pieces(self, name: str) -> bytes:
        async with self._view.open(name) as file:
            pieces = []
            while piece := await file.read(3_000):
                pieces.append(piece)
            return b"".join(pieces)

    async def _tail_by_seek(self, name: str) -> bytes:
        async with self._view.open(name) as file:
            await file.seek(-TAIL, os.SEEK_END)
            return await file.read()

    async def _get_range(self, name: str) -> bytes:
        return await self._view.get_range(name, 0)

    async def _copy(self, name: str) -> bytes:
        await self._view.copy(name, "copy of it", to=self._plain)
        data = (await self._plain.get("copy of it")).data
        await self._plain.delete("copy of it")
        return data

    def _blocking_get(self, name: str) -> bytes:
        return self._blocking.get(name).data

    def _blocking_read(self, name: str) -> bytes:
        with self._blocking.open(name) as file:
            return file.read()

    def _blocking_tail(self, name: str) -> bytes:
        with self._blocking.open(name) as file:
            file.seek(-TAIL, os.SEEK_END)
            return file.read()

    def _fsspec_cat(self, name: str) -> bytes:
        data: bytes = self._fs.cat_file(f"{self._plain.bucket}/{name}")
        return data

    def _fsspec_read(self, name: str) -> bytes:
        with self._fs.open(f"{self._plain.bucket}/{name}") as file:
            data: bytes = file.read()
            return data

    def _fsspec_tail(self, name: str) -> bytes:
        with self._fs.open(f"{self._plain.bucket}/{name}") as file:
            file.seek(-TAIL, os.SEEK_END)
            data: bytes = file.read()
            return data


async def _outcome(read: Awaitable[bytes]) -> bytes | Exception:
    try:
        return await read
    except (JetstowError, OSError, ValueError) as error:
        return error
