"""Who may import whom, who alone talks to the server, the public names, and file sizes."""

from __future__ import annotations

import ast
import graphlib
import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import jetstow

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src"

# From the bottom to the top. A module imports from its own layer's package and from layers below,
# in annotations too. Packages on one line do not import each other.
LAYERS: tuple[tuple[str, ...], ...] = (
    (
        "jetstow.errors",
        "jetstow._credentials",
        "jetstow._digest",
        "jetstow._glob",
        "jetstow._headers",
        "jetstow._html",
        "jetstow._lazy",
    ),
    ("jetstow._bucket_models", "jetstow._object_lock"),
    ("jetstow.models", "jetstow._results"),
    ("jetstow.types",),
    ("jetstow._core.aio",),
    ("jetstow._core.protocol",),
    ("jetstow._core.transport",),
    ("jetstow._core.bucket",),
    ("jetstow._core.read",),
    ("jetstow._core.write",),
    ("jetstow._core.maintain",),
    ("jetstow.store", "jetstow._embedded", "jetstow._nats_context", "jetstow._upload_records"),
    ("jetstow.client",),
    ("jetstow._connect",),
    ("jetstow._transfer",),
    ("jetstow",),
    ("jetstow.http",),
    ("jetstow.s3",),
    ("jetstow.console",),
    ("jetstow.sync", "jetstow.fs", "jetstow.cli"),
    ("jetstow.testing",),
)
FACES = (
    "jetstow.sync",
    "jetstow.fs",
    "jetstow.cli",
    "jetstow.http",
    "jetstow.s3",
    "jetstow.console",
)

# What a face may import besides the public names.
PURE = (
    "jetstow._core.protocol",
    "jetstow._core.aio",
    "jetstow._glob",
    "jetstow._lazy",
    "jetstow._upload_records",
)
# The command line starts and stops the embedded server and reads the `nats` tool's contexts.
CLI_EXTRAS = (
    "jetstow._credentials",
    "jetstow._embedded",
    "jetstow._nats_context",
    "jetstow._transfer.change_meta",
    "jetstow._transfer.plan",
)
# The file system has options that name a context and certificates.
FS_EXTRAS = ("jetstow._credentials", "jetstow._nats_context")

# These import little, whatever lies below them.
NARROW = {
    "jetstow._embedded": ("jetstow.errors",),
    "jetstow._nats_context": ("jetstow.errors", "jetstow._credentials"),
    "jetstow._core.aio": ("jetstow.errors", "jetstow.types"),
}
PROTOCOL_NETWORK = {"asyncio", "http", "select", "selectors", "socket", "ssl", "urllib.request"}
TRANSPORT = "jetstow._core.transport"
TALK = {"publish", "request", "subscribe"}
CONNECTION = {"nc", "_nc", "client", "_client", "connection", "_connection"}


def module_name(path: Path) -> str:
    parts = path.relative_to(SRC).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted((SRC / "jetstow").rglob("*.py"))}
TREES = {name: ast.parse(path.read_text()) for name, path in MODULES.items()}


def imported(name: str) -> Iterator[str]:
    """Every module that module `name` imports: `from a import b` gives `a.b` if it is one."""
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{name}: a relative import"
            origin = node.module or ""
            for alias in node.names:
                below = f"{origin}.{alias.name}"
                yield below if below in MODULES or not origin.startswith("jetstow") else origin


def ours(name: str) -> set[str]:
    return {found for found in imported(name) if found in MODULES} - {name}


def within(name: str, *packages: str) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def package_of(name: str) -> str:
    """The package of `LAYERS` that a module belongs to: the longest that fits."""
    fitting = [package for layer in LAYERS for package in layer if within(name, package)]
    return max(fitting, key=len)


def layer_of(package: str) -> int:
    return next(number for number, layer in enumerate(LAYERS) if package in layer)


LAYERED = [name for name in MODULES if name not in {"jetstow._core", "jetstow.__main__"}]


