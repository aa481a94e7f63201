"""The README: its examples run when pasted, and its links and `make` targets exist."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.docs.pages import Block, parse
from tests.docs.reader import Reader, dialogue

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = parse(README, "README.md")
INSTALL = "pip install ."

pytestmark = pytest.mark.one_path


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The environment of a new user: without servers, contexts and data."""
    for name in ("NATS_URL", "NATS_CONTEXT", "JETSTOW_NATS_SERVER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("JETSTOW_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.chdir(tmp_path)
    scripts = Path(sys.executable).parent
    return os.environ | {"PATH": os.pathsep.join((str(scripts), os.environ["PATH"]))}


def blocks(language: str) -> list[Block]:
    return [block for block in BLOCKS if block.language == language]


def paste(program: Block, environment: dict[str, str]) -> None:
    """Run a program with warnings as errors, and compare its output."""
    process = subprocess.run(
        [sys.executable, "-W", "error", "-c", program.text],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (process.returncode, process.stderr) == (0, ""), str(program)
    assert process.stdout == program.output, str(program)


def test_programs_run_when_pasted(environment: dict[str, str], tmp_path: Path) -> None:
    asynchronous, blocking = blocks("python")
    for _ in range(2):  # the second time, the bucket and the object exist
        paste(asynchronous, environment)
        paste(blocking, environment)
    _, commands = blocks("console")
    with Reader(tmp_path) as reader:
        reader.read([commands])


def test_first_commands_run_when_pasted(environment: dict[str, str]) -> None:
    """The tests run in an environment in which `pip install` has been done."""
    (install, _), (demo, output) = dialogue(blocks("console")[0].text)
    assert (install, output) == (INSTALL, "")
    assert INSTALL in (ROOT / "docs" / "start.md").read_text(encoding="utf-8").splitlines()
    process = subprocess.run(
        ["bash", "-c", demo], env=environment, capture_output=True, text=True, check=False
    )
    assert (process.returncode, process.stderr) == (0, "")
    assert process.stdout.splitlines()[-1].startswith("deleted bucket ")


def test_extras_are_named() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for extra in project["optional-dependencies"]:
        assert f"`{extra}`" in README, extra


def test_readme_is_short() -> None:
    assert len(README.splitlines()) <= 130


def anchors(path: Path) -> set[str]:
    """Return the anchors of a Markdown page: its headings, and its explicit targets."""
    text = path.read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    slugs = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    return slugs | set(re.findall(r"^\(([\w-]+)\)=$", text, re.MULTILINE))


def test_links_have_targets() -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", README)
    local = [link.partition("#") for link in links if "://" not in link]
    assert "examples/intro.py" in {path for path, _, _ in local}
    for path, _, anchor in local:
        assert (ROOT / path).exists(), path
        assert not anchor or anchor in anchors(ROOT / path), f"{path}#{anchor}"


def test_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for text in (README, (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")):
        for target in re.findall(r"`make ([a-z-]+)`", text):
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
