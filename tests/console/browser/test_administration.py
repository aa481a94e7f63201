"""Settings, jobs and keys in the page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import expect

from jetstow.s3.auth.keys import load_keys
from tests.support.browser import visiting
from tests.support.console import RunningConsole

if TYPE_CHECKING:
    from playwright.async_api import Browser

    from tests.support.browser import Visit
    from tests.support.servers import NatsServer

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.slow]

KEY_FILE = """\
[[key]]
access_key = "ADMIN"
secret_key = "admin-secret"
name = "Ada"
admin = true
"""


async def test_settings_of_a_bucket(visit: Visit, s3: Any, s3_bucket: str) -> None:
    page = visit.page
    await visit.open(f"b/{s3_bucket}/settings")
    await page.get_by_label("Description").fill("Pictures")
    await page.get_by_label("Versioning").select_option("enabled")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("status").filter(has_text="Saved")).to_be_visible()
    assert s3.get_bucket_versioning(Bucket=s3_bucket)["Status"] == "Enabled"

    await page.get_by_role("tab", name="CORS").click()
    await page.get_by_role("button", name="Insert an example").click()
    field = page.get_by_label("CORS (XML)")
    example = await field.input_value()
    for wrong, message in (
        (example.replace("</CORSRule>", ""), "Line 10: </CORSConfiguration> comes before"),
        (example.replace("GET", "GRAB"), "Unsupported method is GRAB"),
    ):
        await field.fill(wrong)
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_role("alert")).to_contain_text(message)
    await field.fill(example)
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("button", name="Remove")).to_be_visible()
    (rule,) = s3.get_bucket_cors(Bucket=s3_bucket)["CORSRules"]
    assert rule["AllowedOrigins"] == ["https://app.example.com"]


async def test_unsaved_settings(visit: Visit, s3: Any, s3_bucket: str) -> None:
    """They were lost when another tab or another page was shown."""
    page = visit.page
    await visit.open_folder(s3_bucket)
    await page.get_by_role("link", name="Settings").click()
    description = page.get_by_label("Description")
    await description.fill("Pictures")
    await page.get_by_role("tab", name="Lifecycle").click()
    lifecycle = page.get_by_label("Lifecycle (XML)")
    await lifecycle.fill("<LifecycleConfiguration>")
    await page.get_by_role("tab", name="CORS").click()
    await expect(page.get_by_label("CORS (XML)")).to_have_value("")
    await expect(lifecycle).to_be_hidden()
    await page.get_by_role("tab", name="Lifecycle").click()
    await expect(lifecycle).to_have_value("<LifecycleConfiguration>")

    dialog = page.get_by_role("dialog", name="Unsaved changes")
    leave = page.get_by_role("navigation", name="Main").get_by_role("link", name="Buckets")
    cancel = dialog.get_by_role("button", name="Cancel")
    for action in (leave.click, page.go_back, page.get_by_role("button", name="Sign out").click):
        await action()
        await expect(dialog).to_contain_text("not saved: General, Lifecycle.")
        await cancel.click()
        await expect(dialog).to_have_count(0)
        assert page.url.endswith(f"{s3_bucket}/settings")
    unload = "() => dispatchEvent(new Event('beforeunload', {cancelable: true}))"
    assert await page.evaluate(unload) is False, "the browser asks"
    await page.get_by_role("button", name="Discard changes").click()
    await page.get_by_role("tab", name="General").click()
    await expect(description).to_have_value("Pictures")

    await page.go_back()
    await dialog.get_by_role("button", name="Discard changes").click()
    await expect(page.get_by_role("grid", name="Objects")).to_be_visible()
    await page.go_forward()
    await expect(description).to_have_value("")
    await description.fill("Photos")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("status").filter(has_text="Saved")).to_be_visible()
    assert await page.evaluate(unload) is True
    await leave.click()
    await expect(page.get_by_role("heading", name="Buckets")).to_be_visible()


async def test_jobs_of_a_bucket(visit: Visit, s3: Any, s3_bucket: str) -> None:
    page = visit.page
    s3.put_object(Bucket=s3_bucket, Key="a.txt", Body=b"text")
    await visit.open(f"b/{s3_bucket}/settings")
    await page.get_by_role("tab", name="Jobs").click()
    for button, result in (
        ("Verify all objects", "1 object, 4 B: all are intact."),
        ("Look for garbage", "There is no garbage."),
    ):
        await page.get_by_role("button", name=button).click()
        await expect(page.get_by_text(result)).to_be_visible()


async def test_life_of_a_key_in_the_page(
    chromium: Browser, server: NatsServer, tmp_path: Path
) -> None:
    path = tmp_path / "keys.toml"
    path.write_text(KEY_FILE)
    path.chmod(0o600)
    keys = load_keys(path)
    with RunningConsole(server.url, keys=keys) as own:
        async with visiting(chromium, own.url) as visit:
            page = visit.page
            await visit.sign_in(next(iter(keys)))
            await visit.open("admin/keys")
            await page.get_by_role("button", name="Add key").click()
            dialog = page.get_by_role("dialog")
            await dialog.get_by_label("Name").fill("Backup <b>")
            await dialog.get_by_label("Buckets").fill("backup-*")
            await dialog.get_by_role("button", name="Add key").click()
            await expect(dialog).to_contain_text("the only time that the secret key is shown")
            await page.keyboard.press("Escape")  # it stays until the secret is stored
            await dialog.get_by_label("I have stored").check()
            await dialog.get_by_role("button", name="Done").click()

            row = page.get_by_role("row").filter(has_text="Backup <b>")
            await expect(row).to_contain_text("backup-*")
            await row.get_by_role("button", name="Change").click()
            await dialog.get_by_label("Permission", exact=True).select_option("read")
            await dialog.get_by_role("button", name="Save").click()
            await expect(row).to_contain_text("Read only")
            await row.get_by_role("button", name="Revoke").click()
            await dialog.get_by_role("button", name="Revoke key").click()
            await expect(row).to_have_count(0)
    assert [key.access_key for key in load_keys(path)] == ["ADMIN"]
