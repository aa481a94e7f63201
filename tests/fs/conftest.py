"""Fixtures: a file system on the test server, a bucket, and a second client."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar

import fsspec
import fsspec.asyn
import numpy as np
import pandas as pd
import pytest

import jetstow
from jetstow.fs import JetstowFileSystem
from jetstow.fs.dircache import ListingCache
from tests.support.servers import NatsServer

T = TypeVar("T")


@pytest.fixture(scope="session", autouse=True)
def _close_cached_file_systems(_servers: object) -> Iterator[None]:
    """Close all file systems that fsspec caches, before the servers stop."""
    yield
    for file_system in list(JetstowFileSystem._cache.values()):
        file_system.close()


@pytest.fixture(scope="session")
def fs(server: NatsServer) -> Iterator[JetstowFileSystem]:
    file_system: JetstowFileSystem = fsspec.filesystem("jetstow", servers=server.url)
    yield file_system
    file_system.close()


@pytest.fixture
def root(fs: JetstowFileSystem, bucket: str) -> Iterator[str]:
    """A bucket that the file system creates and deletes."""
    fs.mkdir(bucket)
    yield bucket
    if fs.exists(bucket):
        fs.rm(bucket, recursive=True)


@pytest.fixture
def options(server: NatsServer) -> dict[str, Any]:
    """The `storage_options` of pandas and others."""
    return {"servers": server.url}


class OtherClient:
    """Another client of the same server, with its own event loop."""

    def __init__(self, url: str) -> None:
        self._url = url

    def run(self, step: Callable[[jetstow.Client], Awaitable[T]]) -> T:
        """Run a step with a new connection."""

        async def run() -> T:
            async with await jetstow.connect(self._url) as nc:
                return await step(nc)

        return asyncio.run(run())

    def put(self, bucket: str, name: str, data: bytes) -> jetstow.ObjectInfo:
        async def put(nc: jetstow.Client) -> jetstow.ObjectInfo:
            return await (await nc.jetstream().object_store(bucket)).put(name, data)

        return self.run(put)

    def delete(self, bucket: str, name: str) -> None:
        async def delete(nc: jetstow.Client) -> None:
            await (await nc.jetstream().object_store(bucket)).delete(name)

        self.run(delete)

    def chunks(self, bucket: str) -> int:
        """Return the number of chunks in a bucket."""
        import nats

        from tests.support import raw_stream

        async def count() -> int:
            async with await nats.connect(self._url) as nc:
                return sum((await raw_stream.chunks(nc, bucket)).values())

        return asyncio.run(count())


def listing_of(fs: JetstowFileSystem, bucket: str) -> ListingCache:
    """Return the cached listing of a bucket."""
    listing = fs._connections[fs.loop].cached_listing(bucket)
    assert listing is not None
    return listing


@pytest.fixture
def other(server: NatsServer) -> OtherClient:
    return OtherClient(server.url)


@pytest.fixture
def frame() -> pd.DataFrame:
    numbers = np.arange(10_000)
    return pd.DataFrame({"n": numbers, "half": numbers / 2, "name": [f"row {n}" for n in numbers]})