@pytest.mark.parametrize("name", LAYERED)
def test_module_imports_from_its_package_or_below(name: str) -> None:
    package = package_of(name)
    for found in ours(name):
        other = package_of(found)
        assert other == package or layer_of(other) < layer_of(package), f"{name} imports {found}"
        if package in NARROW and other != package:
            assert within(found, *NARROW[package]), f"{name} imports {found}"


@pytest.mark.parametrize("name", [name for name in MODULES if within(name, *FACES)])
def test_face_imports_public_names_and_pure_packages(name: str) -> None:
    face = package_of(name)
    extras = {"jetstow.cli": CLI_EXTRAS, "jetstow.fs": FS_EXTRAS}
    allowed = PURE + extras.get(face, ())
    for found in ours(name):
        private = any(part.startswith("_") for part in found.split("."))
        assert within(found, face, *allowed) or not private, f"{name} imports {found}"


def test_transfer_uses_the_public_api_and_pure_packages() -> None:
    for name in MODULES:
        if within(name, "jetstow._transfer"):
            for found in ours(name):
                private = any(part.startswith("_") for part in found.split("."))
                fine = within(found, "jetstow._transfer", *PURE) or not private
                assert fine, f"{name} imports {found}"


@pytest.mark.parametrize("name", [n for n in MODULES if within(n, "jetstow._core.protocol")])
def test_protocol_does_no_io(name: str) -> None:
    for found in imported(name):
        assert not within(found, *PROTOCOL_NETWORK), found
        # nats-py's types are data; anything else of it has a connection behind it.
        fine = within(found, "nats.js.api", "nats.nuid") or not within(found, "nats")
        assert fine, found


def test_only_transport_talks_to_the_connection() -> None:
    for name, tree in TREES.items():
        if not within(name, "jetstow._core", "jetstow.store") or within(name, TRANSPORT):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                *_, receiver = ast.unparse(node.func.value).split(".")
                talks = node.func.attr in TALK and receiver in CONNECTION
                assert not talks, f"{name}:{node.lineno}: {ast.unparse(node.func)}"


def test_imports_have_no_cycle() -> None:
    """Imports for annotations count, too."""
    graphlib.TopologicalSorter({name: ours(name) for name in MODULES}).prepare()


def test_contributing_lists_the_layers() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    listed = re.findall(r"^\| `(jetstow[\w.]*)`", text, re.MULTILINE)
    from_the_top = [package for layer in reversed(LAYERS) for package in layer]
    assert sorted(listed, key=from_the_top.index) == listed
    assert set(listed) == set(from_the_top)


def public_modules() -> list[str]:
    below = pkgutil.walk_packages(jetstow.__path__, "jetstow.")
    names = ["jetstow", *(info.name for info in below)]
    return [name for name in names if not any(part.startswith("_") for part in name.split("."))]


@pytest.mark.parametrize("name", public_modules())
def test_exports_are_sorted_and_resolve(name: str) -> None:
    module = importlib.import_module(name)
    exports = getattr(module, "__all__", None)
    if exports is None:
        assert name != "jetstow"
        return
    assert list(exports) == sorted(set(exports), key=_export_order)
    for export in exports:
        assert hasattr(module, export), export


def _export_order(name: str) -> tuple[int, str]:
    """Constants, then classes, then the rest: the order that ruff keeps."""
    kind = 0 if name.isupper() else 1 if name.lstrip("_")[:1].isupper() else 2
    return (kind, name)


def sized_files() -> Iterator[tuple[Path, int]]:
    for folder, limit in (("src", 300), ("tests", 400), ("benchmarks", 400), ("examples", 300)):
        for pattern in ("*.py", "*.mjs"):
            for path in sorted((ROOT / folder).rglob(pattern)):
                if "node_modules" not in path.parts and path.name != "_generated.py":
                    yield path, limit


def test_files_are_short() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path, limit in sized_files()
        if (lines := len(path.read_text().splitlines())) > limit
    }
    assert not long, f"split these files: {long}"
