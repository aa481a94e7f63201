"""The page with all methods: every name exists, and every call fits the signature."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from typing import Any, Final

import pytest

import jetstow
from tests.docs import pages

PAGE: Final = "reference/overview.md"

# The types of the variables on the page.
KINDS: Final[dict[str, list[Any]]] = {
    "jetstow": [jetstow],
    "nc": [jetstow.Client],
    "js": [jetstow.JetStreamContext],
    "store": [jetstow.ObjectStore],
    "vault": [jetstow.ObjectStore],
    "file": [jetstow.ObjectReader, jetstow.ObjectWriter],
    "info": [jetstow.ObjectInfo],
    "result": [jetstow.ObjectResult, jetstow.VerifyResult],
    "changes": [jetstow.ObjectWatcher],
}


def trees() -> Iterator[ast.AST]:
    for block in pages.blocks(PAGE):
        if block.language == "py":
            flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT | ast.PyCF_ONLY_AST
            yield compile(block.text, str(block), "exec", flags=flags)


def calls() -> list[ast.Call]:
    return [
        node
        for tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and is_method(node.func)
    ]


def is_method(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id in KINDS
    )


def has(kind: Any, name: str) -> bool:
    fields = [inspect.get_annotations(base) for base in getattr(kind, "__mro__", ())]
    return hasattr(kind, name) or any(name in annotated for annotated in fields)


def test_names_exist() -> None:
    for tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                kinds = KINDS.get(node.value.id, [])
                assert not kinds or any(has(kind, node.attr) for kind in kinds), ast.unparse(node)


@pytest.mark.parametrize("call", calls(), ids=ast.unparse)
def test_call_fits_the_signature(call: ast.Call) -> None:
    assert isinstance(call.func, ast.Attribute)
    assert isinstance(call.func.value, ast.Name)
    kinds = KINDS[call.func.value.id]
    kind = next(kind for kind in kinds if hasattr(kind, call.func.attr))
    method = getattr(kind, call.func.attr)
    itself = [object()] if inspect.isclass(kind) else []
    given = {keyword.arg: object() for keyword in call.keywords if keyword.arg}
    bound = inspect.signature(method).bind(*itself, *(object() for _ in call.args), **given)
    # The fields of a bucket's configuration are keyword arguments, but not in the signature.
    others = set(bound.arguments.get("params", {}))
    assert others <= set(inspect.signature(jetstow.BucketConfig).parameters)


def test_all_methods_are_on_the_page() -> None:
    named = {
        (node.value.id, node.attr)
        for tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    }
    kinds = (("js", jetstow.JetStreamContext), ("store", jetstow.ObjectStore))
    expected = {
        (variable, name)
        for variable, kind in kinds
        for name, value in inspect.getmembers(kind, inspect.isfunction)
        if not name.startswith("_") and value.__module__.startswith("jetstow")
    }
    assert not expected - named
