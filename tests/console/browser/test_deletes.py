"""Delete, and undo it while the data exists."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import expect

from jetstow.errors import ObjectNotFoundError
from tests.support.browser import tick

if TYPE_CHECKING:
    import jetstow
    from tests.support.browser import Visit

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize("versioned", [True, False], ids=["versioned", "plain"])
async def test_delete_and_undo(
    visit: Visit, s3: Any, store: jetstow.ObjectStore, s3_bucket: str, versioned: bool
) -> None:
    page = visit.page
    if versioned:
        configuration = {"Status": "Enabled"}
        s3.put_bucket_versioning(Bucket=s3_bucket, VersioningConfiguration=configuration)
    for name in ("keep.txt", "one.txt", "two.txt"):
        s3.put_object(Bucket=s3_bucket, Key=name, Body=name.encode())
    await visit.open_folder(s3_bucket)
    grid = page.get_by_role("grid", name="Objects")
    for name in ("one.txt", "two.txt"):
        await tick(page, f"Select {name}")
    await page.get_by_role("button", name="Delete").click()
    await expect(grid.get_by_role("link", name="one.txt")).to_have_count(0)
    await expect(grid.get_by_role("link", name="keep.txt")).to_be_visible()
    await page.get_by_role("button", name="Undo").click()
    if versioned:  # the rows are shown until the list is read after the delete
        await expect(page.get_by_text("Restored 2 objects")).to_be_visible()
    await expect(grid.get_by_role("link", name="one.txt")).to_be_visible()
    await expect(grid.get_by_role("link", name="two.txt")).to_be_visible()
    assert (await store.get("one.txt")).data == b"one.txt"

    # Undo has changed the objects: a delete of rows that were read before would keep them.
    await page.reload()
    await tick(page, "Select one.txt")
    await page.get_by_role("button", name="Delete").click()
    await expect(grid.get_by_role("link", name="one.txt")).to_have_count(0)
    # The message about the undo may still be there.
    text = "Deleted “one.txt”" if versioned else "“one.txt” will be deleted in 8 seconds"
    message = page.get_by_role("status").filter(has_text=text)
    await message.get_by_role("button", name="Dismiss").click()
    async for change in await store.watch():
        if change is not None and change.name == "one.txt" and change.deleted:
            break
    with pytest.raises(ObjectNotFoundError):
        await store.get_info("one.txt")


async def test_what_is_stored_during_a_delete_stays(
    visit: Visit, store: jetstow.ObjectStore, s3_bucket: str, tmp_path: Path
) -> None:
    """The delete that waited for its undo deleted new objects of the same names."""
    page = visit.page
    for name in ("u.txt", "w.txt", "gone.txt", "folder/old.txt"):
        await store.put(name, b"old")
    await visit.open_folder(s3_bucket)
    grid = page.get_by_role("grid", name="Objects")
    await expect(page.get_by_text("Live", exact=True)).to_be_visible()

    # An upload of this page cancels the delete.
    await tick(page, "Select u.txt")
    await page.keyboard.press("Delete")
    pending = page.get_by_text("“u.txt” will be deleted in 8 seconds")
    await expect(pending).to_be_visible()
    await expect(grid.get_by_role("link", name="u.txt")).to_have_count(0)
    (tmp_path / "u.txt").write_bytes(b"new")
    async with page.expect_file_chooser() as chooser:
        await page.get_by_role("button", name="Upload files").click()
    await (await chooser.value).set_files(tmp_path / "u.txt")
    await page.get_by_role("button", name="Replace").click()
    await expect(page.get_by_role("status", name="Upload result")).to_have_text("1 file uploaded")
    await expect(grid.get_by_role("link", name="u.txt")).to_be_visible()
    await expect(pending).to_have_count(0)

    # What another window stores is kept.
    for name in ("w.txt", "gone.txt", "folder"):
        await tick(page, f"Select {name}")
    await page.keyboard.press("Delete")
    await expect(grid.get_by_role("link", name="w.txt")).to_have_count(0)
    for name in ("w.txt", "folder/brandnew.txt"):
        await store.put(name, b"new")
    await expect(grid.get_by_role("link", name="w.txt")).to_be_visible()
    message = page.get_by_role("status").filter(has_text="1 folder and 2 objects will be deleted")
    await message.get_by_role("button", name="Dismiss").click()
    kept = "and 1 other were kept: they have changed since you deleted them"
    await expect(page.get_by_text(kept)).to_be_visible()
    await expect(page.get_by_text("Deleted 2 objects")).to_be_visible()
    left = {info.name: (await store.get(info.name)).data for info in await store.list()}
    assert left == dict.fromkeys(("folder/brandnew.txt", "u.txt", "w.txt"), b"new")


async def test_many_deletes_wait_for_their_undo(
    visit: Visit, store: jetstow.ObjectStore, s3_bucket: str
) -> None:
    """The message of the fifth closed that of the first, which sent its delete at once."""
    page = visit.page
    names = [f"{number}.txt" for number in range(6)]
    for name in names:
        await store.put(name, b"text")
    await visit.open_folder(s3_bucket)
    await expect(page.get_by_role("grid", name="Objects").get_by_role("row")).to_have_count(7)
    sent: list[str] = []
    page.on("request", lambda each: sent.append(each.url) if each.method == "POST" else None)
    for name in names:
        await tick(page, f"Select {name}")
        await page.keyboard.press("Delete")
    undo = page.get_by_role("button", name="Undo")
    await expect(undo).to_have_count(len(names))
    await undo.evaluate_all("(buttons) => buttons.forEach((each) => each.click())")
    await expect(undo).to_have_count(0)
    assert sent == []
    assert {info.name async for info in store.list()} == set(names)


async def test_undo_below_a_newer_version(visit: Visit, s3: Any, s3_bucket: str) -> None:
    """It reported that it restored the object, and the newer version stayed the current one."""
    page = visit.page
    s3.put_bucket_versioning(Bucket=s3_bucket, VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket=s3_bucket, Key="u.txt", Body=b"old")
    await visit.open_folder(s3_bucket)
    grid = page.get_by_role("grid", name="Objects")
    undo = page.get_by_role("button", name="Undo")

    await tick(page, "Select u.txt")
    await page.keyboard.press("Delete")
    await expect(undo).to_be_visible()
    s3.put_object(Bucket=s3_bucket, Key="u.txt", Body=b"new")
    await undo.click()
    refused = page.get_by_text("Not restored: “u.txt”. There is a newer version.")
    await expect(refused).to_be_visible()
    await expect(page.get_by_text("Restored")).to_have_count(0)

    await expect(grid.get_by_role("link", name="u.txt")).to_be_visible()
    await tick(page, "Select u.txt")
    await page.keyboard.press("Delete")
    await expect(undo).to_be_visible()
    await visit.open_object(s3_bucket, "u.txt")
    await page.get_by_role("button", name="Undelete").click()
    await expect(page.get_by_text("Undeleted “u.txt”")).to_be_visible()
    await expect(undo).to_have_count(0)  # there is nothing left to undo


async def test_delete_after_back_is_of_the_row_that_was_opened(
    visit: Visit, store: jetstow.ObjectStore, s3_bucket: str
) -> None:
    """After quick keys, a click, or a change of the list, it was that of another row."""
    page = visit.page
    for name in ("b.txt", "c.txt", "d.txt", "e.txt", "f.txt"):
        await store.put(name, b"text")
    await visit.open_folder(s3_bucket)
    grid = page.get_by_role("grid", name="Objects")
    link = grid.get_by_role("link", name="d.txt")

    async def delete_after_back() -> None:
        await expect(page.get_by_role("heading", level=1)).to_have_text("d.txt")
        await page.go_back()
        await expect(link).to_be_visible()
        await page.keyboard.press("Delete")
        await expect(page.get_by_text("“d.txt” will be deleted in 8 seconds")).to_be_visible()
        await page.get_by_role("button", name="Undo").click()

    await expect(link).to_be_visible()
    # One task of the page, so that nothing is painted in between.
    await page.evaluate("""async () => {
      for (const key of ["ArrowDown", "ArrowDown", "ArrowDown", "Enter"]) {
        document.body.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true}));
        await null;
        await null;
      }
    }""")
    await delete_after_back()

    await page.keyboard.press("Home")
    await link.click()
    await delete_after_back()

    await link.click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("d.txt")
    await store.put("a.txt", b"text")
    await delete_after_back()

    # It is no row any more: Delete does nothing.
    await link.click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("d.txt")
    await store.delete("d.txt")
    await page.go_back()
    await expect(grid.get_by_role("link", name="e.txt")).to_be_visible()
    await page.keyboard.press("Delete")
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    await expect(page.get_by_text("will be deleted")).to_have_count(0)
