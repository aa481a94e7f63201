"""Every block of code is run, written to a file that is used, or checked in another way."""

from __future__ import annotations

import re
from typing import Final

import pytest

from tests.docs import pages
from tests.docs.deployment import check_packages
from tests.docs.pages import Block

# Blocks in these languages that are not run: what checks them.
CHECKED: Final = {
    "sh": "test_shell_block_installs_packages",
    "py": "test_overview",
    "text": "a page's output, or a message on the wire",
    "{eval-rst}": "the build and test_reference",
    "{toctree}": "the build",
}
BLOCKS: Final = [block for page in pages.names() for block in pages.blocks(page)]
# What creates a bucket: the library, fsspec, boto3, the command line.
CREATED: Final = re.compile(
    r"""(?:create_object_store\(\s*|\bmkdir\(|create_bucket\(Bucket=)"([\w-]+)"
    |UPath\("jetstow://([\w-]+)"
    |restore\(js,\ "[^"]+",\ "([\w-]+)"
    |jetstow\ restore\ \S+\ ([\w-]+)
    |jetstow\ mb\ (?:--\S+\ )*([\w-]+)""",
    re.VERBOSE,
)


@pytest.mark.parametrize("block", [b for b in BLOCKS if not b.is_run], ids=str)
def test_block_is_run_or_checked(block: Block) -> None:
    assert block.language in CHECKED
    assert block.language != "py" or block.page == "docs/reference/overview.md"


@pytest.mark.parametrize("block", [b for b in BLOCKS if b.language == "sh"], ids=str)
def test_shell_block_installs_packages(block: Block) -> None:
    """The extras exist, and the tests run with the packages."""
    for line in block.text.splitlines():
        assert line.startswith("pip install ")
        check_packages(line)


def test_pages_have_buckets_of_their_own() -> None:
    """The guides can be followed in any order: buckets of the embedded server stay."""
    readme = pages.parse((pages.ROOT / "README.md").read_text(encoding="utf-8"), "README.md")
    pages_of: dict[str, set[str]] = {}
    for block in (block for block in BLOCKS + readme if block.is_run):
        for match in CREATED.finditer(block.text):
            pages_of.setdefault(match[match.lastindex or 0], set()).add(block.page)
    assert len(pages_of) > 50
    assert {bucket: on for bucket, on in pages_of.items() if len(on) > 1} == {}


@pytest.mark.parametrize(
    "page", [page for page in pages.names() if "index" not in page and "reference/" not in page]
)
def test_page_starts_with_its_purpose(page: str) -> None:
    title, first = [line for line in pages.text(page).splitlines() if line][:2]
    assert title.startswith("# ")
    assert re.match(r"[A-Za-z`]", first), first
    assert not first.startswith("```"), first


@pytest.mark.parametrize("block", [b for b in BLOCKS if b.is_run], ids=str)
def test_lines_fit_on_the_page(block: Block) -> None:
    """At a width of 1440 pixels. A URL cannot be broken."""
    for line in block.text.splitlines():
        assert len(line) <= 96 or "://" in line, line
