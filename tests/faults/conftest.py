"""Defaults and fixtures of the fault tests: the latest server, and every path."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.servers import NatsServer


@pytest.hookimpl(tryfirst=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    metafunc.definition.add_marker(pytest.mark.every_path)


@pytest.fixture
def fragile() -> Iterator[NatsServer]:
    """A server that only this test uses, and may stop or kill."""
    with NatsServer() as started:
        yield started
