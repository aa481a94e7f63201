"""docs/tools/s3-conformance.md: it lists every operation, with tests that exist."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from jetstow.s3.not_implemented_routes import NOT_IMPLEMENTED_ROUTES
from jetstow.s3.routes import ROUTES

HERE = Path(__file__).resolve().parent
PAGE = HERE.parents[1] / "docs" / "tools" / "s3-conformance.md"
ROWS = re.findall(r"^\| ([A-Z]\w+) \| ([^|]*) \| ([^|]*) \|$", PAGE.read_text(), re.MULTILINE)
UPDATE = "run scripts/s3_conformance.py"


def test_page_lists_all_operations() -> None:
    rows = [operation for operation, _, _ in ROWS]
    not_implemented = {route.operation for route in NOT_IMPLEMENTED_ROUTES}
    implemented = {route.operation for route in ROUTES} - not_implemented
    assert rows == [*sorted(implemented), *sorted(not_implemented)], UPDATE


@pytest.mark.parametrize(("operation", "evidence"), [(row[0], row[2]) for row in ROWS])
def test_evidence_exists(operation: str, evidence: str) -> None:
    tests = re.findall(r"`([\w.]+)::(\w+)`", evidence)
    assert tests, f"no test of {operation}: {UPDATE}"
    for file, test in tests:
        assert test in _tests(file), UPDATE


@cache
def _tests(file: str) -> set[str]:
    (path,) = HERE.rglob(file)
    tree = ast.parse(path.read_text())
    return {node.name for node in ast.walk(tree) if hasattr(node, "name")}
