"""The README keeps its word: its program runs, its verbs exist, its links lead somewhere."""

from __future__ import annotations

import ast
import inspect
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import jetstow
import jetstow.sync
from tests.support.samples import digest_of

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")

# What the names in the README stand for.
KINDS: dict[str, list[Any]] = {
    "jetstow": [jetstow],
    "nc": [jetstow.Client],
    "js": [jetstow.JetStreamContext],
    "store": [jetstow.ObjectStore],
    "file": [jetstow.ObjectReader, jetstow.ObjectWriter],
    "info": [jetstow.ObjectInfo],
    "result": [jetstow.ObjectResult],
    "changes": [jetstow.ObjectWatcher],
}


def section(title: str) -> str:
    return README.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def blocks(text: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def test_five_minutes(tmp_path: Path) -> None:
    (program,) = blocks(section("Five minutes"))
    chosen = {"JETSTOW_HOME": str(tmp_path / "home"), "XDG_CONFIG_HOME": str(tmp_path / "config")}
    left_out = ("NATS_URL", "NATS_CONTEXT", "JETSTOW_NATS_SERVER")
    environment = {key: value for key, value in os.environ.items() if key not in left_out}
    for _ in range(2):  # what it made is there already the second time
        run = subprocess.run(
            [sys.executable, "-W", "error", "-c", program], env=environment | chosen, cwd=tmp_path,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert (run.returncode, run.stderr) == (0, "")
        data = b"hello, world"
        assert run.stdout.splitlines() == [
            f"greeting: 12 bytes, {digest_of(data)}",
            str(data),
        ]


def trees() -> Iterator[ast.AST]:
    for block in blocks(README):
        flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT | ast.PyCF_ONLY_AST
        yield compile(block, "README.md", "exec", flags=flags)


def calls() -> list[ast.Call]:
    return [
        node
        for tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and known(node.func)
    ]


def known(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id in KINDS
    )


def test_there_is_something_to_check() -> None:
    verbs = {ast.unparse(call.func).partition(".")[2] for call in calls()}
    assert {"connect", "put", "get", "create_object_store", "seal", "seek", "watch"} <= verbs
    assert len(verbs) > 25


def test_every_name_exists() -> None:
    for tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                kinds = KINDS.get(node.value.id, [])
                assert not kinds or any(has(kind, node.attr) for kind in kinds), ast.unparse(node)


def has(kind: Any, name: str) -> bool:
    fields = [inspect.get_annotations(base) for base in getattr(kind, "__mro__", ())]
    return hasattr(kind, name) or any(name in annotated for annotated in fields)


@pytest.mark.parametrize("call", calls(), ids=ast.unparse)
def test_every_call_has_arguments_that_fit(call: ast.Call) -> None:
    assert isinstance(call.func, ast.Attribute)
    assert isinstance(call.func.value, ast.Name)
    kinds = KINDS[call.func.value.id]
    kind = next(kind for kind in kinds if hasattr(kind, call.func.attr))
    what = getattr(kind, call.func.attr)
    itself = [object()] if inspect.isclass(kind) else []
    given = {keyword.arg: object() for keyword in call.keywords if keyword.arg}
    bound = inspect.signature(what).bind(*itself, *(object() for _ in call.args), **given)
    # What a bucket's configuration is given by name is not in the signature.
    others = set(bound.arguments.get("params", {}))
    assert others <= set(inspect.signature(jetstow.BucketConfig).parameters)


def test_every_link_leads_somewhere() -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", README)
    paths = [link.partition("#")[0] for link in links if "://" not in link]
    assert "examples/intro.py" in paths
    for path in paths:
        assert (ROOT / path).exists(), path


def test_every_target_of_make_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for text in (README, (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")):
        for target in re.findall(r"`make ([a-z]+)`", text):
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
