"""The page of an object: edits that conflict, versions, verification; names that are taken."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import expect

from jetstow import ObjectMeta
from tests.support.samples import some_bytes

if TYPE_CHECKING:
    import jetstow
    from tests.support.browser import Visit

pytestmark = pytest.mark.asyncio(loop_scope="session")

MIB = 1024 * 1024


async def test_edit_of_an_object_that_another_client_has_changed(
    visit: Visit, store: jetstow.ObjectStore, s3_bucket: str
) -> None:
    page = visit.page
    await store.put("notes.txt", b"notes", description="first")
    await visit.open_object(s3_bucket, "notes.txt")
    await page.get_by_role("button", name="Edit").click()
    dialog = page.get_by_role("dialog", name="Edit")
    await dialog.get_by_label("Type").fill("text/markdown")
    await dialog.get_by_role("button", name="Add to metadata").click()
    await expect(dialog.get_by_label("Metadata: name 1")).to_be_focused()
    await dialog.get_by_role("button", name="Add to metadata").click()
    await expect(dialog.get_by_label("Metadata: name 2")).to_be_focused()
    await dialog.get_by_role("button", name="Remove Metadata 2").click()
    await expect(dialog.get_by_role("button", name="Add to metadata")).to_be_focused()
    await dialog.get_by_label("Metadata: name 1").fill("boat")
    await dialog.get_by_label("Metadata: value 1").fill("Nautilus")

    await store.update_meta("notes.txt", ObjectMeta(name="notes.txt", description="second"))
    await dialog.get_by_role("button", name="Save").click()
    await expect(dialog.get_by_role("alert")).to_contain_text("Another client has changed")
    await dialog.get_by_role("button", name="Keep my changes").click()
    await expect(dialog.get_by_label("Description")).to_have_value("second")
    await dialog.get_by_role("button", name="Save").click()
    await expect(dialog).to_have_count(0)

    info = await store.get_info("notes.txt")
    assert info.description == "second"
    assert info.content_type == "text/markdown"
    assert (info.metadata or {})["boat"] == "Nautilus"


@pytest.mark.slow
async def test_versions_are_restored_deleted_and_undeleted(
    visit: Visit, s3: Any, store: jetstow.ObjectStore, s3_bucket: str
) -> None:
    page = visit.page
    s3.put_bucket_versioning(Bucket=s3_bucket, VersioningConfiguration={"Status": "Enabled"})
    for body in (b"one", b"two"):
        s3.put_object(Bucket=s3_bucket, Key="a.txt", Body=body, ContentType="text/plain")
    await visit.open_object(s3_bucket, "a.txt")
    await page.get_by_role("tab", name="Versions").click()
    rows = page.get_by_role("table", name="Versions").locator("tbody tr")
    await expect(rows).to_have_count(2)
    await page.get_by_role("button", name="Restore").click()
    await expect(rows).to_have_count(3)
    assert (await store.get("a.txt")).data == b"one"
    await page.reload()  # the tab is in the address
    await expect(rows).to_have_count(3)
    await page.keyboard.press("F2")
    await expect(page.get_by_role("dialog")).to_contain_text("2 older versions stay under the old")
    await page.keyboard.press("Escape")

    await rows.last.get_by_role("button", name="Delete the version").click()
    await page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await expect(rows).to_have_count(2)
    await rows.last.get_by_role("link").click()
    await expect(page.get_by_role("link", name="Show the current version")).to_be_visible()
    await page.get_by_role("tab", name="Versions").click()
    await expect(page.locator("tr[aria-current=true]")).to_contain_text("Shown here")
    await page.get_by_role("toolbar").get_by_role("button", name="Restore").click()
    await expect(page.get_by_role("button", name="Edit")).to_be_visible()
    assert (await store.get("a.txt")).data == b"two"

    s3.delete_object(Bucket=s3_bucket, Key="a.txt")
    await expect(page.get_by_text("This object was deleted")).to_be_visible()
    await page.get_by_role("button", name="Undelete").click()
    await expect(page.get_by_role("link", name="Download")).to_be_visible()
    assert (await store.get("a.txt")).data == b"two"
    await page.keyboard.press("Backspace")
    await expect(page.get_by_role("grid", name="Objects")).to_be_visible()


@pytest.mark.slow
async def test_chunks_of_an_older_version_are_verified(
    visit: Visit, s3: Any, s3_bucket: str
) -> None:
    """There was no button: only the current version could be verified."""
    page = visit.page
    s3.put_bucket_versioning(Bucket=s3_bucket, VersioningConfiguration={"Status": "Enabled"})
    old = s3.put_object(Bucket=s3_bucket, Key="data.bin", Body=some_bytes(MIB))["VersionId"]
    s3.put_object(Bucket=s3_bucket, Key="data.bin", Body=b"new")
    await visit.open(f"o/{s3_bucket}?name=data.bin&version={old}")
    await page.get_by_role("tab", name="Chunks").click()
    await page.get_by_role("button", name="Verify").click()
    state = page.get_by_role("status", name="Verification")
    await expect(state).to_contain_text("All 8 chunks are there")


@pytest.mark.slow
async def test_upload_of_names_that_are_taken(
    visit: Visit, store: jetstow.ObjectStore, s3_bucket: str, tmp_path: Path
) -> None:
    """Small files and files in parts ask before they replace an object."""
    page = visit.page
    new = {"a.txt": b"new", "b.txt": b"new", "c.bin": some_bytes(9 * MIB)}
    for name, data in new.items():
        await store.put(name, b"old")
        (tmp_path / name).write_bytes(data)
    await visit.open_folder(s3_bucket)
    async with page.expect_file_chooser() as chooser:
        await page.get_by_role("button", name="Upload files").click()
    await (await chooser.value).set_files([tmp_path / name for name in new])

    lines = page.get_by_role("region", name="Uploads").get_by_role("listitem")
    question = page.get_by_role("group", name="Name conflict")
    await expect(lines.filter(has_text="Exists already")).to_have_count(3)
    await expect(page.get_by_role("button", name="waits for your answer")).to_be_visible()
    await expect(page.get_by_role("button", name="Resume all")).to_have_count(0)
    await question.get_by_role("button", name="Keep both").click()
    await expect(lines.filter(has_text="a (2).txt")).to_contain_text("Done")
    await question.get_by_role("button", name="Skip").click()
    await expect(lines.filter(has_text="b.txt")).to_contain_text("Skipped")
    await question.get_by_role("button", name="Replace").click()
    uploads = page.get_by_role("region", name="Uploads")
    await expect(uploads).to_contain_text("2 files uploaded")

    stored = {
        name: (await store.get(name)).data for name in ("a.txt", "a (2).txt", "b.txt", "c.bin")
    }
    assert stored == {
        "a.txt": b"old", "a (2).txt": b"new", "b.txt": b"old", "c.bin": new["c.bin"],
    }  # fmt: skip
