"""A gateway with a console on the shared server, and clients of it: one for each worker."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.support.console import ConsoleClient, RunningConsole
    from tests.support.servers import NatsServer


@pytest.fixture(scope="session")
def console(server: NatsServer) -> Iterator[RunningConsole]:
    """A gateway with a console that all tests share, with the keys of `tests.support.gateway`."""
    from tests.support.console import RunningConsole

    with RunningConsole(server.url) as running:
        yield running


@pytest.fixture(scope="session")
def client(console: RunningConsole) -> Iterator[ConsoleClient]:
    """A client of the console, with a session of OWNER."""
    with console.sign_in() as signed_in:
        yield signed_in


@pytest.fixture(scope="session")
def s3(console: RunningConsole) -> Any:
    """A boto3 client with the key of OWNER."""
    return console.client()


@pytest.fixture
def s3_bucket(s3: Any, bucket: str) -> Iterator[str]:
    """A new, empty bucket of OWNER. It is deleted with its objects."""
    from tests.support.gateway import new_bucket

    with new_bucket(s3, bucket):
        yield bucket
