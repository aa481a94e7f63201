"""Delete, and undo it while the data exists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import expect

from jetstow.errors import ObjectNotFoundError

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
        await page.get_by_role("checkbox", name=f"Select {name}").check()
    await page.get_by_role("button", name="Delete").click()
    await expect(grid.get_by_role("link", name="one.txt")).to_have_count(0)
    await expect(grid.get_by_role("link", name="keep.txt")).to_be_visible()
    await page.get_by_role("button", name="Undo").click()
    await expect(grid.get_by_role("link", name="one.txt")).to_be_visible()
    await expect(grid.get_by_role("link", name="two.txt")).to_be_visible()
    assert (await store.get("one.txt")).data == b"one.txt"

    await page.get_by_role("checkbox", name="Select one.txt").check()
    await page.get_by_role("button", name="Delete").click()
    await expect(grid.get_by_role("link", name="one.txt")).to_have_count(0)
    # The message about the undo may still be there.
    deleted = page.get_by_role("status").filter(has_text="Deleted")
    await deleted.get_by_role("button", name="Dismiss").click()
    async for change in await store.watch():
        if change is not None and change.name == "one.txt" and change.deleted:
            break
    with pytest.raises(ObjectNotFoundError):
        await store.get_info("one.txt")
