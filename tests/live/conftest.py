"""Defaults of the tests of one verb each: every distinct server version, and every path."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import jetstow


@pytest.hookimpl(tryfirst=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    metafunc.definition.add_marker(pytest.mark.distinct_versions)
    metafunc.definition.add_marker(pytest.mark.every_path)


@pytest.fixture
async def delete_bucket(bucket: str, js: jetstow.JetStreamContext) -> AsyncIterator[None]:
    """Delete the bucket `bucket` after the test, if it exists."""
    from jetstow.errors import BucketNotFoundError

    yield
    with suppress(BucketNotFoundError):
        await js.delete_object_store(bucket)


@pytest.fixture
async def target(
    js: jetstow.JetStreamContext, store: jetstow.ObjectStore
) -> AsyncIterator[jetstow.ObjectStore]:
    """A second bucket on the same server."""
    yield await js.create_object_store(f"{store.bucket}-other")
    await js.delete_object_store(f"{store.bucket}-other")
