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
