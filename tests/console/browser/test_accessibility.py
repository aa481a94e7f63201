"""axe-core finds no serious or critical fault on any page, in both themes and at both widths."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import pytest
from playwright.async_api import expect

from tests.support.browser import NARROW, WIDE, serious_violations

if TYPE_CHECKING:
    from playwright.async_api import Page

    from tests.support.browser import Visit

pytestmark = pytest.mark.asyncio(loop_scope="session")

THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
TABS = ("Preview", "Details", "Versions", "Chunks")


async def violations(page: Page) -> list[str]:
    """Return the violations of a page: light and wide, dark and narrow."""
    found = []
    for theme, viewport in zip(THEMES, (WIDE, NARROW), strict=True):
        await page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        await page.set_viewport_size(viewport)
        found += [f"{theme}: {each}" for each in await serious_violations(page)]
        # The page must not scroll sideways: readable at 360 px.
        width = await page.evaluate("document.documentElement.scrollWidth")
        if width > viewport["width"]:
            found.append(f"{theme}: {page.url}: {width} px wide at {viewport['width']} px")
    await page.set_viewport_size(WIDE)
    return found


async def test_sign_in_is_accessible(stranger: Visit) -> None:
    await stranger.open()
    await expect(stranger.page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert not await violations(stranger.page)


async def test_pages_of_buckets_and_objects_are_accessible(
    visit: Visit, s3: Any, s3_bucket: str
) -> None:
    page = visit.page
    await visit.open_folder(s3_bucket)
    await expect(page.get_by_role("button", name="Upload files").first).to_be_visible()
    found = await violations(page)
    for name in ("a/b.txt", "long " * 30 + ".txt", "notes.txt"):
        s3.put_object(Bucket=s3_bucket, Key=name, Body=b"text", ContentType="text/plain")
    await page.get_by_role("checkbox", name="Select notes.txt").check()
    found += await violations(page)
    await page.get_by_role("button", name="Rename").click()
    await expect(page.get_by_role("dialog")).to_be_visible()
    found += await violations(page)
    await page.keyboard.press("Escape")
    await page.get_by_role("link", name="notes.txt").click()
    for tab in TABS:
        await page.get_by_role("tab", name=tab).click()
        await expect(page.get_by_role("tab", name=tab)).to_have_attribute("aria-selected", "true")
        found += await violations(page)
    await visit.open(f"b/{s3_bucket}/settings")
    await expect(page.get_by_role("button", name="Delete bucket")).to_be_visible()
    found += await violations(page)
    assert not found, "\n".join(found)


@pytest.mark.slow
async def test_pages_of_administration_are_accessible(visit: Visit) -> None:
    page = visit.page
    found = []
    await visit.open()
    main = page.get_by_role("navigation", name="Main")
    for name in ("Buckets", "Keys", "Health", "Activity"):
        await main.get_by_role("link", name=name).click()
        await expect(page.get_by_role("heading", name=name).first).to_be_visible()
        await expect(page.locator("[aria-busy=true]")).to_have_count(0)
        found += await violations(page)
    await visit.open("no/such/page")
    await expect(page.get_by_role("heading").first).to_be_visible()
    found += await violations(page)
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog")).to_be_visible()
    found += await violations(page)
    assert not found, "\n".join(found)
