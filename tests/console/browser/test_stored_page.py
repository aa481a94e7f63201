"""A web page in a bucket, opened by a link to the port of the console."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.gateway import OWNER

if TYPE_CHECKING:
    from playwright.async_api import Browser

    from tests.support.console import RunningConsole

pytestmark = pytest.mark.asyncio(loop_scope="session")

PAGE = b"""<!doctype html><title>wait</title><script>
fetch("/_console/api/session").then(
  (response) => { document.title = `read ${response.status}`; },
  (error) => { document.title = error.name; });
</script>"""


async def test_stored_page_cannot_use_the_session(
    chromium: Browser, console: RunningConsole, s3: Any, s3_bucket: str
) -> None:
    """Its script read the session with the token against CSRF: it had the console's origin."""
    s3.put_object(Bucket=s3_bucket, Key="a.html", Body=PAGE, ContentType="text/html")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": s3_bucket, "Key": "a.html"})
    name, _, value = console.sign_in_cookie(OWNER).partition("=")
    async with await chromium.new_context() as context:
        await context.add_cookies([
            {
                "name": name, "value": value, "domain": console.host, "path": "/_console",
                "httpOnly": True, "sameSite": "Strict",
            }
        ])  # fmt: skip
        page = await context.new_page()
        await page.goto(url)
        await page.wait_for_function("document.title !== 'wait'")
        assert await page.title() == "TypeError"
        # The cookie is good: the console itself has a session in this browser.
        await page.goto(f"{console.url}/_console/api/session")
        assert OWNER.access_key in await page.content()
