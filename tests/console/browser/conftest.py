"""One Chromium for the session of a worker, and a visit to the console for each test.

Visits that have signed in share a context: its cache has the files of the page.

Playwright's objects belong to one event loop, so all tests here and their fixtures use the loop of
the session: `pytestmark = pytest.mark.asyncio(loop_scope="session")`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import nats
import pytest_asyncio

import jetstow
from tests.support.browser import Visit, launched, new_context, visiting, visiting_in
from tests.support.gateway import OWNER

if TYPE_CHECKING:
    from nats.aio.client import Client
    from playwright.async_api import Browser, BrowserContext

    from tests.support.console import RunningConsole
    from tests.support.servers import NatsServer


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def chromium() -> AsyncIterator[Browser]:
    async with launched() as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="session")
async def stranger(chromium: Browser, console: RunningConsole) -> AsyncIterator[Visit]:
    """A visit that has not signed in."""
    async with visiting(chromium, console.url) as visit:
        yield visit


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def context(chromium: Browser) -> AsyncIterator[BrowserContext]:
    async with new_context(chromium) as context:
        yield context


@pytest_asyncio.fixture(loop_scope="session")
async def visit(context: BrowserContext, console: RunningConsole) -> AsyncIterator[Visit]:
    """A visit that signed in with the key of OWNER."""
    async with visiting_in(context, console.url) as visit:
        await visit.sign_in(OWNER)
        yield visit


@pytest_asyncio.fixture(loop_scope="session")
async def js(server: NatsServer) -> AsyncIterator[jetstow.JetStreamContext]:
    """Another NATS client, in the event loop of these tests."""
    async with await jetstow.connect(server.url) as client:
        yield client.jetstream()


@pytest_asyncio.fixture(loop_scope="session")
async def raw(server: NatsServer) -> AsyncIterator[Client]:
    """A plain nats-py connection, in the event loop of these tests."""
    client = await nats.connect(server.url)
    yield client
    await client.close()


@pytest_asyncio.fixture(loop_scope="session")
async def store(js: jetstow.JetStreamContext, s3_bucket: str) -> jetstow.ObjectStore:
    """The bucket `s3_bucket` of OWNER, for another NATS client."""
    return await js.object_store(s3_bucket)
