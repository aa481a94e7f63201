"""Write src/jetstow/sync/_generated.py: the blocking verbs, from the asynchronous ones.

Usage: generate_sync.py [--check]; with --check, fail if the file is not up to date.

The signatures, overloads and docstrings are those of `jetstow.ObjectStore`,
`jetstow.JetStreamContext` and the functions in FUNCTIONS. A verb without a rule in this file is an
error: nothing is left out silently.
"""

from __future__ import annotations

import ast
import copy
import difflib
import re
import subprocess
import sys
import sysconfig
import textwrap
from collections.abc import Iterator
from pathlib import Path

from async_interface import (
    Function,
    GenerationError,
    Module,
    Verb,
    expanded_names,
    find_class,
    find_function,
)
from blocking_texts import BODIES, DOCSTRINGS, WORDS
from blocking_types import CLASSES, Annotations

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "src" / "jetstow" / "sync" / "_generated.py"
WIDTH = 92  # of a docstring's line, without the indentation

FUNCTIONS = ("backup", "restore", "mirror", "upload_folder", "download_folder")

# Members that the base classes in _base.py define.
BY_HAND = {"bucket"}

LEFTOVER = re.compile(r"\b(await|async|asyncio|asynchronous\w*|coroutines?)\b", re.IGNORECASE)

HEADER = '''\
"""The blocking verbs. Generated: do not edit.

`python scripts/generate_sync.py` writes this file. `make lint` fails if it is not up to date.
"""

from __future__ import annotations

'''


