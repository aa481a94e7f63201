"""Resolves names in signatures and docstrings.

Names of jetstow become links to their entries. All other names become text, if they exist; if they
do not, the build fails.
"""

from __future__ import annotations

import importlib
import re
from typing import Any, Final

from docutils import nodes
from sphinx.application import Sphinx

import jetstow
from jetstow import errors

# Modules in which a bare name of a signature is looked up.
_ORIGINS: Final = (
    "builtins", "typing", "typing_extensions", "collections.abc", "datetime", "os", "pathlib",
    "nats.js.api", "nats.js.client", "nats.js.errors", "nats.js.object_store", "nats.aio.client",
    "nats.errors",
    "jetstow._core.aio.awaitables", "jetstow.store.base", "jetstow.models", "jetstow.types",
    "jetstow.http.asgi",
)  # fmt: skip


def _resolve(app: Sphinx, env: Any, node: Any, shown: Any) -> Any:
    if node.get("refdomain") != "py":
        return None
    target: str = node["reftarget"]
    if target.startswith("nats.") and ".errors." in target and _exists(target):
        return nodes.literal(target, target)  # many errors of jetstow have the same name
    domain, name = env.get_domain("py"), target.rpartition(".")[2]
    for module in ("jetstow", "jetstow.errors", "jetstow.types", "jetstow.http", "jetstow.sync"):
        documented = f"{module}.{name}"
        if target != documented and documented in domain.objects:
            return domain.resolve_xref(
                env, node["refdoc"], app.builder, node["reftype"], documented, node, shown
            )
    return shown if _exists(target) else None


def _exists(target: str) -> bool:
    module, _, name = target.rpartition(".")
    return any(_has(origin, name) for origin in ([module] if module else _ORIGINS)) or any(
        _has(f"{origin}.{module}", name) or _has(origin, module) for origin in _ORIGINS if module
    )


def _has(module: str, name: str) -> bool:
    try:
        return hasattr(importlib.import_module(module), name)
    except ImportError:
        return False


_QUOTED: Final = re.compile(r"(?<!`)`([^`\n]+)`(?!`)(?=(\w)?)")


def _link(match: re.Match[str]) -> str:
    name, following = match.groups()
    separator = "\\ " if following else ""
    if name in errors.__all__:
        return f":py:exc:`~jetstow.errors.{name}`{separator}"
    if name in jetstow.__all__ and name != "jetstream":
        return f":py:obj:`~jetstow.{name}`{separator}"
    return f"``{name}``{separator}"


def _markdown_to_rst(_: Sphinx, __: str, ___: str, ____: Any, _____: Any, lines: list[str]) -> None:
    """Convert the Markdown backticks of docstrings to reStructuredText."""
    lines[:] = [_QUOTED.sub(_link, line) for line in lines]


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("autodoc-process-docstring", _markdown_to_rst)
    app.connect("missing-reference", _resolve)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
