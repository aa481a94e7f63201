"""Every error message on the troubleshooting page is in the source."""

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
    """Return the terms of the page's definition lists."""
    return re.findall(r"^`(.+)`\n: ", pages.text("troubleshooting.md"), re.MULTILINE)


def source_texts() -> set[str]:
    """Return all string literals of the source, with `…` for the parts that differ."""
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
    """Replace every description of an object or a bucket by `…`, quoted or not."""
    text = text.replace(f"'{ANY}'", ANY)
    for description in (f"object {ANY} in bucket {ANY}", f"bucket {ANY}"):
        text = text.replace(description, ANY)
    return text


SOURCE_TEXTS: Final = source_texts()


@pytest.mark.parametrize("message", quoted())
def test_message_is_in_the_source(message: str) -> None:
    assert comparable(message) in SOURCE_TEXTS


def test_messages_are_found() -> None:
    assert len(quoted()) > 40


def test_message_that_is_not_in_the_source() -> None:
    assert comparable("there is no bucket '…', is there") not in SOURCE_TEXTS


def test_loggers_are_those_of_the_source() -> None:
    section = pages.text("guides/telemetry.md").partition("## Logs")[2].partition("\n## ")[0]
    texts = (path.read_text(encoding="utf-8") for path in SOURCE.rglob("*.py"))
    used = {name for text in texts for name in re.findall(r'getLogger\("(jetstow\.\w+)"\)', text)}
    assert set(re.findall(r"^\| `([\w.]+)`", section, re.MULTILINE)) == used


def test_environment_variables_are_read() -> None:
    named = re.findall(r"^\| `([A-Z_]+)`", pages.text("reference/environment.md"), re.MULTILINE)
    source = "".join(path.read_text(encoding="utf-8") for path in SOURCE.rglob("*.py"))
    assert len(named) > 4
    assert not [name for name in named if name not in source and name != "TMPDIR"]
