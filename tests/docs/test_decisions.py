"""The decisions have one form, and refer to files and tests that exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Final

import pytest

from tests.docs import pages

DECISIONS: Final = sorted((pages.DOCS / "decisions").glob("0*.md"))
SECTIONS: Final = ["Reason", "Failure", "Test"]

_FILE: Final = re.compile(r"`((?:src|tests|scripts|docs|benchmarks|fuzz)(?:/[\w.-]+)+)`")
_TEST: Final = re.compile(r"`(test_\w+)`")


def all_tests() -> set[str]:
    """Return the names of all test functions."""
    return {
        node.name
        for path in (pages.ROOT / "tests").rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_decision_has_its_number_and_sections(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.startswith(f"# {int(path.stem[:4])}. ")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == SECTIONS


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_files_of_a_decision_exist(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    files = _FILE.findall(text)
    assert any(file.startswith("tests/") for file in files), "no test is named"
    assert not [file for file in files if not (pages.ROOT / file).exists()]


def test_tests_of_decisions_exist() -> None:
    named = {name for path in DECISIONS for name in _TEST.findall(path.read_text(encoding="utf-8"))}
    assert len(named) > 5
    assert not named - all_tests()


def test_decisions_are_numbered_in_order() -> None:
    numbers = [int(path.stem[:4]) for path in DECISIONS]
    assert numbers == list(range(1, len(numbers) + 1))
