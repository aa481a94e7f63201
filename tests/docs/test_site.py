"""The site builds without warnings, its links have targets, and it loads nothing from elsewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs import pages

# The build takes long on a busy machine.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    build = subprocess.run(
        [
            sys.executable, "-m", "sphinx", "-W", "-n", "-q", "--keep-going", "-j", "2",
            "-b", "html", "-d", str(folder / "doctrees"), str(pages.DOCS), str(folder / "html"),
        ],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (build.returncode, build.stderr) == (0, ""), build.stderr
    return folder / "html"


def test_every_page_is_built(site: Path) -> None:
    for page in pages.names():
        assert (site / page).with_suffix(".html").is_file(), page


def test_pages_load_local_files_only(site: Path) -> None:
    for page in site.rglob("*.html"):
        loaded = re.findall(r"<(?:script|link|img)[^>]*(?:src|href)=\"([^\"]+)", page.read_text())
        assert not [url for url in loaded if "://" in url or url.startswith("//")], page


def test_links_have_targets(site: Path) -> None:
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
