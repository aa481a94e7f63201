"""Copy and move objects and folders in the page."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.support.browser import tick
from tests.support.gateway import new_bucket

if TYPE_CHECKING:
    from playwright.async_api import Locator, Page, Route

    import jetstow
    from tests.support.browser import Visit

pytestmark = pytest.mark.asyncio(loop_scope="session")


NAMES_BELOW = """async (bucket) => {
  const script = document.querySelector("script[type=module]").src;
  const {namesBelow} = await import(new URL("rows.js", script));
  return namesBelow(bucket, "docs/", new AbortController().signal);
}"""


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
        await tick(page, f"Select {name}")
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


async def test_move_of_a_folder_with_an_object_of_its_own(
    visit: Visit, store: jetstow.ObjectStore, s3_bucket: str
) -> None:
    """The object "docs/" stayed. A folder with nothing else was not moved, which was no error."""
    page = visit.page
    for name in ("docs/", "docs/a.txt", "empty/", "plain/b.txt"):
        await store.put(name, b"")
    await visit.open_folder(s3_bucket)
    dialog = await open_dialog(page, "Move", "docs/", "empty/", "plain/")
    await dialog.get_by_label("Folder").fill("all")
    await dialog.get_by_role("button", name="Move").click()
    await expect(page.get_by_text("Moved 3 folders")).to_be_visible()
    names = {"all/docs/", "all/docs/a.txt", "all/empty/", "all/plain/b.txt"}
    assert {info.name async for info in store.list()} == names

    # Two folders that have one become one folder.
    for name in ("docs/", "docs/c.txt"):
        await store.put(name, b"")
    dialog = await open_dialog(page, "Move", "docs/")
    await dialog.get_by_label("New name").fill("all/docs")
    await dialog.get_by_role("button", name="Move").click()
    await expect(page.get_by_text("Moved “docs/”")).to_be_visible()
    assert {info.name async for info in store.list()} == names | {"all/docs/c.txt"}
    await store.delete("all/docs/c.txt")

    # The page asks before it is left, as it does for uploads.
    leave = "dispatchEvent(new Event('beforeunload', {cancelable: true}))"
    is_asked, may_go_on = asyncio.Event(), asyncio.Event()

    async def wait(route: Route) -> None:
        is_asked.set()
        await may_go_on.wait()
        await route.continue_()

    await page.route(re.compile("copy%2Fdocs%2Fa.txt$"), wait)
    dialog = await open_dialog(page, "Copy", "all/")
    await dialog.get_by_label("New name").fill("copy")
    await dialog.get_by_role("button", name="Copy").click()
    await is_asked.wait()
    assert not await page.evaluate(leave)
    may_go_on.set()
    await expect(page.get_by_text("Copied “all/”")).to_be_visible()
    assert await page.evaluate(leave)

    # To the top, which has no object of its own.
    await visit.open_folder(s3_bucket, "all/")
    dialog = await open_dialog(page, "Move", "docs/")
    await dialog.get_by_label("New name").fill("")
    await dialog.get_by_role("button", name="Move").click()
    await expect(page.get_by_text("Moved “all/docs/”")).to_be_visible()
    stored = {info.name async for info in store.list()}
    assert {name for name in stored if not name.startswith("copy/")} == (
        {"a.txt", "all/docs/", "all/empty/", "all/plain/b.txt"}
    )


async def test_copy_of_too_many_names(
    visit: Visit, store: jetstow.ObjectStore, s3_bucket: str
) -> None:
    """The part of them that the gateway lists was copied, and reported as all."""
    page = visit.page
    await store.put("docs/a.txt", b"a")

    async def list_partly(route: Route) -> None:
        response = await route.fetch()
        await route.fulfill(response=response, json=await response.json() | {"partial": True})

    await page.route(re.compile("/rows\\?prefix=docs"), list_partly)
    await visit.open_folder(s3_bucket)
    dialog = await open_dialog(page, "Copy", "docs/")
    await dialog.get_by_label("New name").fill("copy")
    await dialog.get_by_role("button", name="Copy").click()
    message = page.get_by_role("alert").filter(has_text="The bucket has too many names")
    await expect(message).to_be_visible()
    assert {info.name async for info in store.list()} == {"docs/a.txt"}


async def test_names_of_a_folder_that_changes(
    visit: Visit, store: jetstow.ObjectStore, s3_bucket: str
) -> None:
    """A name that was deleted between two pages moved others into the page before.

    They were not copied, which was no error.
    """
    page = visit.page
    names = [f"docs/{number:04}" for number in range(1_200)]
    async with asyncio.TaskGroup() as group:
        for name in names:
            group.create_task(store.put(name, b""))
    offsets: list[str] = []
    deleted: list[str] = []

    async def delete_before(route: Route) -> None:
        offsets.append(re.findall("offset=([0-9]+)", route.request.url)[0])
        if len(offsets) == 2:
            for name in deleted:
                await store.delete(name)
        await route.continue_()

    await visit.open_folder(s3_bucket)
    await page.route(re.compile("/rows\\?.*limit=1000"), delete_before)
    # Few, and more than two pages have in common.
    again = ["0", "900", "0", "900"]
    for count, expected in ((1, again[:2]), (150, again)):
        deleted[:], names[:] = names[:count], names[count:]
        offsets.clear()
        found = await page.evaluate(NAMES_BELOW, s3_bucket)
        assert (offsets, {*names} - {*found}) == (expected, set())
