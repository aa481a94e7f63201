"""A gateway on the shared server, and clients of it: one of each for the session of a worker."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.support.gateway import RunningGateway
    from tests.support.servers import NatsServer


@pytest.fixture(scope="session")
def gateway(server: NatsServer) -> Iterator[RunningGateway]:
    """A gateway that all tests share, with the keys of `tests.support.gateway`."""
    from tests.support.gateway import RunningGateway

    with RunningGateway(server.url) as running:
        yield running


@pytest.fixture(scope="session")
def s3(gateway: RunningGateway) -> Any:
    """A boto3 client with the key of OWNER."""
    return gateway.client()


@pytest.fixture
def s3_bucket(s3: Any, bucket: str) -> Iterator[str]:
    """A new, empty bucket of OWNER. It is deleted with its objects."""
    from tests.support.gateway import new_bucket

    with new_bucket(s3, bucket):
        yield bucket
