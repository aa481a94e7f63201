"""Buckets in the page: create, change, delete."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

if TYPE_CHECKING:
    import jetstow
    from tests.support.browser import Visit

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_bucket_created_and_deleted_with_its_name_typed(
    visit: Visit, js: jetstow.JetStreamContext, bucket: str
) -> None:
    page = visit.page
    await visit.open()
    await page.get_by_role("button", name="New bucket").click()
    dialog = page.get_by_role("dialog", name="New bucket")
    replicas = dialog.get_by_label("Replicas")
    await expect(replicas.get_by_role("option", name="3")).to_be_disabled()  # a single server
    await expect(dialog.get_by_text("need a cluster of NATS servers")).to_be_visible()
    name, create = dialog.get_by_label("Name"), dialog.get_by_role("button", name="Create bucket")
    await create.click()
    problem = dialog.get_by_role("alert")
    for wrong, rule in (
        ("", "Enter a name."), ("ab", "3 to 63 characters"), ("a" * 64, "3 to 63 characters"),
        ("Upper", "lower-case letters"), ("ab_c", "lower-case letters"), ("-ab", "Begin and end"),
        ("a..b", "before and after"), ("a.-b", "before and after"), ("10.0.0.1", "IP address"),
        ("xn--ab", "begin with"),
    ):  # fmt: skip
        await name.fill(wrong)
        await expect(problem).to_contain_text(rule)
    await name.fill(bucket)
    await dialog.get_by_label("Size limit of the bucket").fill("500 MB")
    await expect(dialog.get_by_text("500,000,000 bytes")).to_be_visible()
    await create.click()
    await expect(page.get_by_text(re.compile("empty", re.IGNORECASE)).first).to_be_visible()
    status = await (await js.object_store(bucket)).status()
    assert status.bucket == bucket
    assert status.max_bytes == 500_000_000

    await page.get_by_role("link", name="Settings").click()
    await page.get_by_role("button", name="Delete bucket").click()
    dialog = page.get_by_role("dialog")
    confirm = dialog.get_by_role("button", name="Delete bucket")
    await expect(confirm).to_be_disabled()
    await dialog.get_by_role("textbox").fill(bucket)
    await confirm.click()
    await expect(page.get_by_role("heading", name="Buckets", exact=True)).to_be_visible()
    await expect(page.get_by_role("link", name=bucket, exact=True)).to_have_count(0)
