"""The site builds without a warning, from its own files alone."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs import pages


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [
            sys.executable, "-m", "sphinx", "-W", "-n", "-q", "--keep-going", "-j", "2",
            "-b", "html", "-d", str(folder / "doctrees"), str(pages.DOCS), str(folder / "html"),
        ],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (built.returncode, built.stderr) == (0, ""), built.stderr
    return folder / "html"


def test_every_page_is_there(site: Path) -> None:
    for page in pages.names():
        assert (site / page).with_suffix(".html").is_file(), page


def test_a_page_asks_nobody_else_for_anything(site: Path) -> None:
    for page in site.rglob("*.html"):
        asked = re.findall(r"<(?:script|link|img)[^>]*(?:src|href)=\"([^\"]+)", page.read_text())
        assert not [each for each in asked if "://" in each or each.startswith("//")], page


def test_every_link_leads_to_an_anchor(site: Path) -> None:
    anchors = {
        page: set(re.findall(r"\bid=\"([^\"]+)\"", page.read_text()))
        for page in site.rglob("*.html")
    }
    for page in anchors:
        body = page.read_text().partition("<article")[2].partition("</article")[0]
        for link in re.findall(r"href=\"([^\"]+)\"", body):
            if "://" in link or link.startswith("mailto:"):
                continue
            path, _, anchor = link.partition("#")
            target = (page.parent / path).resolve() if path else page
            assert target.is_file(), f"{page.relative_to(site)}: {link}"
            if anchor and target in anchors:
                assert anchor in anchors[target], f"{page.relative_to(site)}: {link}"
