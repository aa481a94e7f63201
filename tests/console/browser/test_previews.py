"""Previews of each kind, and where they come from."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import expect

if TYPE_CHECKING:
    from tests.support.browser import Visit

pytestmark = pytest.mark.asyncio(loop_scope="session")

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
)
PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
    b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>>endobj\n"
    b"trailer<</Root 1 0 R>>\n%%EOF\n"
)
OBJECTS = {
    "notes.txt": ("text/plain", "Grüße <b>not bold</b>".encode()),
    "data.json": ("application/json", b'{"answer":[42,null]}'),
    "table.csv": ("text/csv", b'city,people\nBern,"134,000"\nBasel,177000\n'),
    "pixel.png": ("image/png", PIXEL),
}


async def test_previews(visit: Visit, s3: Any, s3_bucket: str) -> None:
    page = visit.page
    for name, (kind, data) in OBJECTS.items():
        s3.put_object(Bucket=s3_bucket, Key=name, Body=data, ContentType=kind)
    region = page.get_by_role("region", name="Preview")

    await visit.open_object(s3_bucket, "notes.txt")
    await expect(region.get_by_text("Grüße <b>not bold</b>")).to_be_visible()
    await visit.open_object(s3_bucket, "data.json")
    await expect(region).to_contain_text("answer")
    await visit.open_object(s3_bucket, "table.csv")
    await expect(region.get_by_role("columnheader", name="people")).to_be_visible()
    await expect(region.get_by_role("cell", name="134,000")).to_be_visible()

    await visit.open_object(s3_bucket, "pixel.png")
    image = region.get_by_role("img", name="pixel.png")
    await expect(image).to_have_js_property("naturalWidth", 1)
    source = await image.get_attribute("src")
    assert source is not None
    assert source.startswith(f"{visit.previews}/")


@pytest.mark.slow
async def test_preview_of_a_pdf(visit: Visit, s3: Any, s3_bucket: str) -> None:
    """Its frame has another origin than the console."""
    s3.put_object(Bucket=s3_bucket, Key="paper.pdf", Body=PDF, ContentType="application/pdf")
    await visit.open_object(s3_bucket, "paper.pdf")
    frame = visit.page.get_by_role("region", name="Preview").locator("iframe")
    await expect(frame).to_be_visible()
    source = await frame.get_attribute("src")
    assert source is not None
    assert source.startswith(f"{visit.previews}/")
    assert visit.previews != visit.url
