"""Read the asynchronous interface with `ast`, for generate_sync.py."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SRC = Path(__file__).resolve().parents[1] / "src"


Function = ast.FunctionDef | ast.AsyncFunctionDef


class GenerationError(Exception):
    """A verb that the generator cannot translate."""


@dataclass(frozen=True)
class Module:
    """A module's source: what it defines and what it imports."""

    name: str
    definitions: dict[str, ast.stmt]
    imports: dict[str, str]

    @classmethod
    def load(cls, name: str) -> Module:
        path = SRC.joinpath(*name.split("."))
        path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        definitions: dict[str, ast.stmt] = {}
        imports: dict[str, str] = {}
        for node in _statements(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    imports[alias.asname or alias.name] = f"{node.module}.{alias.name}"
            elif isinstance(node, ast.Import):
                for alias in node.names:
                    imports[alias.asname or alias.name] = alias.name
            elif isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                definitions[node.name] = node
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                definitions[node.target.id] = node
        return cls(name, definitions, imports)

    def find(self, name: str) -> tuple[Module, ast.stmt] | None:
        """Find a definition, through imports from our own modules; None if it is not ours."""
        if name in self.definitions:
            return self, self.definitions[name]
        origin, _, original = self.imports.get(name, "").rpartition(".")
        return Module.load(origin).find(original) if origin.split(".")[0] == "jetstow" else None


def _statements(module: ast.Module) -> Iterator[ast.stmt]:
    for node in module.body:
        yield from node.body if isinstance(node, ast.If) else [node]


@dataclass(frozen=True)
class Verb:
    """A public function or method, with the module whose imports its annotations need."""

    module: Module
    node: Function
    overloads: tuple[Function, ...] = ()


def find_class(name: str, by_hand: set[str]) -> tuple[ast.ClassDef, list[Verb], set[str]]:
    """Find a class of `jetstow`: its definition, its verbs, and the names of its bases.

    The verbs are its public methods and those of its bases, except those in `by_hand`.
    """
    found = Module.load("jetstow").find(name)
    assert found is not None
    definition, verbs, bases = found[1], dict[str, Verb](), set[str]()
    assert isinstance(definition, ast.ClassDef)
    queue = [found]
    while queue:
        module, node = queue.pop(0)
        assert isinstance(node, ast.ClassDef)
        overloads: list[Function] = []
        for member in node.body:
            if not isinstance(member, Function) or member.name.startswith("_"):
                continue
            if member.name in by_hand:
                continue
            decorators = {ast.unparse(decorator) for decorator in member.decorator_list}
            if "overload" in decorators:
                overloads.append(member)
                continue
            if decorators & {"property", "classmethod", "staticmethod"}:
                raise GenerationError(f"no rule for the decorators of {name}.{member.name}")
            own = tuple(overload for overload in overloads if overload.name == member.name)
            verbs.setdefault(member.name, Verb(module, member, own))
        parents = [base for base in node.bases if isinstance(base, ast.Name)]
        bases |= {base.id for base in parents}
        queue = [parent for base in parents if (parent := module.find(base.id))] + queue
    return definition, list(verbs.values()), bases


def find_function(name: str) -> Verb:
    """Find a function of `jetstow`."""
    found = Module.load("jetstow").find(name)
    assert found is not None
    assert isinstance(found[1], Function)
    return Verb(found[0], found[1])


def expanded_names(module: Module, node: ast.expr) -> set[str]:
    """Return the names in an annotation, and those in the type aliases that it names."""
    names: set[str] = set()
    for part in ast.walk(node):
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            names |= expanded_names(module, ast.parse(part.value, mode="eval").body)
        elif isinstance(part, ast.Name) and part.id not in names:
            names.add(part.id)
            found = module.find(part.id)
            if found and isinstance(found[1], ast.AnnAssign) and found[1].value is not None:
                names |= expanded_names(found[0], found[1].value)
    return names
