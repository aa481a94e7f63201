"""Fixtures of pytest for programs that use jetstow: a real server, a new bucket for each test.

    pytest_plugins = ["jetstow.testing"]

in the `conftest.py` of the tests makes them available. The server is the embedded one, with its
data in a temporary folder. Each process of pytest-xdist has its own.
"""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import jetstow.sync
from jetstow import _embedded

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def jetstow_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a NATS server for this test session, with JetStream and without data.

    Until the end of the session, `NATS_URL` has this value, so that `connect()` without
    arguments and child processes use the server.
    """
    home = tmp_path_factory.mktemp("jetstow")
    with _start_server(home) as lease, pytest.MonkeyPatch.context() as patch:
        scheme, _, address = lease.endpoint.url.partition("://")
        url = f"{scheme}://{lease.endpoint.token}@{address}"
        patch.setenv("NATS_URL", url)
        yield url


def _start_server(home: Path) -> _embedded.Lease:
    # In another thread: plugins for asynchronous tests have an event loop in this one.
    with ThreadPoolExecutor(1) as executor:
        return executor.submit(asyncio.run, _embedded.acquire(home)).result()


@pytest.fixture(scope="session")
def _jetstow_client(jetstow_server: str) -> Iterator[jetstow.sync.Client]:
    with jetstow.sync.connect(jetstow_server) as client:
        yield client


@pytest.fixture
def jetstow_bucket(_jetstow_client: jetstow.sync.Client) -> Iterator[str]:
    """The name of a new, empty bucket. After the test, all buckets that it created are deleted."""
    context = _jetstow_client.jetstream()
    existing = set(context.object_store_names())
    bucket = f"test-{os.getpid()}-{next(_numbers)}"
    context.create_object_store(bucket)
    yield bucket
    for created in set(context.object_store_names()) - existing:
        context.delete_object_store(created)


@pytest.fixture
def jetstow_store(
    _jetstow_client: jetstow.sync.Client, jetstow_bucket: str
) -> jetstow.sync.ObjectStore:
    """The bucket `jetstow_bucket`, opened with the blocking interface."""
    return _jetstow_client.jetstream().object_store(jetstow_bucket)


__all__ = ["jetstow_bucket", "jetstow_server", "jetstow_store"]
