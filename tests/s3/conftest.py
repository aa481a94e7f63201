"""A gateway on the shared server, and clients of it: one of each for the session of a worker."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
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
    s3.create_bucket(Bucket=bucket)
    yield bucket
    with suppress(s3.exceptions.NoSuchBucket):
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            for item in page.get("Contents", ()):
                s3.delete_object(Bucket=bucket, Key=item["Key"])
        s3.delete_bucket(Bucket=bucket)
