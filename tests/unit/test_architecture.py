"""The rooms of the source: who may import whom, who alone talks to the server, and sizes."""

from __future__ import annotations

import ast
import graphlib
import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import jetstow

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src"
CORE = "jetstow._core"

FACES = ("cli", "fs", "s3", "console", "sync")
MOVERS = ("jetstow.archive", "jetstow.copies", "jetstow.mirroring", "jetstow.syncing")
PURE = ("names", "wire", "fields", "digest", "source", "frames", "headers", "cipher")
THREADS = f"{CORE}.background"  # no connection in it either
NETWORK = {"asyncio", "http", "select", "selectors", "socket", "ssl", "urllib.request"}
TALKERS = {"jetstream", "replies", "connection", "lane"}
TALK = {"publish", "request", "subscribe"}
CONNECTION = {"nc", "_nc", "client", "_client", "connection", "_connection"}


def module_name(path: Path) -> str:
    parts = path.relative_to(SRC).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted((SRC / "jetstow").rglob("*.py"))}
TREES = {name: ast.parse(path.read_text()) for name, path in MODULES.items()}


def imported(name: str, *, for_types: bool = True) -> Iterator[str]:
    """Every module that module `name` imports: `from a import b` gives `a.b` if it is one."""
    for node in _nodes(TREES[name], for_types=for_types):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{name}: a relative import"
            origin = node.module or ""
            for alias in node.names:
                below = f"{origin}.{alias.name}"
                yield below if below in MODULES or not origin.startswith("jetstow") else origin


def _nodes(tree: ast.AST, *, for_types: bool) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        typing_only = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        if for_types or not typing_only:
            yield node
            yield from _nodes(node, for_types=for_types)


def ours(name: str) -> set[str]:
    return {found for found in imported(name) if found.split(".")[0] == "jetstow"}


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


@pytest.mark.parametrize("face", FACES)
def test_a_face_uses_the_public_face_only(face: str) -> None:
    package = f"jetstow.{face}"
    for name in MODULES:
        if not within(name, package):
            continue
        for found in ours(name):
            if within(found, package):
                continue
            others = [f"jetstow.{other}" for other in FACES if other != face]
            assert not any(part.startswith("_") for part in found.split(".")), (name, found)
            assert not any(within(found, other) for other in others), (name, found)


def test_what_moves_buckets_uses_the_public_face_only() -> None:
    for name in MODULES:
        if any(within(name, mover) for mover in MOVERS):
            for found in ours(name):
                assert not any(part.startswith("_") for part in found.split(".")), (name, found)
                assert not any(within(found, f"jetstow.{face}") for face in FACES), (name, found)


def test_the_core_knows_nothing_of_what_is_built_on_it() -> None:
    below = ("jetstow.errors", "jetstow.models", "jetstow.patterns", "jetstow.reports", CORE)
    for name in MODULES:
        if within(name, CORE):
            strange = {found for found in ours(name) if not any(within(found, b) for b in below)}
            assert not strange, (name, strange)


@pytest.mark.parametrize("room", PURE)
def test_a_pure_room_needs_no_connection(room: str) -> None:
    name = f"{CORE}.{room}"
    pure = {f"{CORE}.{room}" for room in PURE}
    allowed = {"jetstow.errors", "jetstow.models", CORE, THREADS} | pure
    assert ours(name) <= allowed
    for found in imported(name):
        assert not any(within(found, network) for network in NETWORK), found
        # nats-py's types are data; anything else of it has a connection behind it.
        assert not within(found, "nats") or within(found, "nats.js.api"), found


def test_errors_and_models_stand_alone() -> None:
    assert ours("jetstow.errors") == set()
    assert ours("jetstow.models") <= {"jetstow.errors", "jetstow.notebook"}
    assert ours("jetstow.notebook") | ours("jetstow.patterns") == set()
    assert ours("jetstow.reports") <= {"jetstow.errors"}


def test_only_one_room_talks_to_the_connection() -> None:
    for name, tree in TREES.items():
        inside = within(name, CORE) or within(name, "jetstow.store")
        if not inside or name.removeprefix(f"{CORE}.") in TALKERS:
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                *_, receiver = ast.unparse(node.func.value).split(".")
                talks = node.func.attr in TALK and receiver in CONNECTION
                assert not talks, f"{name}:{node.lineno}: {ast.unparse(node.func)}"


def test_imports_have_no_circles() -> None:
    graph = {
        name: {found for found in imported(name, for_types=False) if found in MODULES} - {name}
        for name in MODULES
    }
    # A package's `__init__` gathers what lies below it; below, nobody imports it back.
    graphlib.TopologicalSorter(graph).prepare()


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
    for folder, limit in (("src", 400), ("tests", 450), ("benchmarks", 450), ("examples", 400)):
        for pattern in ("*.py", "*.mjs"):
            for path in sorted((ROOT / folder).rglob(pattern)):
                if "node_modules" not in path.parts:
                    yield path, limit


def test_rooms_stay_comfortable() -> None:
    crowded = {
        str(path.relative_to(ROOT)): lines
        for path, limit in sized_files()
        if (lines := len(path.read_text().splitlines())) > limit
    }
    assert not crowded, f"files that want a second room: {crowded}"
