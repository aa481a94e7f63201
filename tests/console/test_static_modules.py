"""The page's files: modules, preloads, vendored libraries. No server is needed."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import jetstow.console

STATIC = Path(jetstow.console.__file__).parent / "static"
VENDOR = STATIC / "vendor"
MAX_LINES = 300
_IMPORT = re.compile(r"""^(?:import|export)\b[^;"]*?from\s+"(\./[^"]+)";""", re.MULTILINE)
_LAZY = re.compile(r"""\bimport\("(\./[^"]+)"\)""")


def imported(module: str) -> set[str]:
    """Return the names of the modules that a module imports when it is loaded."""
    text = (STATIC / module).read_text(encoding="utf-8")
    folder = Path(module).parent
    return {(folder / name).as_posix() for name in _IMPORT.findall(text)}


def closure(module: str) -> set[str]:
    """Return a module with all that it imports, directly or not."""
    found: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += imported(name)
    return found


def test_first_modules_are_preloaded() -> None:
    """Without it, the browser finds each level of imports after it has the one above."""
    page = (STATIC / "index.html").read_text(encoding="utf-8")
    preloaded = re.findall(r'rel="modulepreload" href="/_console/static/([^"]+)"', page)
    assert preloaded == sorted(closure("app.js") - {"app.js"}), "index.html lists other modules"


def test_all_modules_are_used_and_exist() -> None:
    modules = {path.name for path in STATIC.glob("*.js")} - {"theme.js"}
    lazy = {
        name.removeprefix("./")
        for path in STATIC.glob("*.js")
        for name in _LAZY.findall(path.read_text(encoding="utf-8"))
    }
    used = closure("app.js").union(*(closure(name) for name in lazy))
    assert modules == {name for name in used if "/" not in name}


def test_page_has_nothing_inline() -> None:
    """The Content-Security-Policy refuses inline scripts and styles."""
    page = (STATIC / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon\w+=|javascript:", page)
    for path in STATIC.glob("*.js"):
        text = path.read_text(encoding="utf-8")
        sinks = r"\beval\(|new Function|innerHTML|outerHTML|insertAdjacentHTML|document\.write"
        found = re.findall(sinks + r"|dangerouslySet|\bstyle=\"", text)
        assert not found, f"{path.name}: {found}"


def test_modules_are_short() -> None:
    for path in STATIC.glob("*.js"):
        lines = path.read_text(encoding="utf-8").count("\n")
        assert lines <= MAX_LINES, f"{path.name} has {lines} lines"


def test_vendored_files_are_those_of_the_packages() -> None:
    readme = (VENDOR / "README.md").read_text(encoding="utf-8")
    lines = re.findall(r"^ {4}([0-9a-f]{64}) {2}(\S+)$", readme, re.MULTILINE)
    sums = {name: digest for digest, name in lines}
    ours = {
        "preact/standalone.module.js": (VENDOR / "preact.js").read_bytes(),
        "dist/uPlot.iife.min.js": (VENDOR / "uplot.js")
        .read_bytes()
        .removesuffix(b"\nexport default uPlot;\n"),
        "dist/uPlot.min.css": (VENDOR / "uplot.css").read_bytes(),
    }
    assert {name: hashlib.sha256(data).hexdigest() for name, data in ours.items()} == sums
