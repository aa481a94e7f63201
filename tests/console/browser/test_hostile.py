"""Names, metadata and contents that attack the page. `visiting` asserts that nothing runs.

"Elsewhere" is a server that counts its connections: no byte may leave for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from playwright.async_api import expect

if TYPE_CHECKING:
    import jetstow
    from tests.support.browser import Visit

pytestmark = pytest.mark.asyncio(loop_scope="session")

NAMES = (
    "<img src=x onerror=alert(1)>.txt",
    "\"><script>alert('name')</script>",
    "javascript:alert(1)",
    "' onmouseover='alert(1)",
    "${alert(1)}{{alert(1)}}",
    "\N{RIGHT-TO-LEFT OVERRIDE}gnp.exe",
    "%2e%2e%2fetc%2fpasswd?x=1#y",
    "line\nbreak\ttab",
    "n" * 900,
)
DOTS = "../../a/../secret.txt"
RESOLVED = ("..", "a/../b", "a/./c", "../b", "/b", "a//b", "b/")
_READ_AND_DELETE = """
async ([bucket, names]) => {
  const {s3} = await import(new URL("api.js", document.querySelector("script[type=module]").src));
  const read = [];
  for (const name of names) read.push(await (await s3("GET", bucket, name)).text());
  for (const name of names) await s3("DELETE", bucket, name);
  return read;
}
"""


@pytest_asyncio.fixture(loop_scope="session")
async def elsewhere() -> AsyncIterator[tuple[str, list[str]]]:
    """The URL of another server, and the addresses that connected to it."""
    connections: list[str] = []

    def accept(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(str(writer.get_extra_info("peername")))
        writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", connections


async def test_hostile_names_and_metadata(
    visit: Visit, store: jetstow.ObjectStore, s3_bucket: str
) -> None:
    page = visit.page
    for name in (*NAMES, DOTS):
        await store.put(
            name,
            name.encode(),
            description="<script>alert('description')</script>",
            headers={"Content-Type": "text/html\"><script>alert('type')</script>"},
            metadata={"<b onclick=alert(1)>": "<svg onload=alert(1)>"},
        )
    await visit.open_folder(s3_bucket)
    grid = page.get_by_role("grid", name="Objects")
    # A slash makes a folder; characters that change the direction of text or break lines are shown.
    for name in (*NAMES[:5], "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}U+202E"):
        label = name[: name.find("/") + 1] or name
        await expect(grid.get_by_role("link", name=label).first).to_be_visible()
    for name in (NAMES[0], NAMES[1], NAMES[7], DOTS):
        await visit.open_object(s3_bucket, name)
        await expect(page.get_by_role("region", name="Preview")).to_contain_text(name[-10:].strip())
        await page.get_by_role("tab", name="Details").click()
        await expect(page.get_by_text("<script>alert('description')</script>")).to_be_visible()
        await expect(page.get_by_text("<svg onload=alert(1)>")).to_be_visible()
    async with page.expect_download() as download:
        await page.get_by_role("link", name="Download").click()
    assert (await (await download.value).path()).read_bytes() == DOTS.encode()


async def test_names_that_paths_cannot_have(
    visit: Visit, store: jetstow.ObjectStore, s3_bucket: str
) -> None:
    """Browsers resolve "..", and the page could not reach the object; no other one is touched."""
    page = visit.page
    others = ["a/b", "b", "c"]
    for name in (*RESOLVED, *others):
        await store.put(name, name.encode(), headers={"Content-Type": "text/plain"})
    await visit.open_object(s3_bucket, "..")
    await expect(page.get_by_label("Text of ..", exact=True)).to_have_text("..")
    async with page.expect_download() as download:
        await page.get_by_role("link", name="Download").click()
    assert (await (await download.value).path()).read_bytes() == b".."
    await page.get_by_role("button", name="Rename").click()
    await page.get_by_label("New name").fill(".")
    await page.get_by_role("dialog").get_by_role("button", name="Rename").click()
    await expect(page.get_by_label("Text of .", exact=True)).to_have_text("..")

    names = [".", *RESOLVED[1:]]
    read = await page.evaluate(_READ_AND_DELETE, [s3_bucket, names])
    assert read == ["..", *RESOLVED[1:]]
    assert sorted([info.name async for info in store.list()]) == others


async def test_hostile_contents(
    visit: Visit, s3: Any, s3_bucket: str, elsewhere: tuple[str, list[str]]
) -> None:
    page = visit.page
    url, connections = elsewhere
    attack = (
        f"<script>alert(1); fetch('{url}')</script><img src='{url}' onerror=alert(1)>"
        f"<form action='{url}'></form><link rel=stylesheet href='{url}'>"
    )
    vector = (
        f"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)' width='20' height='20'>"
        f"<script>alert(1); top.location='{url}'</script><image href='{url}' width='9' height='9'/>"
        f"<foreignObject><iframe xmlns='http://www.w3.org/1999/xhtml' src='{url}'/></foreignObject>"
        f"<rect width='20' height='20'/></svg>"
    )
    objects = {
        "page.html": ("text/html", f"<!doctype html>{attack}"),
        "page.txt": ("text/html", attack),
        "vector.svg": ("image/svg+xml", vector),
        "data.json": ("application/json", f'{{"__proto__": {{"x": "{attack[:40]}"}}}}'),
        "table.csv": ("text/csv", f'=cmd|calc,"{attack}"\n1,2\n'),
        "image.png": ("image/png", attack),
    }
    # The frames of previews log what their own policy and sandbox refuse.
    visit.allowed += ["sandbox", f"({visit.previews}"]
    for name, (kind, body) in objects.items():
        s3.put_object(Bucket=s3_bucket, Key=name, Body=body.encode(), ContentType=kind)
        await visit.open_object(s3_bucket, name)
        await expect(page.get_by_role("heading", name=name)).to_be_visible()
        await expect(page.get_by_role("region", name="Preview")).to_have_attribute(
            "aria-busy", "false"
        )
    assert not connections
    for name in objects:
        response = await page.context.request.get(f"{visit.url}/_console/s3/{s3_bucket}/{name}")
        assert response.headers["content-disposition"].startswith("attachment")
        assert "sandbox" in response.headers["content-security-policy"]
        assert response.headers["x-content-type-options"] == "nosniff"


async def test_preview_of_ten_megabytes_of_one_line(visit: Visit, s3: Any, s3_bucket: str) -> None:
    """The page reads the beginning only, and stays usable."""
    page = visit.page
    s3.put_object(Bucket=s3_bucket, Key="line.txt", Body=b"x" * 10_000_000)
    await visit.open_object(s3_bucket, "line.txt")
    region = page.get_by_role("region", name="Preview")
    await expect(region).to_contain_text("x" * 1000)
    shown = await region.inner_text()
    assert 1000 < len(shown) < 300_000
    await page.get_by_role("tab", name="Details").click()
    await expect(page.get_by_role("tab", name="Details")).to_have_attribute("aria-selected", "true")


async def test_parameters_of_a_link_that_pages_do_not_have(
    visit: Visit, store: jetstow.ObjectStore, s3_bucket: str
) -> None:
    """`bucket` was that of another page: its settings changed. `ref` left the page empty."""
    page = visit.page
    await store.put("a.txt", b"text")
    for query in ("bucket=other", "ref=x", "key=x&children=x&params=x&query=x"):
        await visit.open(f"b/{s3_bucket}/settings?{query}")
        await expect(page.get_by_role("heading", level=1)).to_contain_text(s3_bucket)
        await visit.open(f"b/{s3_bucket}?{query}")
        await expect(page.get_by_role("link", name="a.txt")).to_be_visible()
        await visit.open(f"o/{s3_bucket}?name=a.txt&{query}")
        await expect(page.get_by_role("heading", level=1)).to_have_text("a.txt")
