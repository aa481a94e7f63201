"""Convert the annotations of the asynchronous verbs to those of the blocking ones."""

from __future__ import annotations

import ast
import copy

from async_interface import GenerationError, Module

# The classes that are generated, and their hand-written bases.
CLASSES = {"ObjectStore": "StoreBase", "JetStreamContext": "ContextBase"}

# Types that differ. The asynchronous ones on the left are known by their last name.
BLOCKING_TYPES = {
    "Data": "jetstow.types.BlockingData",
    "Readable": "jetstow.types.Readable",
    "Writable": "jetstow.types.Writable",
    "BucketIndex": "jetstow.sync._index.BucketIndex",
    "ObjectReader": "jetstow.sync._reader.ObjectReader",
    "ObjectWriter": "jetstow.sync._writer.ObjectWriter",
    "ObjectWatcher": "jetstow.sync._watcher.ObjectWatcher",
}
ASYNC_ONLY = {"AsyncIterable", "AsyncIterator", "Awaitable"}


class Annotations(ast.NodeTransformer):
    """Translate annotations, and collect the imports that they need."""

    def __init__(self, stores: set[str]) -> None:
        self.stores = stores
        self.imports: dict[str, str] = {}
        self._module: Module

    def translate(self, module: Module, node: ast.expr | None) -> str:
        """Return the blocking form of an annotation."""
        if node is None:
            raise GenerationError("an annotation is missing")
        self._module = module
        return ast.unparse(self.visit(copy.deepcopy(node)))

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        if isinstance(node.value, str):
            return self._visit_expression(ast.parse(node.value, mode="eval").body)
        return node

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        name = ast.unparse(node.value)
        if name == "Literal":
            self._import(name)
            return node
        if name == "Listing":
            self.imports["builtins"] = "builtins"
            item = self._visit_expression(node.slice)
            return ast.Subscript(ast.parse("builtins.list", mode="eval").body, item, ast.Load())
        if name == "AwaitableContext":
            return self._visit_expression(node.slice)
        if name == "AsyncGenerator":
            assert isinstance(node.slice, ast.Tuple)
            yielded = ast.unparse(self._visit_expression(node.slice.elts[0]))
            self.imports["Generator"] = "collections.abc.Generator"
            return ast.parse(f"Generator[{yielded}, None, None]", mode="eval").body
        self.generic_visit(node)
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        for side, other in ((node.left, node.right), (node.right, node.left)):
            name = ast.unparse(side.value) if isinstance(side, ast.Subscript) else ""
            if name in ASYNC_ONLY:
                return self._visit_expression(other)
        self.generic_visit(node)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        self._import(ast.unparse(node).split(".")[0])
        return node

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id in self.stores:
            return ast.Name("ObjectStore", ast.Load())
        if node.id in CLASSES:
            return node
        if node.id in BLOCKING_TYPES:
            origin = BLOCKING_TYPES[node.id]
            self.imports[origin.rpartition(".")[2]] = origin
            return ast.Name(origin.rpartition(".")[2], ast.Load())
        local = self._module.definitions.get(node.id)
        if isinstance(local, ast.AnnAssign) and local.value is not None:
            return self._visit_expression(local.value)  # a type alias
        self._import(node.id)
        return node

    def _visit_expression(self, node: ast.expr) -> ast.expr:
        result = self.visit(node)
        assert isinstance(result, ast.expr)
        return result

    def _import(self, name: str) -> None:
        if origin := self._module.imports.get(name):
            self.imports[name] = origin
        elif name in self._module.definitions:
            self.imports[name] = f"{self._module.name}.{name}"
