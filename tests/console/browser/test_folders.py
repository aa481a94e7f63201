"""The view of a folder: live changes, search among many names, rename, the keyboard."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.support.browser import NARROW, tick
from tests.support.gateway import OWNER
from tests.support.object_builder import write_names

if TYPE_CHECKING:
    from nats.aio.client import Client
    from playwright.async_api import Page

    import jetstow
    from tests.support.browser import Visit

pytestmark = pytest.mark.asyncio(loop_scope="session")

NAMES = 100_000


async def test_writes_of_another_client_appear_without_a_reload(
    visit: Visit, store: jetstow.ObjectStore, s3_bucket: str
) -> None:
    page = visit.page
    await store.put("a.txt", b"1")
    await visit.open_folder(s3_bucket)
    await expect(page.get_by_role("link", name="a.txt")).to_be_visible()
    await store.put("b.txt", b"12345")
    await expect(page.get_by_role("row", name="b.txt")).to_contain_text("5 B")
    await store.put("b.txt", bytes(2000))
    await expect(page.get_by_role("row", name="b.txt")).to_contain_text("2")
    await store.put("folder/c.txt", b"1")
    await expect(page.get_by_role("link", name="folder/")).to_be_visible()
    await store.delete("a.txt")
    await expect(page.get_by_role("link", name="a.txt")).to_have_count(0)
    await expect(page.get_by_text(re.compile("^Live"))).to_be_visible()


async def test_click_on_a_row_that_moves(
    visit: Visit, store: jetstow.ObjectStore, s3_bucket: str
) -> None:
    """The click acted on the row that came under the pointer."""
    page = visit.page
    for name in ("b.txt", "c.txt"):
        await store.put(name, b"")
    await visit.open_folder(s3_bucket)
    await page.get_by_role("checkbox", name="Select b.txt").hover()
    await page.mouse.down()
    await store.put("a.txt", b"")  # above the row
    await expect(page.get_by_role("row").nth(1)).to_contain_text("a.txt")
    await page.mouse.up()
    await tick(page, "Select c.txt")
    await expect(page.get_by_role("toolbar", name="Actions")).to_contain_text("1 selected")
    await expect(page.locator("[role=row] :checked")).to_have_count(1)


@pytest_asyncio.fixture(loop_scope="session")
async def large_bucket(
    js: jetstow.JetStreamContext, raw: Client, s3: Any, bucket: str
) -> AsyncIterator[str]:
    """A bucket with many objects."""
    s3.create_bucket(Bucket=bucket)
    await write_names(raw, bucket, (f"file-{number:06}" for number in range(NAMES)))
    yield bucket
    await js.delete_object_store(bucket)


async def test_search_among_many_names(visit: Visit, large_bucket: str) -> None:
    page = visit.page
    await visit.open_folder(large_bucket)
    grid = page.get_by_role("grid", name="Objects")
    await expect(grid).to_have_attribute("aria-rowcount", str(NAMES + 1))
    await expect(page.get_by_text(f"{NAMES:,} objects")).to_be_visible()
    assert await grid.get_by_role("row").count() < 200, "rows out of sight are in the page"

    filtered = page.get_by_role("searchbox", name="Filter")
    # Characters that were typed while the list was filtered by those before got lost.
    await filtered.press_sequentially("E-09999", delay=85)
    await expect(filtered).to_have_value("E-09999")
    await expect(grid).to_have_attribute("aria-rowcount", "11")
    await expect(grid.get_by_role("link", name="file-099990")).to_be_visible()
    await filtered.fill("")
    await expect(grid).to_have_attribute("aria-rowcount", str(NAMES + 1))

    await page.get_by_role("columnheader", name="Name").get_by_role("button").click()
    await expect(grid.get_by_role("link", name="file-099999")).to_be_visible()
    await grid.get_by_role("link", name="file-099999").focus()
    await page.keyboard.press("End")
    await expect(grid.get_by_role("link", name="file-000000")).to_be_visible()


async def test_narrow_page_sorts_by_a_list(
    visit: Visit, store: jetstow.ObjectStore, s3_bucket: str
) -> None:
    """The headers of size and time had no columns there."""
    page = visit.page
    for name, size in (("a.txt", 2), ("b.txt", 3), ("c.txt", 1)):
        await store.put(name, bytes(size))
    await page.set_viewport_size(NARROW)
    await visit.open_folder(s3_bucket)
    rows = page.get_by_role("grid", name="Objects").get_by_role("row")
    await expect(rows.nth(1)).to_contain_text("a.txt")
    await expect(page.get_by_role("columnheader", name="Modified")).to_have_count(0)
    for order, names in (
        ("Largest first", "bac"),
        ("Oldest first", "abc"),
        ("Name, Z to A", "cba"),
    ):
        await page.get_by_label("Sort by").select_option(order)
        for number, name in enumerate(names, 1):
            await expect(rows.nth(number)).to_contain_text(f"{name}.txt")


async def test_rename_keeps_the_bytes(
    visit: Visit, store: jetstow.ObjectStore, s3_bucket: str
) -> None:
    page = visit.page
    info = await store.put("drafts/plan.txt", b"the plan")
    await visit.open_folder(s3_bucket, "drafts/")
    await expect(page.get_by_role("link", name="plan.txt")).to_be_visible()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Shift+F10")
    await page.get_by_role("menu").get_by_role("menuitem", name="Rename").click()
    dialog = page.get_by_role("dialog", name="Rename")
    await dialog.get_by_label("New name").fill("drafts/final plan.txt")
    await dialog.get_by_role("button", name="Rename").click()
    await expect(page.get_by_role("link", name="final plan.txt")).to_be_visible()
    await expect(page.get_by_role("link", name="plan.txt", exact=True)).to_have_count(0)
    renamed = await store.get_info("drafts/final plan.txt")
    assert renamed.digest == info.digest


async def filter_without_match(page: Page, message: str) -> None:
    """Type what no name has: Enter reports it to screen readers. Then clear the filter."""
    await page.keyboard.type("no such name")
    await expect(page.get_by_role("heading", name=message)).to_be_visible()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("status").filter(has_text=message)).to_have_count(1)
    await expect(page.get_by_role("searchbox", name="Filter")).to_be_focused()
    await page.keyboard.press("Escape")


async def test_journey_with_the_keyboard_only(
    stranger: Visit, store: jetstow.ObjectStore, s3_bucket: str
) -> None:
    """Sign in, find a folder and an object in it, look at it, and go back: not one click."""
    page, press, write = stranger.page, stranger.page.keyboard.press, stranger.page.keyboard.type
    for name in ("alpha.txt", "letters/one.txt", "letters/two.txt"):
        await store.put(name, f"content of {name}".encode())
    await stranger.open()
    await expect(page.get_by_label("Access key")).to_be_focused()
    await write(OWNER.access_key)
    await press("Tab")
    await write(OWNER.secret_key)
    await press("Enter")
    await expect(page.get_by_role("heading", name="Buckets", exact=True)).to_be_visible()

    await expect(page.get_by_role("link", name=s3_bucket, exact=True)).to_be_visible()
    await expect(page.get_by_role("heading", name="Buckets", exact=True)).to_be_focused()
    await press("/")
    await filter_without_match(page, "No bucket matches the filter")
    await write(s3_bucket)
    await expect(page.get_by_role("table", name="Buckets").get_by_role("row")).to_have_count(2)
    await press("ArrowDown")
    await press("Enter")
    grid = page.get_by_role("grid", name="Objects")
    await expect(grid.get_by_role("link", name="letters/")).to_be_visible()
    await press("?")
    await expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    await press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await press("/")
    await filter_without_match(page, "Nothing matches the filter")
    await write("lett")
    await press("Enter")  # it waits for the list: there is one match, which is opened
    await expect(grid.get_by_role("link", name="two.txt")).to_be_visible()
    await press("ArrowDown")
    await press("ArrowDown")
    await press("Enter")
    await expect(page.get_by_role("heading", name="two.txt")).to_be_visible()
    await expect(page.get_by_text("content of letters/two.txt")).to_be_visible()
    await expect(page.get_by_role("heading", name="two.txt")).to_be_focused()
    await page.go_back()
    await expect(grid.get_by_role("link", name="one.txt")).to_be_visible()
