"""The page while NATS is away, and after it is back."""

from __future__ import annotations

from pathlib import Path
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


async def test_upload_waits_for_nats(chromium: Browser, tmp_path: Path) -> None:
    """Its state was "Try again", though the page tries again by itself."""
    file = tmp_path / "a.txt"
    file.write_bytes(b"text")
    with NatsServer() as nats, RunningConsole(nats.url, outage_limit=0.3) as console:
        console.client().create_bucket(Bucket="harbour")
        async with visiting(chromium, console.url) as visit:
            visit.allowed.append("response: 503")
            page = visit.page
            await visit.sign_in(OWNER)
            await visit.open_folder("harbour")
            await expect(page.get_by_text("Live", exact=True)).to_be_visible()
            nats.kill()
            async with page.expect_file_chooser() as chooser:
                await page.get_by_role("button", name="Upload files").first.click()
            await (await chooser.value).set_files(file)
            uploads = page.get_by_role("region", name="Uploads")
            await expect(uploads).to_contain_text("The storage is not available: next attempt in")
            nats.restart()
            await expect(uploads).to_contain_text("1 file uploaded")
            await expect(page.get_by_role("link", name="a.txt").first).to_be_visible()
