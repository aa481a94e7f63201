"""Every message that the troubleshooting page quotes is one that the program says."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

import pytest

from tests.docs import pages

SOURCE: Final = pages.ROOT / "src" / "jetstow"
ANY: Final = "…"


def quoted() -> list[str]:
    """The terms of the page's lists."""
    return re.findall(r"^`(.+)`\n: ", pages.text("troubleshooting.md"), re.MULTILINE)


def said() -> set[str]:
    """All texts of the source, with `…` where they differ."""
    return {
        comparable(text)
        for path in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for text in _texts(node)
    }


def _texts(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.JoinedStr):
        yield "".join(
            str(part.value) if isinstance(part, ast.Constant) else ANY for part in node.values
        )
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield re.sub(r"\{\w*\}", ANY, node.value)


def comparable(text: str) -> str:
    """What stands for an object or a bucket is one thing that differs, with or without quotes."""
    text = text.replace(f"'{ANY}'", ANY)
    for told in (f"object {ANY} in bucket {ANY}", f"bucket {ANY}"):
        text = text.replace(told, ANY)
    return text


SAID: Final = said()


@pytest.mark.parametrize("message", quoted())
def test_a_message_is_said_by_the_program(message: str) -> None:
    assert comparable(message) in SAID


def test_there_are_messages() -> None:
    assert len(quoted()) > 40


def test_a_message_that_nobody_says_is_noticed() -> None:
    assert comparable("there is no bucket '…', is there") not in SAID


def test_every_variable_that_is_named_is_read() -> None:
    named = re.findall(r"^\| `([A-Z_]+)`", pages.text("reference/environment.md"), re.MULTILINE)
    source = "".join(path.read_text(encoding="utf-8") for path in SOURCE.rglob("*.py"))
    assert len(named) > 4
    assert not [name for name in named if name not in source and name != "TMPDIR"]
