"""Uploads and downloads of the page: folders, lost networks, reloads, digests."""

from __future__ import annotations

import hashlib
import re
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from tests.support.browser import visiting
from tests.support.gateway import OWNER
from tests.support.proxy import Proxy
from tests.support.samples import some_bytes

if TYPE_CHECKING:
    from playwright.async_api import Browser, Locator, Page

    import jetstow
    from tests.support.browser import Visit
    from tests.support.console import RunningConsole

pytestmark = pytest.mark.asyncio(loop_scope="session")

MIB = 1024 * 1024
SIZE = 20 * MIB  # three parts


async def choose(page: Page, button: str, *paths: Path) -> None:
    """Choose files or a folder in the picker that a button opens."""
    async with page.expect_file_chooser() as chooser:
        await page.get_by_role("button", name=button).click()
    await (await chooser.value).set_files(paths[0] if len(paths) == 1 else list(paths))


def upload(page: Page, name: str) -> Locator:
    """The line of a file in the list of uploads."""
    return page.get_by_role("region", name="Uploads").get_by_role("listitem").filter(has_text=name)


def part_of(url: str) -> str:
    """Return the part number in the URL of a request, or an empty string."""
    found = re.search(r"partNumber=(\d+)", url)
    return found[1] if found else ""


async def test_folder_uploaded_and_downloaded_as_zip(
    visit: Visit, store: jetstow.ObjectStore, s3_bucket: str, tmp_path: Path
) -> None:
    page = visit.page
    files = {
        "trip/day 1/beach.jpg": some_bytes(9 * MIB),
        "trip/notes.txt": b"notes",
        "trip/empty": b"",
    }
    for name, data in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    await visit.open_folder(s3_bucket)
    await choose(page, "Upload folder", tmp_path / "trip")
    await page.get_by_role("link", name="trip/").click()
    grid = page.get_by_role("grid", name="Objects")
    await expect(grid.get_by_role("link", name="notes.txt")).to_be_visible()
    await expect(grid.get_by_role("link", name="day 1/")).to_be_visible()
    await expect(upload(page, "beach.jpg")).to_contain_text("Done")
    for name, data in files.items():
        assert (await store.get(name)).data == data

    await (
        page.get_by_role("navigation", name="Path")
        .get_by_role("link", name=s3_bucket, exact=True)
        .click()
    )
    await page.get_by_role("checkbox", name="Select trip/").check()
    async with page.expect_download() as download:
        await page.get_by_role("link", name="Download").click()
    with zipfile.ZipFile(await (await download.value).path()) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == files


async def test_download_has_the_digest_of_the_object(
    visit: Visit, store: jetstow.ObjectStore, s3_bucket: str
) -> None:
    page = visit.page
    data = some_bytes(3 * MIB + 7)
    await store.put("data/übung.bin", data)
    await visit.open_object(s3_bucket, "data/übung.bin")
    async with page.expect_download() as download:
        await page.get_by_role("link", name="Download").click()
    received = await download.value
    assert received.suggested_filename == "übung.bin"
    path = await received.path()
    assert hashlib.sha256(path.read_bytes()).digest() == hashlib.sha256(data).digest()


async def test_upload_goes_on_after_the_network_was_lost(
    chromium: Browser,
    console: RunningConsole,
    store: jetstow.ObjectStore,
    s3_bucket: str,
    tmp_path: Path,
) -> None:
    (tmp_path / "large.bin").write_bytes(data := some_bytes(SIZE))
    async with Proxy(console.port) as proxy:
        url = f"http://127.0.0.1:{proxy.port}"
        async with visiting(chromium, url) as visit:
            page = visit.page
            await visit.sign_in(OWNER)
            await visit.open_folder(s3_bucket)
            await expect(page.get_by_text(re.compile("^Live"))).to_be_visible()
            lost = proxy.cut_after(SIZE // 2, "to_server")
            await choose(page, "Upload files", tmp_path / "large.bin")
            await lost
            proxy.refuse()
            await expect(upload(page, "large.bin")).to_contain_text("Waiting for the network")
            await expect(page.get_by_text("Reconnecting")).to_be_visible()
            proxy.accept()
            await expect(upload(page, "large.bin")).to_contain_text("Done")
            await expect(page.get_by_text(re.compile("^Live"))).to_be_visible(timeout=30_000)
    assert (await store.get("large.bin")).data == data


async def test_upload_goes_on_after_pause_and_reload(
    chromium: Browser,
    console: RunningConsole,
    store: jetstow.ObjectStore,
    s3_bucket: str,
    tmp_path: Path,
) -> None:
    """The parts that were stored before the reload are not sent again."""
    (tmp_path / "large.bin").write_bytes(data := some_bytes(32 * MIB))
    async with (
        Proxy(console.port, rate=32 * MIB) as proxy,
        visiting(chromium, f"http://127.0.0.1:{proxy.port}") as visit,
    ):
        page = visit.page
        await visit.sign_in(OWNER)
        await visit.open_folder(s3_bucket)
        stored: list[str] = []
        page.on("response", lambda each: stored.append(part_of(each.url)) if each.ok else None)
        async with page.expect_response(lambda each: bool(part_of(each.url)) and each.ok):
            await choose(page, "Upload files", tmp_path / "large.bin")
        line = upload(page, "large.bin")
        await line.get_by_role("button", name="Pause").click()
        await expect(line).to_contain_text("Paused")
        await page.reload()
        before = set(filter(None, stored))
        sent: list[str] = []
        page.on("request", lambda each: sent.append(part_of(each.url)))
        line = upload(page, "large.bin")
        await expect(line).to_contain_text("Paused")
        async with page.expect_file_chooser() as chooser:
            await line.get_by_role("button", name="Choose file again").click()
        await (await chooser.value).set_files(tmp_path / "large.bin")
        await expect(line).to_contain_text("Done")
    assert (await store.get("large.bin")).data == data
    assert before
    assert not before & set(sent)
