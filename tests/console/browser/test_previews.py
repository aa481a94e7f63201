"""Previews of each kind, and where they come from."""

from __future__ import annotations

import base64
import io
import wave
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from playwright.async_api import expect

if TYPE_CHECKING:
    from tests.support.browser import Visit

pytestmark = pytest.mark.asyncio(loop_scope="session")

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
)
# Two frames of 16 by 16 pixels that MediaRecorder of Chromium made.
VIDEO = base64.b64decode(
    "GkXfo59ChoEBQveBAULygQRC84EIQoKEd2VibUKHgQRChYECGFOAZwEAAAAAAAGxEU2bdLlNu4tTq4QVSalmU6yB"
    "bk27i1OrhBZUrmtTrIGTTbuLU6uEH0O2dVOsgdRNu4xTq4QcU7trU6yCAZ/srgAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAVSalmoCrXsYMPQkBEiYRDATodTYCGQ2hyb21lV0GGQ2hyb21lFlSu"
    "a7yuuteBAXPFh4LlvaRfctKDgQFV7oEBhoVWX1ZQOOCdsIEQuoEQU8CBAVWwkFWxgQFVuYECVbqBDVW7gQEfQ7Z1"
    "AQAAAAAAAL/ngQCg6KG9gQAAALACAJ0BKhAAEAAABwiFhYiZhIgBJBATrVAfwBBn79j+/6d5P//J7v/J7v/J7v/8"
    "nu//OwbEu14AAHWhpqak7oEBpZ8QAgCdASoQABAAAAcIhYWImYSIASQQAGBrAP7/uoMAoNChr4EAgQDxAQAAEAkg"
    "AMA5wEGp/5ZqCHj+/uu8v/lPY4r6P/Kfv/+T3Z40pol/+TgAdaGZppfugQGlktEBAAAQCSAAwADCwX+gAEAAAPuB"
    "ABxTu2uNu4uzgQC3hveBAfGB1A=="
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


def silence(seconds: int) -> bytes:
    """Return a WAV file of 192 kB a second."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(2)
        sound.setsampwidth(2)
        sound.setframerate(48_000)
        sound.writeframes(bytes(192_000 * seconds))
    return file.getvalue()


async def test_sound_and_video_play_from_any_place(visit: Visit, s3: Any, s3_bucket: str) -> None:
    """The browser requests ranges: a jump to the end does not download what is before it."""
    page = visit.page
    sound = silence(60)
    ranges: list[str] = []
    for name, kind, data in (
        ("sound.wav", "audio/wav", sound),
        ("clip.webm", "video/webm", VIDEO),
    ):
        s3.put_object(Bucket=s3_bucket, Key=name, Body=data, ContentType=kind)
    await visit.open_object(s3_bucket, "sound.wav")
    page.on("response", lambda each: ranges.append(each.headers.get("content-range", "")))
    audio = page.get_by_label("sound.wav")
    await expect(audio).to_have_js_property("duration", 60)
    async with page.expect_event("response") as jump:
        await audio.evaluate("element => { element.currentTime = 59.5; }")
    assert (await jump.value).status == 206
    await expect(audio).to_have_js_property("seeking", False)
    start = max(int(each.split()[1].partition("-")[0]) for each in ranges if each)
    assert start > 0.9 * len(sound)

    await visit.open_object(s3_bucket, "clip.webm")
    video = page.get_by_label("clip.webm")
    await expect(video).to_have_js_property("videoWidth", 16)
    await video.evaluate("element => { element.muted = true; return element.play(); }")
    await expect(video).to_have_js_property("ended", True)


@pytest.mark.slow
async def test_preview_of_parquet(visit: Visit, s3: Any, s3_bucket: str) -> None:
    file = io.BytesIO()
    pq.write_table(pa.table({"city": ["Bern", "<b>Basel"], "people": [134_000, None]}), file)
    s3.put_object(Bucket=s3_bucket, Key="table.parquet", Body=file.getvalue())
    await visit.open_object(s3_bucket, "table.parquet")
    region = visit.page.get_by_role("region", name="Preview")
    await expect(region).to_contain_text("2 rows, 2 columns")
    await expect(region.get_by_role("columnheader", name="people")).to_contain_text("int64")
    await expect(region.get_by_role("cell", name="<b>Basel")).to_be_visible()


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
