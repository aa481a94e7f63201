"""The reference has everything that the package shows."""

from __future__ import annotations

import inspect

import pytest

import jetstow
import jetstow.sync
from jetstow import errors
from tests.docs import pages

REFERENCE = "".join(pages.text(name) for name in pages.names() if name.startswith("reference/"))


@pytest.mark.parametrize("name", jetstow.__all__)
def test_a_name_of_the_package_has_an_entry(name: str) -> None:
    assert f":: {name}\n" in REFERENCE or f":: {name}(" in REFERENCE


@pytest.mark.parametrize("name", errors.__all__)
def test_an_error_has_an_entry(name: str) -> None:
    assert f"autoexception:: {name}" in pages.text("reference/errors.md")


def own(kind: type) -> list[str]:
    """The public methods that are ours, and not what nats-py has besides."""
    return [
        name
        for name, value in inspect.getmembers(kind)
        if not name.startswith("_")
        and getattr(value, "__module__", "").startswith("jetstow")
        and not inspect.isclass(value)
    ]


@pytest.mark.parametrize("name", own(jetstow.ObjectStore))
def test_a_verb_has_an_entry(name: str) -> None:
    assert f":: ObjectStore.{name}\n" in REFERENCE


@pytest.mark.parametrize("name", own(jetstow.JetStreamContext))
def test_a_method_of_the_context_has_an_entry(name: str) -> None:
    members = REFERENCE.partition("autoclass:: JetStreamContext")[2].partition("```")[0]
    assert name in members.replace(",", " ").split()


def test_there_are_names_to_check() -> None:
    assert {"put", "get", "watch", "find", "copy"} <= set(own(jetstow.ObjectStore))
