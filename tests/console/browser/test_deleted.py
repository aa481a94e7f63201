"""Deleted objects: the view that shows them, undelete there and on the page of the object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import expect

from tests.support.browser import serious_violations, tick
from tests.support.gateway import READER

if TYPE_CHECKING:
    import jetstow
    from tests.support.browser import Visit

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.fixture
def versioned(s3: Any, s3_bucket: str) -> str:
    """A bucket with versions, and deleted objects."""
    s3.put_bucket_versioning(Bucket=s3_bucket, VersioningConfiguration={"Status": "Enabled"})
    for name in ("a/1.txt", "a/b/2.txt", "c.txt", "stays.txt"):
        s3.put_object(Bucket=s3_bucket, Key=name, Body=name.encode())
    for name in ("a/1.txt", "a/b/2.txt", "c.txt"):
        s3.delete_object(Bucket=s3_bucket, Key=name)
    return s3_bucket


async def test_deleted_objects_are_shown_and_undeleted(
    visit: Visit, s3: Any, store: jetstow.ObjectStore, versioned: str
) -> None:
    page = visit.page
    await visit.open_folder(versioned)
    await page.get_by_role("checkbox", name="Only deleted").check()
    grid = page.get_by_role("grid", name="Deleted objects")
    links = grid.get_by_role("link")
    await expect(links).to_have_text(["a/1.txt", "a/b/2.txt", "c.txt"])
    await expect(page.get_by_role("status", name="Contents")).to_contain_text("3 deleted objects")
    assert "deleted=1" in page.url
    assert await serious_violations(page) == []

    # What other clients undelete, store and delete moves the list.
    await expect(page.get_by_text("Live", exact=True)).to_be_visible()
    await store.put("c.txt", b"new")
    await expect(links).to_have_text(["a/1.txt", "a/b/2.txt"])
    s3.delete_object(Bucket=versioned, Key="stays.txt")
    await expect(links).to_have_text(["a/1.txt", "a/b/2.txt", "stays.txt"])

    # By keyboard.
    await page.keyboard.press("/")
    await page.keyboard.type("txt")
    await page.keyboard.press("Enter")
    await expect(grid).to_be_focused()  # when the list is filtered
    await page.keyboard.press("Space")
    await page.keyboard.press("u")
    await expect(page.get_by_text("Undeleted “a/1.txt”")).to_be_visible()
    await expect(links).to_have_text(["a/b/2.txt", "stays.txt"])
    assert (await store.get("a/1.txt")).data == b"a/1.txt"

    # With the pointer, all that is left in a folder, and then in the bucket.
    await page.get_by_role("searchbox", name="Filter").fill("")
    await tick(page, "Select all")
    await page.get_by_role("button", name="Undelete").click()
    await expect(page.get_by_text("There are no deleted objects")).to_be_visible()
    assert (await store.get("stays.txt")).data == b"stays.txt"
    s3.delete_object(Bucket=versioned, Key="stays.txt")
    await page.get_by_role("button", name="Undelete all").click()
    dialog = page.get_by_role("dialog", name="Undelete all")
    await expect(dialog).to_contain_text("Undelete 1 object of")
    await dialog.get_by_role("button", name="Undelete all").click()
    await expect(page.get_by_text("There are no deleted objects")).to_be_visible()
    await page.get_by_role("checkbox", name="Only deleted").uncheck()
    await expect(page.get_by_role("grid", name="Objects").get_by_role("link")).to_have_count(3)


async def test_page_of_a_deleted_object(
    visit: Visit, s3: Any, store: jetstow.ObjectStore, versioned: str
) -> None:
    """The address of its delete marker showed an error, and the object's a button in a table."""
    page = visit.page
    (marker,) = s3.list_object_versions(Bucket=versioned, Prefix="c.txt")["DeleteMarkers"]
    await visit.open(f"o/{versioned}?name=c.txt&version={marker['VersionId']}")
    await expect(page.get_by_role("alert")).to_contain_text("This object was deleted on 20")
    await page.keyboard.press("u")
    await expect(page.get_by_role("alert")).to_contain_text("There is no such version")
    await page.get_by_role("link", name="Show the current version").click()
    await expect(page.get_by_role("link", name="Download")).to_be_visible()
    assert (await store.get("c.txt")).data == b"c.txt"

    await visit.open_object(versioned, "a/1.txt")
    await page.get_by_role("button", name="Undelete").click()
    await expect(page.get_by_role("link", name="Download")).to_be_visible()


async def test_counts_of_versions(visit: Visit, versioned: str) -> None:
    """The size of a bucket has its old versions: their number is shown beside it."""
    page = visit.page
    await visit.open()
    row = page.get_by_role("row").filter(has=page.get_by_role("link", name=versioned, exact=True))
    await expect(row).to_contain_text("+ 3 older")
    await row.get_by_role("link", name="Settings").click()
    await page.get_by_role("button", name="Delete bucket").click()
    dialog = page.get_by_role("dialog", name="Delete bucket")
    await expect(dialog).to_contain_text("1 object, 3 older versions, 3 delete markers;")


async def test_key_that_may_only_read(stranger: Visit, versioned: str) -> None:
    page = stranger.page
    await stranger.sign_in(READER)
    await stranger.open(f"b/{versioned}?deleted=1&prefix=a/")
    await expect(page.get_by_role("link", name="b/2.txt")).to_be_visible()
    await tick(page, "Select all")
    await expect(page.get_by_text("2 selected", exact=True).first).to_be_visible()
    await expect(page.get_by_role("button", name="Undelete")).to_have_count(0)
    await stranger.open_object(versioned, "a/1.txt")
    await expect(page.get_by_role("alert")).to_contain_text("A key that may write can undelete it")
    await expect(page.get_by_role("button", name="Undelete")).to_have_count(0)
