"""Pictures of every state of the console: `python -m tests.console.browser.screenshots`.

Each state is shown at 1440 and 360 pixels, light and dark. All pictures are written to
`.cache/console/`; `docs/_static/console/` gets a sheet of the four of each state, and the wide,
light one of those in `KEPT`. States named as arguments are taken alone, and not kept.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

from PIL import Image
from playwright.async_api import Error, expect

from tests.console.browser import demo
from tests.support.browser import NARROW, WIDE, Visit, launched, tick, visiting
from tests.support.console import RunningConsole
from tests.support.gateway import OWNER, READER, new_client
from tests.support.servers import NatsServer

log = logging.getLogger(__name__)
ROOT = Path(__file__).parents[3]
ALL = ROOT / ".cache" / "console"
DOCS = ROOT / "docs" / "_static" / "console"
THEMES = ("light", "dark")
KEPT = ("folder",)
KEPT_BOX = (0, 0, 1440, 640)
BUCKET = "expeditions"

State = Callable[[Visit], Awaitable[None]]
STATES: dict[str, State] = {}


def state(function: State) -> State:
    STATES[function.__name__.replace("_", "-")] = function
    return function


@state
async def sign_in(visit: Visit) -> None:
    await visit.page.context.clear_cookies()
    await visit.open()
    await expect(visit.page.get_by_role("button", name="Sign in")).to_be_visible()


@state
async def sign_in_refused(visit: Visit) -> None:
    await sign_in(visit)
    await visit.page.get_by_label("Access key").fill(OWNER.access_key)
    await visit.page.get_by_label("Secret key").fill("wrong")
    await visit.page.get_by_role("button", name="Sign in").click()
    await expect(visit.page.get_by_role("alert")).to_be_visible()


@state
async def buckets(visit: Visit) -> None:
    await visit.sign_in(OWNER)
    await visit.open()
    await expect(visit.page.get_by_role("link", name=BUCKET, exact=True)).to_be_visible()
    await expect(visit.page.get_by_text("…", exact=True)).to_have_count(0)


@state
async def new_bucket(visit: Visit) -> None:
    await buckets(visit)
    await visit.page.get_by_role("button", name="New bucket").click()
    await expect(visit.page.get_by_role("dialog")).to_be_visible()


@state
async def folder(visit: Visit) -> None:
    await visit.sign_in(OWNER)
    await visit.open_folder(BUCKET)
    await expect(visit.page.get_by_role("link", name="sunset.png")).to_be_visible()


@state
async def folder_selected(visit: Visit) -> None:
    await folder(visit)
    for name in ("notes.md", "salinity.csv"):
        await tick(visit.page, f"Select {name}")


@state
async def folder_filtered(visit: Visit) -> None:
    await folder(visit)
    await visit.page.get_by_role("searchbox", name="Filter").fill("se")
    await expect(visit.page.get_by_role("link", name="notes.md")).to_have_count(0)


@state
async def folder_without_match(visit: Visit) -> None:
    await folder(visit)
    await visit.page.get_by_role("searchbox", name="Filter").fill("no such name")
    await expect(visit.page.get_by_role("link", name="sunset.png")).to_have_count(0)


@state
async def folder_empty(visit: Visit) -> None:
    await visit.sign_in(OWNER)
    await visit.open_folder("inbox")
    await expect(visit.page.get_by_text("empty").first).to_be_visible()


@state
async def folder_missing(visit: Visit) -> None:
    await visit.sign_in(OWNER)
    await visit.open_folder("no-such-bucket")
    await expect(visit.page.get_by_text("no-such-bucket").last).to_be_visible()


@state
async def folder_read_only(visit: Visit) -> None:
    await visit.sign_in(READER)
    await visit.open_folder(BUCKET)
    await tick(visit.page, "Select notes.md")


@state
async def folder_deleted(visit: Visit) -> None:
    await folder(visit)
    await visit.page.get_by_role("checkbox", name="Only deleted").check()
    await tick(visit.page, "Select old-permits.pdf")


@state
async def folder_without_deleted(visit: Visit) -> None:
    await visit.sign_in(OWNER)
    await visit.open(f"b/{BUCKET}?deleted=1&prefix=calibration/")
    await expect(visit.page.get_by_text("There are no deleted objects")).to_be_visible()


@state
async def rename(visit: Visit) -> None:
    await folder(visit)
    await tick(visit.page, "Select notes.md")
    await visit.page.keyboard.press("F2")
    await expect(visit.page.get_by_role("dialog")).to_be_visible()


async def _object(visit: Visit, name: str, tab: str = "Preview") -> None:
    await visit.sign_in(OWNER)
    await visit.open_object(BUCKET, name)
    await visit.page.get_by_role("tab", name=tab).click()
    await expect(visit.page.get_by_role("tabpanel")).to_be_visible()
    await expect(visit.page.locator("[aria-busy=true]")).to_have_count(0)


@state
async def preview_of_text(visit: Visit) -> None:
    await _object(visit, "notes.md")


@state
async def preview_of_table(visit: Visit) -> None:
    await _object(visit, "salinity.csv")


@state
async def preview_of_image(visit: Visit) -> None:
    await _object(visit, "sunset.png")
    image = visit.page.get_by_role("img", name="sunset.png")
    await expect(image).to_have_js_property("naturalWidth", 960)


@state
async def details(visit: Visit) -> None:
    await _object(visit, "sunset.png", "Details")


@state
async def versions(visit: Visit) -> None:
    await _object(visit, "notes.md", "Versions")
    await expect(visit.page.get_by_role("button", name="Restore")).to_have_count(2)


@state
async def chunks(visit: Visit) -> None:
    await _object(visit, "camera-trap.mp4", "Chunks")


@state
async def share(visit: Visit) -> None:
    await _object(visit, "sunset.png")
    await visit.page.get_by_role("button", name="Share").click()
    await expect(visit.page.get_by_role("dialog")).to_be_visible()


@state
async def object_deleted(visit: Visit) -> None:
    await visit.sign_in(OWNER)
    await visit.open_object(BUCKET, "old-permits.pdf")
    await expect(visit.page.get_by_role("button", name="Undelete")).to_be_visible()


@state
async def object_missing(visit: Visit) -> None:
    await visit.sign_in(OWNER)
    await visit.open_object(BUCKET, "no such object")
    await expect(visit.page.get_by_text("This object does not exist")).to_be_visible()


@state
async def settings(visit: Visit) -> None:
    await visit.sign_in(OWNER)
    await visit.open(f"b/{BUCKET}/settings")
    await expect(visit.page.get_by_role("button", name="Delete bucket")).to_be_visible()


@state
async def settings_delete(visit: Visit) -> None:
    await settings(visit)
    await visit.page.get_by_role("button", name="Delete bucket").click()
    await expect(visit.page.get_by_role("dialog")).to_be_visible()


async def _admin(visit: Visit, tab: str, heading: str) -> None:
    await visit.sign_in(OWNER)
    await visit.open(f"admin/{tab}")
    await expect(visit.page.get_by_role("heading", name=heading).first).to_be_visible()
    await expect(visit.page.locator("[aria-busy=true]")).to_have_count(0)


@state
async def keys(visit: Visit) -> None:
    await _admin(visit, "keys", "Keys")


@state
async def health(visit: Visit) -> None:
    await _admin(visit, "health", "Health")


@state
async def activity(visit: Visit) -> None:
    await _admin(visit, "history", "Activity")


@state
async def shortcuts(visit: Visit) -> None:
    await folder(visit)
    await visit.page.keyboard.press("?")
    await expect(visit.page.get_by_role("dialog")).to_be_visible()


@state
async def offline(visit: Visit) -> None:
    await folder(visit)
    await expect(visit.page.get_by_text("Live", exact=True)).to_be_visible()
    await visit.page.context.set_offline(True)
    await expect(visit.page.get_by_text("Reconnecting")).to_be_visible()


async def take(url: str, selected: list[str]) -> None:
    """Take the pictures of states, in `ALL`. A state that fails is named, and left out."""
    async with launched() as chromium:
        for theme in THEMES:
            for viewport in (WIDE, NARROW):
                for name in selected:
                    async with visiting(
                        chromium, url, viewport=viewport, color_scheme=theme
                    ) as visit:
                        try:
                            await STATES[name](visit)
                        except (AssertionError, Error) as error:
                            log.warning("%s, %s: %s", name, theme, error)
                        visit.allowed.append("")
                        path = ALL / f"{name}-{viewport['width']}-{theme}.png"
                        await visit.page.screenshot(path=path, animations="disabled")


def keep(name: str) -> None:
    """Write the sheet of a state into the documentation, and its full pictures if it is kept."""
    pictures = {
        (width, theme): Image.open(ALL / f"{name}-{width}-{theme}.png").convert("RGB")
        for width in (WIDE["width"], NARROW["width"])
        for theme in THEMES
    }
    gap = 16
    sheet = Image.new("RGB", (2 * 720 + 2 * 219 + 5 * gap, 450 + 2 * gap), "#8a8f98")
    left = gap
    for theme in THEMES:
        for width, shown in ((WIDE["width"], 720), (NARROW["width"], 219)):
            image = pictures[width, theme]
            size = (shown, 450)
            sheet.paste(image.resize(size, Image.Resampling.LANCZOS), (left, gap))
            left += shown + gap
    _write(sheet, f"{name}.png")
    if name in KEPT:
        _write(pictures[WIDE["width"], "light"].crop(KEPT_BOX), f"{name}-light.png")


def _write(image: Image.Image, name: str) -> None:
    # The median cut, the default, drops colors that are rare, such as a green dot.
    few = image.quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    few.save(DOCS / name, optimize=True)


def main() -> None:
    """Start a server and a console, and take the pictures."""
    parser = argparse.ArgumentParser(prog="python -m tests.console.browser.screenshots")
    parser.add_argument("state", nargs="*", choices=[*STATES, []])
    selected = parser.parse_args().state
    for path in (ALL, DOCS):
        path.mkdir(parents=True, exist_ok=True)
    with NatsServer() as server, RunningConsole(server.url) as console:
        demo.fill(new_client(console.url))
        asyncio.run(take(console.url, selected or list(STATES)))
    if not selected:
        for name in STATES:
            keep(name)


if __name__ == "__main__":
    main()
