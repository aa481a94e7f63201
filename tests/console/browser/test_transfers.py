"""Uploads and downloads of the page: folders, lost networks, reloads, digests."""

from __future__ import annotations

import hashlib
import re
import zipfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import expect

from tests.support.browser import tick, visiting
from tests.support.gateway import OWNER
from tests.support.proxy import Proxy
from tests.support.samples import some_bytes

if TYPE_CHECKING:
    from playwright.async_api import Browser, Locator, Page, Response, Route

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


async def expect_uploaded(page: Page, text: str) -> None:
    """Wait until all uploads have succeeded. The list of them is closed then."""
    await expect(page.get_by_role("region", name="Uploads")).to_contain_text(f"{text} uploaded")


def part_of(url: str) -> str:
    """Return the part number in the URL of a request, or an empty string."""
    found = re.search(r"partNumber=(\d+)", url)
    return found[1] if found else ""


def write_files(folder: Path, files: dict[str, bytes]) -> None:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


async def drop(page: Page, path: Path) -> None:
    """Drop a file or a folder on the middle of the page, as another program does."""
    browser = await page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(path)], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        event = {"type": kind, "x": 700, "y": 500, "data": data}
        await browser.send("Input.dispatchDragEvent", event)
    await browser.detach()


async def test_folder_is_dropped(
    visit: Visit, store: jetstow.ObjectStore, s3_bucket: str, tmp_path: Path
) -> None:
    """Browsers list at most 100 files of a folder at a time."""
    page = visit.page
    files = {"trip/day 1/a.txt": b"a", "trip/empty": b""}
    files |= {f"trip/day 2/{number}.txt": b"%d" % number for number in range(101)}
    write_files(tmp_path, files)
    await visit.open_folder(s3_bucket)
    await expect(page.get_by_text("This bucket is empty")).to_be_visible()
    await drop(page, tmp_path / "trip")
    await expect_uploaded(page, f"{len(files)} files")
    assert {info.name: (await store.get(info.name)).data async for info in store.list()} == files


async def test_folder_uploaded_and_downloaded_as_zip(
    visit: Visit, store: jetstow.ObjectStore, s3_bucket: str, tmp_path: Path
) -> None:
    page = visit.page
    files = {
        "trip/day 1/beach.jpg": some_bytes(9 * MIB),
        "trip/notes.txt": b"notes",
        "trip/empty": b"",
    }
    write_files(tmp_path, files)
    await visit.open_folder(s3_bucket)
    await choose(page, "Upload folder", tmp_path / "trip")
    await page.get_by_role("link", name="trip/").click()
    grid = page.get_by_role("grid", name="Objects")
    await expect(grid.get_by_role("link", name="notes.txt")).to_be_visible()
    await expect(grid.get_by_role("link", name="day 1/")).to_be_visible()
    await expect_uploaded(page, "3 files")
    await expect(upload(page, "beach.jpg")).to_have_count(0)
    for name, data in files.items():
        assert (await store.get(name)).data == data

    await (
        page.get_by_role("navigation", name="Path")
        .get_by_role("link", name=s3_bucket, exact=True)
        .click()
    )
    await tick(page, "Select trip/")
    async with page.expect_download() as download:
        await page.get_by_role("link", name="Download").click()
    with zipfile.ZipFile(await (await download.value).path()) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == files

    uploads = page.get_by_role("region", name="Uploads")
    await uploads.get_by_text("3 files uploaded").first.click()
    await expect(upload(page, "beach.jpg")).to_contain_text("Done")
    await uploads.get_by_role("button", name="Close").click()
    await expect(uploads).to_have_count(0)


async def test_zip_of_a_folder_without_data(
    visit: Visit, store: jetstow.ObjectStore, s3_bucket: str
) -> None:
    """The error of the gateway replaced the page."""
    page = visit.page
    await store.put("empty/", b"")
    await visit.open_folder(s3_bucket)
    folder = page.get_by_role("link", name="empty/")
    await expect(folder).to_be_visible()
    await page.get_by_role("button", name="More actions").click()
    async with page.expect_download() as download:
        await page.get_by_role("menuitem", name="Download all as zip").click()
    assert await (await download.value).failure()
    await folder.click()
    await expect(page.get_by_text("This folder is empty")).to_be_visible()
    await page.get_by_role("button", name="More actions").click()
    await expect(page.get_by_role("menuitem")).to_have_text(["Settings of the bucket"])


def damaging(data: bytes) -> Callable[[Route], Awaitable[None]]:
    """Return a route that sends other bytes than those of the request."""

    async def send(route: Route) -> None:
        await route.continue_(post_data=bytes([data[0] ^ 1]) + data[1:])

    return send


async def test_damaged_uploads_are_refused_and_repeated(
    visit: Visit, s3: Any, store: jetstow.ObjectStore, s3_bucket: str, tmp_path: Path
) -> None:
    """Bytes that changed on the way were stored: a request had no checksum."""
    page = visit.page
    files = {"small.bin": some_bytes(1000), "large.bin": some_bytes(9 * MIB)}
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    sent = {"small": files["small.bin"], "partNumber=2": files["large.bin"][8 * MIB :]}
    refused: list[Response] = []
    page.on("response", lambda each: refused.append(each) if each.status == 400 else None)
    await visit.open_folder(s3_bucket)
    for url, data in sent.items():
        await page.route(re.compile(url), damaging(data), times=1)
    await choose(page, "Upload files", *(tmp_path / name for name in files))
    await expect_uploaded(page, "2 files")
    assert ["BadDigest" in await response.text() for response in refused] == [True, True]
    for name, data in files.items():
        assert (await store.get(name)).data == data
        head = s3.head_object(Bucket=s3_bucket, Key=name, ChecksumMode="ENABLED")
        assert head["ChecksumType"] == "FULL_OBJECT"


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
            await expect_uploaded(page, "1 file")
            await expect(page.get_by_text(re.compile("^Live"))).to_be_visible(timeout=30_000)
    assert (await store.get("large.bin")).data == data


async def test_upload_goes_on_after_pause_and_reload(
    visit: Visit, store: jetstow.ObjectStore, s3_bucket: str, tmp_path: Path
) -> None:
    """The parts that were stored before the reload are not sent again."""
    page = visit.page
    (tmp_path / "large.bin").write_bytes(data := some_bytes(SIZE))
    sent: list[str] = []
    page.on("request", lambda each: sent.append(part_of(each.url)))
    await visit.open_folder(s3_bucket)
    others = re.compile("partNumber=[23]")
    await page.route(others, lambda _: None)  # they do not arrive
    async with page.expect_response(lambda each: part_of(each.url) == "1" and each.ok):
        await choose(page, "Upload files", tmp_path / "large.bin")
    line = upload(page, "large.bin")
    await expect(line).to_contain_text("8.0 MiB of 20.0 MiB")
    await line.get_by_role("button", name="Pause").click()
    await expect(line).to_contain_text("Paused")
    await page.unroute(others)
    await page.reload()
    sent.clear()
    await expect(line).to_contain_text("Paused")
    async with page.expect_file_chooser() as chooser:
        await line.get_by_role("button", name="Choose file again").click()
    await (await chooser.value).set_files(tmp_path / "large.bin")
    await expect_uploaded(page, "1 file")
    assert (await store.get("large.bin")).data == data
    assert sorted(filter(None, sent)) == ["2", "3"]
