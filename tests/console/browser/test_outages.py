"""The page while NATS is away, and after it is back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from tests.support.browser import visiting
from tests.support.console import RunningConsole
from tests.support.gateway import OWNER
from tests.support.servers import NatsServer

if TYPE_CHECKING:
    from playwright.async_api import Browser

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.slow]


async def test_page_that_is_loaded_while_nats_is_away(chromium: Browser) -> None:
    """It was one error without navigation, and stayed that until it was loaded again."""
    with NatsServer() as nats, RunningConsole(nats.url, outage_limit=0.3) as console:
        console.client().create_bucket(Bucket="harbour")
        nats.kill()
        async with visiting(chromium, console.url) as visit:
            visit.allowed.append("response: 503")
            page = visit.page
            await visit.sign_in(OWNER)
            await visit.open()
            await expect(page.get_by_text("The buckets could not be read")).to_be_visible()
            await page.get_by_role("link", name="Health").click()
            await expect(page.get_by_text("Not connected", exact=True)).to_be_visible()
            await visit.open("b/harbour/settings")
            await expect(page.get_by_role("alert")).to_contain_text("ServiceUnavailable")
            nats.restart()
            await expect(page.get_by_role("button", name="Delete bucket")).to_be_visible()
