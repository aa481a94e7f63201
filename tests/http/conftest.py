"""A bucket behind an HTTP server."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

import jetstow
from jetstow.http import Files
from tests.support.web import serve


@pytest.fixture
async def url(store: jetstow.ObjectStore) -> AsyncIterator[str]:
    """The URL of `Files` with the bucket of the test."""
    async with serve(Files(store)) as url:
        yield url


@pytest.fixture
async def client(url: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client whose base URL is `url`."""
    async with httpx.AsyncClient(base_url=url) as client:
        yield client
