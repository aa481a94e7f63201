"""Controls are in the window and overlap nothing, at the widths of tablets, too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import expect

if TYPE_CHECKING:
    from tests.support.browser import Visit

pytestmark = pytest.mark.asyncio(loop_scope="session")

WIDTHS = (1280, 1024, 900, 800, 640, 360)
# Visible controls and texts that are cut off by the window or by what scrolls, and those that
# overlap. Rows of the grid have a layout of their own.
FAULTS = """
() => {
  const named = (element) => (element.getAttribute("aria-label") || element.textContent).trim();
  const selector = "a, button, input, select, label, h1, h2, .number, .badge, .live";
  const boxes = [...document.querySelectorAll(selector)]
    .filter((each) => each.checkVisibility({visibilityProperty: true}))
    .filter((each) => !each.closest(".visually-hidden, .row, .grid-head"))
    .map((element) => ({element, box: element.getBoundingClientRect()}))
    .filter(({box}) => box.width > 1 && box.height > 1);
  const found = [];
  for (const {element, box} of boxes) {
    let [left, right] = [0, innerWidth];
    for (let above = element.parentElement; above; above = above.parentElement) {
      if (getComputedStyle(above).overflowX === "visible") continue;
      const outer = above.getBoundingClientRect();
      [left, right] = [Math.max(left, outer.left), Math.min(right, outer.right)];
    }
    if (box.left < left - 1 || box.right > right + 1) found.push(`cut off: ${named(element)}`);
  }
  for (const [index, {element, box}] of boxes.entries()) {
    for (const other of boxes.slice(index + 1)) {
      if (element.contains(other.element) || other.element.contains(element)) continue;
      const width = Math.min(box.right, other.box.right) - Math.max(box.left, other.box.left);
      const height = Math.min(box.bottom, other.box.bottom) - Math.max(box.top, other.box.top);
      if (width <= 1 || height <= 1) continue;
      found.push(`overlap: ${named(element)}, ${named(other.element)}`);
    }
  }
  return found;
}
"""


async def test_nothing_is_cut_off_or_overlaps(visit: Visit, s3: Any, s3_bucket: str) -> None:
    """At 800 px, the actions of a selection covered the filter; at 640 px, Delete was cut off."""
    page = visit.page
    s3.put_bucket_versioning(Bucket=s3_bucket, VersioningConfiguration={"Status": "Enabled"})
    for _ in range(2):
        s3.put_object(Bucket=s3_bucket, Key="2026 spring/line-01.csv", Body=b"a,b\n1,2\n")
    found: list[str] = []

    async def check(name: str) -> None:
        await expect(page.locator("[aria-busy=true]")).to_have_count(0)
        for width in WIDTHS:
            await page.set_viewport_size({"width": width, "height": 740})
            found.extend(f"{name}, {width} px: {fault}" for fault in await page.evaluate(FAULTS))

    await visit.open()
    await page.get_by_role("searchbox", name="Filter").fill(s3_bucket)
    await expect(page.get_by_text("+ 1 older")).to_be_visible()
    await check("buckets")
    await visit.open_folder(s3_bucket, "2026 spring/")
    select = page.get_by_role("checkbox", name="Select line-01.csv")
    await expect(select).to_be_visible()
    await expect(page.get_by_role("checkbox", name="Only deleted")).to_be_visible()
    await check("folder")
    await select.check()
    await check("selection")
    await visit.open_object(s3_bucket, "2026 spring/line-01.csv")
    await expect(page.get_by_role("tabpanel")).to_be_visible()
    await check("object")
    await visit.show("admin/health")
    await expect(page.get_by_role("heading", name="JetStream")).to_be_visible()
    await check("health")
    assert not found, "\n".join(found)
