"""A file system on the test's server, and a bucket in it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import fsspec
import numpy as np
import pandas as pd
import pytest

import jetstow
from jetstow.fs import JetstowFileSystem
from tests.support.servers import NatsServer


@pytest.fixture(scope="session", autouse=True)
def _goodbye(_servers: object) -> Iterator[None]:
    """fsspec keeps what addresses led to; it would look for its server when that is gone."""
    yield
    for each in list(JetstowFileSystem._cache.values()):
        each.close()


@pytest.fixture(scope="session")
def fs(server: NatsServer) -> Iterator[JetstowFileSystem]:
    made: JetstowFileSystem = fsspec.filesystem("jetstow", servers=server.url)
    yield made
    made.close()


@pytest.fixture
def root(fs: JetstowFileSystem, bucket: str) -> Iterator[str]:
    """A bucket, made and dropped again by the file system itself."""
    fs.mkdir(bucket)
    yield bucket
    if fs.exists(bucket):
        fs.rm(bucket, recursive=True)


@pytest.fixture
def options(server: NatsServer) -> dict[str, str]:
    """What pandas and others hand to the file system."""
    return {"servers": server.url}


class Other:
    """Another client on the same server, in a loop of its own."""

    def __init__(self, url: str) -> None:
        self._url = url

    def put(self, bucket: str, name: str, data: bytes) -> jetstow.ObjectInfo:
        async def put() -> jetstow.ObjectInfo:
            async with await jetstow.connect(self._url) as nc:
                return await (await nc.jetstream().object_store(bucket)).put(name, data)

        return asyncio.run(put())

    def delete(self, bucket: str, name: str) -> None:
        async def delete() -> None:
            async with await jetstow.connect(self._url) as nc:
                await (await nc.jetstream().object_store(bucket)).delete(name)

        asyncio.run(delete())

    def chunks(self, bucket: str) -> int:
        """How many chunks lie in a bucket."""
        import nats

        from tests.support import raw_stream

        async def count() -> int:
            async with await nats.connect(self._url) as nc:
                return sum((await raw_stream.chunks(nc, bucket)).values())

        return asyncio.run(count())


@pytest.fixture
def other(server: NatsServer) -> Other:
    return Other(server.url)


@pytest.fixture
def frame() -> pd.DataFrame:
    numbers = np.arange(10_000)
    return pd.DataFrame({"n": numbers, "half": numbers / 2, "name": [f"row {n}" for n in numbers]})
