"""Generates the reference of commands from their help: it replaces `<!-- commands -->`."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any, Final

import typer.main
from sphinx.application import Sphinx

PLACEHOLDER: Final = "<!-- commands -->"
COMMON: Final = "Common options"


def reference() -> str:
    """Return all commands as Markdown, in the sections of the program's help."""
    from jetstow.cli.app import app  # noqa: PLC0415 - slow to import
    from jetstow.cli.errors import EXIT_CODES  # noqa: PLC0415

    root: Any = typer.main.get_command(app)
    shared = [param for param in root.params if param.rich_help_panel == COMMON]
    own = [param for param in root.params if param not in shared and not param.hidden]
    panels: dict[str, list[str]] = {}
    for name, command in root.commands.items():
        entry = list(_command(f"jetstow {name}", command, shared, level=3))
        panels.setdefault(command.rich_help_panel or "Others", []).extend(entry)
    lines = [f"{_help(root)}\n"]
    for panel, entries in panels.items():
        lines += [f"## {panel}\n", *entries]
    lines += ["## Common options\n", "All commands that use a server have these options.\n"]
    lines += [*_options(shared), "## Options before a command\n", *_options(own)]
    lines += ["## Exit codes\n", "| code | |\n| ---: | --- |"]
    lines += [f"| {code} | {meaning} |" for code, meaning in EXIT_CODES.items()]
    return "\n".join(lines) + "\n"


def _command(path: str, command: Any, shared: list[Any], level: int) -> Iterator[str]:
    yield f"{'#' * level} `{path}`\n"
    subcommands = getattr(command, "commands", None)
    shared_names = {param.name for param in shared}
    arguments = [param for param in command.params if param.param_type_name == "argument"]
    options = [
        param
        for param in command.params
        if param.param_type_name == "option" and param.name not in shared_names and not param.hidden
    ]
    words = ["COMMAND"] if subcommands else [argument.metavar or "" for argument in arguments]
    yield f"```text\n{' '.join([path, *(['[OPTIONS]'] if options else []), *words])}\n```\n"
    yield f"{_help(command)}\n"
    for argument in arguments:
        if argument.help:
            yield f"`{argument.metavar}`\n: {_plain(argument.help)}\n"
    yield from _options(options)
    for name, child in (subcommands or {}).items():
        yield from _command(f"{path} {name}", child, shared, level + 1)


def _help(command: Any) -> str:
    return _plain(inspect.cleandoc(command.help or ""))


def _plain(text: str | None) -> str:
    """Escape stars: help texts have patterns, and no emphasis."""
    return (text or "").replace("*", r"\*")


def _options(options: list[Any]) -> Iterator[str]:
    for option in options:
        value = f" {option.metavar}" if option.metavar else ""
        yield f"`{', '.join(sorted(option.opts, key=len))}{value}`\n: {_plain(option.help)}\n"


def _fill(_: Sphinx, __: str, content: list[str]) -> None:
    if PLACEHOLDER in content[0]:
        content[0] = content[0].replace(PLACEHOLDER, reference())


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("source-read", _fill)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
