"""Fixtures of the blocking interface, on a real server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

import jetstow.sync as jetstow
from tests.support.servers import NatsServer
from tests.sync.script import ProgramResult, run_script


@pytest.fixture
def nc(server: NatsServer) -> Iterator[jetstow.Client]:
    """A blocking connection to `server`."""
    with jetstow.connect(server.url) as client:
        yield client


@pytest.fixture
def js(nc: jetstow.Client) -> jetstow.JetStreamContext:
    return nc.jetstream()


@pytest.fixture
def store(js: jetstow.JetStreamContext, bucket: str) -> Iterator[jetstow.ObjectStore]:
    """A new, empty object store."""
    yield js.create_object_store(bucket)
    with suppress(jetstow.errors.BucketNotFoundError):
        js.delete_object_store(bucket)


@pytest.fixture
def script(server: NatsServer) -> Callable[..., ProgramResult]:
    """Run a program in which `jetstow.connect()` connects to the test's server."""

    def run(source: str, *, url: str = server.url) -> ProgramResult:
        return run_script(source, url)

    return run
