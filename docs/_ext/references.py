"""What signatures and docstrings name: ours leads to its entry, the rest is text, and exists."""

from __future__ import annotations

import importlib
import re
from typing import Any, Final

from docutils import nodes
from sphinx.application import Sphinx

import jetstow
from jetstow import errors

# Where a bare name of a signature may come from.
_ORIGINS: Final = (
    "builtins", "typing", "typing_extensions", "collections.abc", "datetime", "os", "pathlib",
    "nats.js.api", "nats.js.client", "nats.js.errors", "nats.js.object_store", "nats.aio.client",
    "nats.errors",
    "jetstow._core.aio.awaitables", "jetstow._core.aio.source", "jetstow._core.aio.sink",
    "jetstow._core.read.filters", "jetstow._core.read.preconditions",
    "jetstow._transfer.archive.write",
    "jetstow._transfer.archive.read",
    "jetstow.store.base", "jetstow.models", "jetstow._transfer.mirror",
)  # fmt: skip


def _resolve(app: Sphinx, env: Any, node: Any, shown: Any) -> Any:
    if node.get("refdomain") != "py":
        return None
    target: str = node["reftarget"]
    if target.startswith("nats.") and ".errors." in target and _exists(target):
        return nodes.literal(target, target)  # many of ours have the same name
    domain, name = env.get_domain("py"), target.rpartition(".")[2]
    for documented in (f"jetstow.{name}", f"jetstow.errors.{name}", f"jetstow.sync.{name}"):
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
    said, follows = match.groups()
    apart = "\\ " if follows else ""
    if said in errors.__all__:
        return f":py:exc:`~jetstow.errors.{said}`{apart}"
    if said in jetstow.__all__ and said != "jetstream":
        return f":py:obj:`~jetstow.{said}`{apart}"
    return f"``{said}``{apart}"


def _in_docutils_words(
    _: Sphinx, __: str, ___: str, ____: Any, _____: Any, lines: list[str]
) -> None:
    """Docstrings quote with Markdown's backticks."""
    lines[:] = [_QUOTED.sub(_link, line) for line in lines]


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("autodoc-process-docstring", _in_docutils_words)
    app.connect("missing-reference", _resolve)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
