"""Defaults of the tests of one verb each: every distinct server version, and every path."""

from __future__ import annotations

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    metafunc.definition.add_marker(pytest.mark.distinct_versions)
    metafunc.definition.add_marker(pytest.mark.every_path)
