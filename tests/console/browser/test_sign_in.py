"""Sign in and out, and what a key may not do."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from tests.support.browser import tick, visiting
from tests.support.gateway import OTHER, OWNER, READER

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
        await tick(page, "Select report.txt")
        await expect(page.get_by_role("link", name="Download")).to_be_visible()
        await expect(page.get_by_role("button", name=writes)).to_have_count(0)
        await page.get_by_role("link", name="report.txt").click()
        await expect(page.get_by_role("heading", name="report.txt")).to_be_visible()
        await expect(page.get_by_role("button", name="Share")).to_be_visible()
        await expect(page.get_by_role("button", name=writes)).to_have_count(0)


async def test_sign_in_in_another_tab(
    visit: Visit, store: jetstow.ObjectStore, s3_bucket: str, tmp_path: Path
) -> None:
    """Then this tab could read but not write: it had the token of the earlier session."""
    page = visit.page
    await store.put("a.txt", b"text")
    (tmp_path / "new.txt").write_bytes(b"new")
    await visit.open_folder(s3_bucket)
    await expect(page.get_by_role("link", name="a.txt")).to_be_visible()

    await visit.sign_in(OWNER)
    async with page.expect_file_chooser() as chooser:
        await page.get_by_role("button", name="Upload files").click()
    await (await chooser.value).set_files(tmp_path / "new.txt")
    await expect(page.get_by_role("status", name="Upload result")).to_have_text("1 file uploaded")
    assert (await store.get("new.txt")).data == b"new"

    async def rename(new_name: str) -> None:
        dialog = page.get_by_role("dialog", name="Rename")
        await page.get_by_role("button", name="Rename").click()
        await dialog.get_by_label("New name").fill(new_name)
        await dialog.get_by_role("button", name="Rename").click()

    await visit.sign_in(OWNER)
    await tick(page, "Select a.txt")
    await rename("b.txt")
    await expect(page.get_by_role("link", name="b.txt")).to_be_visible()

    # With another key, it asks for one.
    await tick(page, "Select b.txt")
    await visit.sign_in(OTHER)
    await rename("c.txt")
    await expect(page.get_by_text("Your session has ended")).to_be_visible()
    assert {info.name async for info in store.list()} == {"b.txt", "new.txt"}
