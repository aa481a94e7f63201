"""The reference has an entry for every public name."""

from __future__ import annotations

import inspect

import pytest

import jetstow
import jetstow.types
from jetstow import errors
from tests.docs import pages

REFERENCE = "".join(pages.text(name) for name in pages.names() if name.startswith("reference/"))


@pytest.mark.parametrize("name", sorted({*jetstow.__all__, *jetstow.types.__all__}))
def test_public_name_has_an_entry(name: str) -> None:
    assert f":: {name}\n" in REFERENCE or f":: {name}(" in REFERENCE


@pytest.mark.parametrize("name", errors.__all__)
def test_error_has_an_entry(name: str) -> None:
    assert f"autoexception:: {name}" in pages.text("reference/errors.md")


def own_methods(kind: type) -> list[str]:
    """Return the public methods that jetstow defines, without those inherited from nats-py."""
    return [
        name
        for name, value in inspect.getmembers(kind)
        if not name.startswith("_")
        and getattr(value, "__module__", "").startswith("jetstow")
        and not inspect.isclass(value)
    ]


@pytest.mark.parametrize("name", own_methods(jetstow.ObjectStore))
def test_method_of_a_store_has_an_entry(name: str) -> None:
    assert f":: ObjectStore.{name}\n" in REFERENCE


@pytest.mark.parametrize("name", own_methods(jetstow.JetStreamContext))
def test_method_of_the_context_has_an_entry(name: str) -> None:
    members = REFERENCE.partition("autoclass:: JetStreamContext")[2].partition("```")[0]
    assert name in members.replace(",", " ").split()


def test_methods_are_found() -> None:
    assert {"put", "get", "watch", "find", "copy"} <= set(own_methods(jetstow.ObjectStore))
