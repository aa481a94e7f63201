"""axe-core finds no serious or critical fault on any page, in both themes and at both widths.

The pages of a test share a context and one load of axe-core.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import expect

from tests.support.browser import NARROW, WIDE, Visit, serious_violations, tick
from tests.support.gateway import new_bucket

if TYPE_CHECKING:
    from playwright.async_api import ViewportSize

pytestmark = pytest.mark.asyncio(loop_scope="session")

OBJECTS = {
    "a/b.txt": ("text/plain", b"text"),
    "data.json": ("application/json", b'{"answer": [42, null, "text"]}'),
    "long " * 30 + ".txt": ("text/plain", b"text"),
    "notes.txt": ("text/plain", b"text"),
    "table.csv": ("text/csv", b"city,people\nBern,134000\n"),
}
SETTINGS = ("General", "Lifecycle", "CORS", "Events", "Policy", "Jobs")


@pytest.fixture(scope="module")
def furnished(s3: Any) -> Iterator[str]:
    """A bucket with versions, objects and a deleted object."""
    bucket = "furnished"
    with new_bucket(s3, bucket):
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        s3.put_object(Bucket=bucket, Key="gone.txt", Body=b"text")
        s3.delete_object(Bucket=bucket, Key="gone.txt")
        for name, (kind, data) in OBJECTS.items():
            s3.put_object(
                Bucket=bucket, Key=name, Body=data, ContentType=kind,
                Metadata={"camera": "deck"}, Tagging="public=yes",
            )  # fmt: skip
        yield bucket


class Audit:
    """Collects the faults of the states of a visit."""

    def __init__(self, visit: Visit, width: int) -> None:
        self.visit = visit
        self.page = visit.page
        self.found: list[str] = []
        self._width = width

    async def check(self) -> None:
        """Look at the page in both themes. It must not scroll sideways: readable at 360 px."""
        await expect(self.page.locator("[aria-busy=true]")).to_have_count(0)
        self.found += await serious_violations(self.page)
        await self.page.emulate_media(color_scheme="dark", reduced_motion="reduce")
        # Only colors depend on the theme.
        dark = await serious_violations(self.page, ["color-contrast"])
        self.found += [f"dark: {each}" for each in dark]
        await self.page.emulate_media(color_scheme="light", reduced_motion="reduce")
        width = await self.page.evaluate("document.documentElement.scrollWidth")
        if width > self._width:
            self.found.append(f"{self.page.url}: {width} px wide at {self._width} px")

    def verify(self) -> None:
        """Fail if there was a fault."""
        assert not self.found, "\n".join(self.found)

    async def check_dialog(self, button: str) -> None:
        """Look at the dialog that a button opens, and close it."""
        await self.page.get_by_role("button", name=button).click()
        await expect(self.page.get_by_role("dialog")).to_be_visible()
        await self.check()
        await self.page.keyboard.press("Escape")
        await expect(self.page.get_by_role("dialog")).to_have_count(0)

    async def check_tabs(self, names: tuple[str, ...]) -> None:
        for name in names:
            tab = self.page.get_by_role("tab", name=name)
            await tab.click()
            await expect(tab).to_have_attribute("aria-selected", "true")
            await self.check()


@pytest.fixture(params=[WIDE, NARROW], ids=["wide", "narrow"])
def viewport(request: pytest.FixtureRequest) -> ViewportSize:
    size: ViewportSize = request.param
    return size


async def test_sign_in_is_accessible(stranger: Visit, viewport: ViewportSize) -> None:
    await stranger.page.set_viewport_size(viewport)
    audit = Audit(stranger, viewport["width"])
    await stranger.open()
    await expect(stranger.page.get_by_role("heading", name="Sign in")).to_be_visible()
    await audit.check()
    audit.verify()


async def test_lists_are_accessible(
    visit: Visit, viewport: ViewportSize, furnished: str, tmp_path: Path
) -> None:
    await visit.page.set_viewport_size(viewport)
    audit = Audit(visit, viewport["width"])
    await check_buckets(audit)
    await check_folder(audit, furnished, tmp_path)
    await check_deleted(audit, furnished)
    audit.verify()


async def test_objects_are_accessible(visit: Visit, viewport: ViewportSize, furnished: str) -> None:
    await visit.page.set_viewport_size(viewport)
    audit = Audit(visit, viewport["width"])
    await check_objects(audit, furnished)
    audit.verify()


async def test_settings_are_accessible(
    visit: Visit, viewport: ViewportSize, furnished: str
) -> None:
    await visit.page.set_viewport_size(viewport)
    audit = Audit(visit, viewport["width"])
    await check_settings(audit, furnished)
    await check_administration(audit)
    audit.verify()


async def check_buckets(audit: Audit) -> None:
    page = audit.page
    await audit.visit.open()
    await expect(page.get_by_role("table", name="Buckets")).to_be_visible()
    # The list has the buckets of all tests; the filter leaves one.
    await page.get_by_role("searchbox", name="Filter").fill("furnished")
    await expect(page.get_by_role("table", name="Buckets").get_by_role("row")).to_have_count(2)
    await audit.check()
    await audit.check_dialog("New bucket")
    await page.get_by_role("searchbox", name="Filter").fill("no such bucket")
    await audit.check()


async def check_folder(audit: Audit, bucket: str, tmp_path: Path) -> None:
    page, visit = audit.page, audit.visit
    await visit.open_folder(bucket)
    await tick(page, "Select notes.txt")
    await audit.check()
    await audit.check_dialog("Rename")
    await page.get_by_role("button", name="Actions for notes.txt").click()
    await audit.check()
    await page.keyboard.press("Escape")
    await audit.check_dialog("Help")

    await visit.open_folder(bucket, "no folder/")
    await expect(page.get_by_text("This folder is empty")).to_be_visible()
    await audit.check()
    # The object exists in the list of the folder: the question about the name is a state, too.
    await visit.open_folder(bucket)
    (tmp_path / "notes.txt").write_bytes(b"new")
    async with page.expect_file_chooser() as chooser:
        await page.get_by_role("button", name="Upload files").click()
    await (await chooser.value).set_files(tmp_path / "notes.txt")
    question = page.get_by_role("group", name="Name conflict")
    await expect(question).to_be_visible()
    await audit.check()
    await question.get_by_role("button", name="Skip").click()
    uploads = page.get_by_role("region", name="Uploads")
    await expect(uploads).to_contain_text("Nothing was uploaded")
    await audit.check()
    await uploads.get_by_role("button", name="Close").click()


async def check_deleted(audit: Audit, bucket: str) -> None:
    page, visit = audit.page, audit.visit
    await visit.show(f"b/{bucket}?deleted=1&prefix=a/")
    await expect(page.get_by_text("There are no deleted objects")).to_be_visible()
    await audit.check()
    await visit.show(f"b/{bucket}?deleted=1")
    await expect(page.get_by_role("link", name="gone.txt")).to_be_visible()
    await audit.check_dialog("Undelete all")
    await tick(page, "Select gone.txt")
    await audit.check()
    await visit.open_object(bucket, "gone.txt")
    await expect(page.get_by_role("button", name="Undelete")).to_be_visible()
    await audit.check()


async def check_objects(audit: Audit, bucket: str) -> None:
    page, visit = audit.page, audit.visit
    for name in ("data.json", "table.csv", "notes.txt"):
        await visit.open_object(bucket, name)
        await expect(page.get_by_role("heading", name=name)).to_be_visible()
        await audit.check()
    await audit.check_dialog("Share")
    await audit.check_dialog("Edit")
    await audit.check_tabs(("Details", "Versions", "Chunks"))


async def check_settings(audit: Audit, bucket: str) -> None:
    page = audit.page
    await audit.visit.show(f"b/{bucket}/settings")
    await expect(page.get_by_role("button", name="Delete bucket")).to_be_visible()
    await audit.check_tabs(SETTINGS)


async def check_administration(audit: Audit) -> None:
    page = audit.page
    main = page.get_by_role("navigation", name="Main")
    for name in ("Keys", "Health", "Activity"):
        await main.get_by_role("link", name=name).click()
        await expect(page.get_by_role("heading", name=name).first).to_be_focused()
        await audit.check()
    await audit.visit.show("no/such/page")
    await expect(page.get_by_role("heading", name="There is no page")).to_be_visible()
    await audit.check()
