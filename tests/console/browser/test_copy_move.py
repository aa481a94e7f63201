"""Copy and move objects and folders in the page."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.support.gateway import new_bucket

if TYPE_CHECKING:
    from playwright.async_api import Locator, Page, Route

    import jetstow
    from tests.support.browser import Visit

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session")
async def target(
    s3: Any, js: jetstow.JetStreamContext, s3_bucket: str
) -> AsyncIterator[jetstow.ObjectStore]:
    """Another bucket of OWNER, for another NATS client."""
    with new_bucket(s3, f"{s3_bucket}-target"):
        yield await js.object_store(f"{s3_bucket}-target")


async def open_dialog(page: Page, verb: str, *names: str) -> Locator:
    """Select rows, and open the dialog "Copy" or "Move"."""
    for name in names:
        await page.get_by_role("checkbox", name=f"Select {name}").check()
    await page.get_by_role("button", name=verb).click()
    return page.get_by_role("dialog", name=verb)


async def contents(store: jetstow.ObjectStore) -> dict[str, bytes]:
    return {info.name: (await store.get(info.name)).data async for info in store.list()}


async def test_move_that_would_keep_one_of_two(
    visit: Visit, store: jetstow.ObjectStore, s3_bucket: str
) -> None:
    """Two objects with the same target, or a target that is moved too: one of them was lost."""
    page = visit.page
    names = ("2025/report.txt", "2026/report.txt", "a/b/b/x", "a/b/x")
    stored = {name: name.encode() for name in names}
    for name, data in stored.items():
        await store.put(name, data)
    await visit.show(f"b/{s3_bucket}?deep=1")
    dialog = await open_dialog(page, "Move", *names[:2])
    await dialog.get_by_label("Folder").fill("all")
    await dialog.get_by_label("Replace objects").check()
    await dialog.get_by_role("button", name="Move").click()
    message = "“2025/report.txt” and “2026/report.txt” have the same target: “all/report.txt”."
    await expect(dialog.get_by_role("alert")).to_have_text(message)
    await dialog.get_by_role("button", name="Cancel").click()

    await visit.open_folder(s3_bucket, "a/")
    dialog = await open_dialog(page, "Move", "b/")
    await dialog.get_by_label("New name").fill("a")
    await dialog.get_by_label("Replace objects").check()
    await dialog.get_by_role("button", name="Move").click()
    message = "“a/b/b/x” has the target “a/b/x”, which is selected, too."
    await expect(page.get_by_role("alert").filter(has_text=message)).to_be_visible()
    assert await contents(store) == stored


async def test_move_to_another_bucket_keeps_what_changes(
    visit: Visit, store: jetstow.ObjectStore, target: jetstow.ObjectStore, s3_bucket: str
) -> None:
    """The new bytes were deleted, which were not copied."""
    page = visit.page
    await store.put("a.txt", b"old")
    await store.put("b.txt", b"other")
    await store.add_link("link", await store.get_info("b.txt"))

    async def change_after_the_copy(route: Route) -> None:
        response = await route.fetch()
        await store.put("a.txt", b"new")
        await route.fulfill(response=response)

    await page.route(re.compile(r"-target/a\.txt$"), change_after_the_copy)
    await visit.open_folder(s3_bucket)
    dialog = await open_dialog(page, "Move", "a.txt", "b.txt", "link")
    await dialog.get_by_label("Bucket").select_option(f"{s3_bucket}-target")
    await dialog.get_by_role("button", name="Move").click()
    message = "Not moved: “a.txt”: it has changed while it was copied, so that it was not deleted"
    await expect(page.get_by_role("alert").filter(has_text=message)).to_be_visible()
    assert await contents(store) == {"a.txt": b"new"}
    assert await contents(target) == {"a.txt": b"old", "b.txt": b"other", "link": b"other"}
