"""Debian's Chromium, driven by Playwright: a context for each visit, and what went wrong in it.

    async with visiting(chromium, console.url) as visit:
        await visit.sign_in(OWNER)
        await visit.open_folder("photos", "2026/")

At its end, a visit fails if the page logged an error, opened a dialog of the browser, violated its
Content-Security-Policy, or sent a request to another origin than the console's or the previews'.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Dialog,
    Page,
    Request,
    Response,
    ViewportSize,
    WebError,
    async_playwright,
    expect,
)

from jetstow.s3 import Key

CHROMIUM = "/usr/bin/chromium"
PATIENCE = 25_000  # milliseconds, of a machine that runs several tests at the same time
expect.set_options(timeout=PATIENCE)
# The sandbox needs privileges that containers lack. The others send requests of their own.
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
AXE = Path(__file__).parents[1] / "console" / "js" / "node_modules" / "axe-core" / "axe.min.js"

WIDE: ViewportSize = {"width": 1440, "height": 900}
NARROW: ViewportSize = {"width": 360, "height": 740}

# Chromium logs each response with an error status, and requests without a network. The tests look
# at what the page makes of them.
_EXPECTED_LOGS = ("Failed to load resource:",)
# Schemes of requests that leave nothing, and of the PDF viewer.
_LOCAL_SCHEMES = {"about", "blob", "chrome", "chrome-extension", "data"}
_REPORT_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`violated ${event.violatedDirective}: ${event.blockedURI} ${event.sample}`));
"""
_FOLLOW = """
(url) => {
  history.pushState(null, "", url);
  dispatchEvent(new PopStateEvent("popstate"));
}
"""


async def tick(page: Page, *names: str) -> None:
    """Tick checkboxes. `check` fails if a live change renders one again while it is clicked."""
    for name in names:
        box = page.get_by_role("checkbox", name=name)
        await box.click()
        await expect(box).to_be_checked()


@asynccontextmanager
async def launched(**options: Any) -> AsyncIterator[Browser]:
    """Start Chromium, and stop it at the end."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=list(ARGUMENTS), **options
        )
        try:
            yield browser
        finally:
            await browser.close()


class Visit:
    """A page of the console, the only one of its context, with what went wrong there.

    `allowed` are parts of messages that the page may log, `previews` is the origin of previews.
    """

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.allowed: list[str] = []
        self.previews: str | None = None
        self._problems: list[str] = []
        self._requests: list[str] = []
        self._listeners: dict[Any, Callable[[Any], Any]] = {
            "console": self._on_console,
            "weberror": self._on_error,
            "dialog": self._on_dialog,
            "request": self._on_request,
            "response": self._on_response,
        }
        for event, listener in self._listeners.items():
            page.context.on(event, listener)

    async def sign_in(self, key: Key) -> dict[str, Any]:
        """Sign in without the form, and return the session."""
        response = await self.page.context.request.post(
            f"{self.url}/_console/api/session",
            data={"access_key": key.access_key, "secret_key": key.secret_key},
        )
        assert response.status == 200, await response.text()
        session: dict[str, Any] = await response.json()
        self.previews = session["preview"]
        return session

    async def open(self, path: str = "") -> None:
        """Load a path below `/_console/`."""
        await self.page.goto(f"{self.url}/_console/{path}")

    async def show(self, path: str = "") -> None:
        """Show a path below `/_console/` as a link does: the page is loaded the first time only."""
        if self.page.url.startswith(f"{self.url}/_console/"):
            await self.page.evaluate(_FOLLOW, f"/_console/{path}")
        else:
            await self.open(path)

    async def open_folder(self, bucket: str, prefix: str = "") -> None:
        await self.show(f"b/{bucket}?prefix={quote(prefix)}")

    async def open_object(self, bucket: str, name: str) -> None:
        await self.show(f"o/{bucket}?name={quote(name, safe='')}")

    async def close(self) -> None:
        """Close the page, and leave nothing of it in the context but the cache."""
        for event, listener in self._listeners.items():
            self.page.context.remove_listener(event, listener)
        if self.page.url.startswith(self.url):
            await self.page.evaluate("localStorage.clear()")
        await self.page.close()

    def problems(self) -> list[str]:
        """Return what went wrong until now."""
        ours = {_origin(self.url), *([_origin(self.previews)] if self.previews else [])}
        elsewhere = [
            f"request: {url}"
            for url in self._requests
            if urlsplit(url).scheme not in _LOCAL_SCHEMES and _origin(url) not in ours
        ]
        found = self._problems + elsewhere
        return [each for each in found if not any(part in each for part in self.allowed)]

    def _on_console(self, message: ConsoleMessage) -> None:
        source = str(message.location.get("url"))
        is_of_viewer = source.startswith("chrome")
        is_expected = is_of_viewer or message.text.startswith(_EXPECTED_LOGS)
        if message.type == "error" and not is_expected:
            self._problems.append(f"log: {message.text} ({source})")

    def _on_error(self, error: WebError) -> None:
        self._problems.append(f"error: {error.error}")

    def _on_request(self, request: Request) -> None:
        self._requests.append(request.url)

    def _on_response(self, response: Response) -> None:
        if response.status >= 500:
            self._problems.append(f"response: {response.status} {response.url}")

    async def _on_dialog(self, dialog: Dialog) -> None:
        # The question before an unload has no message. Chromium asks it if uploads are running.
        if dialog.type == "beforeunload":
            await dialog.accept()
            return
        self._problems.append(f"dialog: {dialog.message}")
        await dialog.dismiss()


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


@asynccontextmanager
async def new_context(browser: Browser, **options: Any) -> AsyncIterator[BrowserContext]:
    """Open a new context of the browser. `options` are those of `Browser.new_context`."""
    settings: dict[str, Any] = {
        "viewport": WIDE,
        "locale": "en-GB",
        "timezone_id": "Europe/Berlin",
        "reduced_motion": "reduce",
        **options,
    }
    context = await browser.new_context(**settings)
    context.set_default_timeout(PATIENCE)
    await context.add_init_script(_REPORT_VIOLATIONS)
    try:
        yield context
    finally:
        await context.close()


@asynccontextmanager
async def visiting_in(context: BrowserContext, url: str) -> AsyncIterator[Visit]:
    """Open a page in a context that later visits use, too."""
    visit = Visit(await context.new_page(), url)
    try:
        yield visit
        problems = visit.problems()
        assert not problems, problems
    finally:
        await visit.close()


@asynccontextmanager
async def visiting(browser: Browser, url: str, **options: Any) -> AsyncIterator[Visit]:
    """Open a page in a new context. `options` are those of `Browser.new_context`."""
    async with new_context(browser, **options) as context, visiting_in(context, url) as visit:
        yield visit


async def serious_violations(page: Page, rules: Sequence[str] = ()) -> list[str]:
    """Return what axe-core finds serious or critical on a page: the rule and its first element.

    Without `rules`, all are checked.
    """
    # The page's policy has no inline scripts, and the protocol of the browser evaluates past it.
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(AXE.read_text(encoding="utf-8"))
    options = {"resultTypes": ["violations"]} | ({"runOnly": list(rules)} if rules else {})
    result = await page.evaluate("(options) => axe.run(document, options)", options)
    return [
        f"{page.url}: {found['id']}: {found['help']}: {found['nodes'][0]['html'][:200]}"
        f" {found['nodes'][0].get('failureSummary', '')}"
        for found in result["violations"]
        if found["impact"] in {"serious", "critical"}
    ]