class Generator:
    """Render verbs as blocking functions."""

    def __init__(self) -> None:
        classes = {name: find_class(name, BY_HAND) for name in CLASSES}
        self.classes = classes
        self.types = Annotations({"ObjectStore", *classes["ObjectStore"][2]})
        self.types.imports |= {
            "jetstow": "jetstow",
            "_adapters": "jetstow.sync._adapters",
            "Call": "jetstow.sync._call.Call",
            "iterate": "jetstow.sync._iterate.iterate",
            "overload": "typing.overload",
            "run": "jetstow.sync._call.run",
            **{base: f"jetstow.sync._base.{base}" for base in CLASSES.values()},
        }

    def module(self) -> str:
        """Return the source of the whole module, not formatted."""
        parts = [self.render_class(name) for name in CLASSES]
        parts += [self.render(find_function(name), "function") for name in FUNCTIONS]
        exports = sorted(CLASSES) + sorted(FUNCTIONS)
        parts.append(f"__all__ = {exports!r}\n")
        return HEADER + self.render_imports() + "\n\n" + "\n\n".join(parts)

    def render_imports(self) -> str:
        lines = []
        for name, origin in self.types.imports.items():
            module, _, original = origin.rpartition(".")
            alias = "" if original == name else f" as {name}"
            lines.append(f"from {module} import {original}{alias}" if module else f"import {name}")
        return "\n".join(lines)

    def render_class(self, name: str) -> str:
        definition, verbs, _ = self.classes[name]
        text = f"class {name}({CLASSES[name]}):\n{self.docstring(name, definition)}\n"
        return text + "\n".join(textwrap.indent(self.render(verb, name), "    ") for verb in verbs)

    def render(self, verb: Verb, owner: str) -> str:
        """Return a function or a method of `owner`, with its overloads."""
        node = verb.node
        text = "".join(
            f"@overload\n{self.signature(verb.module, variant)} ...\n" for variant in verb.overloads
        )
        text += self.signature(verb.module, node) + "\n" + self.docstring(node.name, node)
        return text + textwrap.indent(self.body(verb, owner), "    ")

    def signature(self, module: Module, node: Function) -> str:
        """Return the first line of a function, up to its colon."""
        arguments = copy.deepcopy(node.args)
        for arg in [*arguments.args, *arguments.kwonlyargs, arguments.kwarg]:
            if arg is not None and arg.arg != "self":
                text = self.types.translate(module, arg.annotation)
                arg.annotation = ast.parse(text, mode="eval").body
        returns = self.types.translate(module, node.returns)
        return f"def {node.name}({ast.unparse(arguments)}) -> {returns}:"

    def docstring(self, name: str, node: Function | ast.ClassDef) -> str:
        """Return the docstring, indented."""
        text = DOCSTRINGS.get(name) or ast.get_docstring(node)
        if not text:
            raise GenerationError(f"{name} has no docstring")
        text = "\n\n".join(map(blocking_words, textwrap.dedent(text).strip().split("\n\n")))
        if leftover := LEFTOVER.search(text):
            raise GenerationError(
                f"the docstring of {name} has {leftover[0]!r}: add its words to WORDS, or the "
                f"docstring to DOCSTRINGS, in {Path(__file__).name}"
            )
        end = "\n" if "\n" in text else ""
        return textwrap.indent(f'"""{text}{end}"""\n', "    ")

    def body(self, verb: Verb, owner: str) -> str:
        """Return the statements of a function, not indented."""
        node = verb.node
        if node.name in BODIES:
            return f"{textwrap.dedent(BODIES[node.name])}\n"
        target = {
            "ObjectStore": f"self.async_store().{node.name}",
            "JetStreamContext": f"self.async_context().{node.name}",
            "function": f"jetstow.{node.name}",
        }[owner]
        returns = ast.unparse(node.returns) if node.returns else ""
        arguments = list(self.arguments(verb))
        if returns.startswith("AsyncGenerator"):
            return f"return iterate(self, {target}({', '.join(arguments)}))\n"
        call = f"run({', '.join([target, *arguments])})"
        if returns == "AwaitableContext[ObjectWatcher]":
            undo = "Call(undo=jetstow.ObjectWatcher.stop)"
            return f"return ObjectWatcher(self, {undo}.{call}, match)\n"
        if returns == "AwaitableContext[BucketIndex]":
            undo = "Call(undo=jetstow.BucketIndex.close)"
            return f"return BucketIndex(self, {undo}.{call})\n"
        if not isinstance(node, ast.AsyncFunctionDef) and not returns.startswith("Listing"):
            raise GenerationError(f"no rule for the result {returns} of {node.name}")
        lines = []
        if any(re.search(r"\bcall\b", argument) for argument in arguments):
            lines, call = ["call = Call()"], f"call.{call}"
        if returns == "ObjectStore":
            lines += [f"store = {call}", "return ObjectStore(self, store.bucket, store)"]
        elif "match" in (arg.arg for arg in [*node.args.args, *node.args.kwonlyargs]):
            lines.append(f"return _adapters.matching(match, {call})")
        else:
            lines.append(f"return {call}")
        return "\n".join(lines) + "\n"

    def arguments(self, verb: Verb) -> Iterator[str]:
        """Return the arguments of a verb as the asynchronous one takes them."""
        arguments = verb.node.args
        for arg in arguments.args:
            if arg.arg != "self":
                yield self.argument(verb.module, arg)
        for arg in arguments.kwonlyargs:
            yield f"{arg.arg}={self.argument(verb.module, arg)}"
        if arguments.kwarg is not None:
            yield f"**{arguments.kwarg.arg}"

    def argument(self, module: Module, arg: ast.arg) -> str:
        """Return an argument: the caller's code and blocking objects are adapted."""
        name, annotation = arg.arg, arg.annotation
        assert annotation is not None
        text, names = ast.unparse(annotation), expanded_names(module, annotation)
        if "Progress" in names:
            return f"call.callback({name})"
        if "Data" in names:
            return f"_adapters.async_source(call, {name})"
        if "Writable" in names:
            return f"_adapters.async_writable(call, {name})"
        if "Readable" in names:
            return f"_adapters.async_readable(call, {name})"
        if text.startswith("Callable["):
            return f"_adapters.asked(call, {name})"
        if text.startswith("Iterable["):
            return f"_adapters.collected({name})"
        if "Match" in names:
            return f"_adapters.pattern_of({name})"
        if text == "JetStreamContext":
            return f"{name}.async_context()"
        if names & self.types.stores:
            if "str" in names:
                return f"{name} if isinstance({name}, str) else {name}.bucket"
            store = f"{name}.async_store()"
            return f"None if {name} is None else {store}" if "None" in text else store
        return name


def blocking_words(paragraph: str) -> str:
    """Replace the words of the asynchronous interface. Wrap the lines again if any changed."""
    text = paragraph
    for words, replacement in WORDS:
        text = re.sub(words, replacement, text)
    if text == paragraph or any(line.startswith((" ", "- ")) for line in text.splitlines()):
        return text  # unchanged, or a list or code
    return textwrap.fill(text, WIDTH, break_long_words=False, break_on_hyphens=False)


def formatted(source: str) -> str:
    """Sort imports, and format."""
    ruff = Path(sysconfig.get_path("scripts")) / "ruff"
    for command in (
        ["check", "--quiet", "--select", "I,F401,RUF022", "--fix-only"],
        ["format", "--quiet"],
    ):
        source = subprocess.run(
            [str(ruff), *command, "--stdin-filename", str(TARGET), "-"],
            input=source,
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
        ).stdout
    return source


def main(arguments: list[str]) -> str | None:
    try:
        source = formatted(Generator().module())
    except GenerationError as error:
        return f"{Path(__file__).name}: {error}"
    current = TARGET.read_text() if TARGET.exists() else ""
    if source == current:
        return None
    if arguments == ["--check"]:
        diff = difflib.unified_diff(current.splitlines(), source.splitlines(), "file", "generated")
        print("\n".join(diff))
        return f"{TARGET.relative_to(ROOT)} is not up to date: run python scripts/generate_sync.py"
    TARGET.write_text(source)
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
