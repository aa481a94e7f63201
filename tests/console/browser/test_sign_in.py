"""Sign in and out, and what a key may not do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from tests.support.browser import visiting
from tests.support.gateway import OWNER, READER

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

    import jetstow
    from tests.support.browser import Visit
    from tests.support.console import RunningConsole

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def sign_in(page: Page, access_key: str, secret_key: str) -> None:
    await page.get_by_label("Access key").fill(access_key)
    await page.get_by_label("Secret key").fill(secret_key)
    await page.get_by_role("button", name="Sign in").click()


async def test_sign_in_with_a_wrong_key_and_the_right_one(
    stranger: Visit, store: jetstow.ObjectStore, s3_bucket: str
) -> None:
    """The page of a link opens after signing in, and stays open after a reload."""
    page = stranger.page
    await store.put("report.txt", b"figures")
    await stranger.open_folder(s3_bucket)
    await sign_in(page, OWNER.access_key, "wrong")
    await expect(page.get_by_role("alert")).to_contain_text(re.compile("key", re.IGNORECASE))
    await sign_in(page, OWNER.access_key, OWNER.secret_key)
    await expect(page.get_by_role("link", name="report.txt")).to_be_visible()
    await page.reload()
    await expect(page.get_by_role("link", name="report.txt")).to_be_visible()
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    await stranger.open_folder(s3_bucket)
    await expect(page.get_by_label("Secret key")).to_have_value("")
    await expect(page.get_by_role("link", name="report.txt")).to_have_count(0)


async def test_read_only_key_sees_no_way_to_write(
    chromium: Browser, console: RunningConsole, store: jetstow.ObjectStore, s3_bucket: str
) -> None:
    await store.put("report.txt", b"figures")
    writes = re.compile(
        "upload|new bucket|new folder|rename|move|delete|edit|settings", re.IGNORECASE
    )
    async with visiting(chromium, console.url) as visit:
        page = visit.page
        await visit.sign_in(READER)
        await visit.open()
        await expect(page.get_by_role("link", name=s3_bucket, exact=True)).to_be_visible()
        await expect(page.get_by_role("button", name=writes)).to_have_count(0)
        await page.get_by_role("link", name=s3_bucket, exact=True).click()
        await page.get_by_role("checkbox", name="Select report.txt").check()
        await expect(page.get_by_role("link", name="Download")).to_be_visible()
        await expect(page.get_by_role("button", name=writes)).to_have_count(0)
        await page.get_by_role("link", name="report.txt").click()
        await expect(page.get_by_role("heading", name="report.txt")).to_be_visible()
        await expect(page.get_by_role("button", name="Share")).to_be_visible()
        await expect(page.get_by_role("button", name=writes)).to_have_count(0)
