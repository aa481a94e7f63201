"""The page of commands, made of what the program itself says: `<!-- commands -->` is replaced."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any, Final

import typer.main
from sphinx.application import Sphinx

PLACE: Final = "<!-- commands -->"
COMMON: Final = "Common options"


def reference() -> str:
    """Every command, in Markdown, in the sections of the program's help."""
    from jetstow.cli.app import app  # noqa: PLC0415 - the program is only read here
    from jetstow.cli.errors import MEANINGS  # noqa: PLC0415

    root: Any = typer.main.get_command(app)
    shared = [each for each in root.params if each.rich_help_panel == COMMON]
    own = [each for each in root.params if each not in shared and not each.hidden]
    panels: dict[str, list[str]] = {}
    for name, command in root.commands.items():
        entry = list(_command(f"jetstow {name}", command, shared, level=3))
        panels.setdefault(command.rich_help_panel or "Others", []).extend(entry)
    lines = [f"{_help(root)}\n"]
    for panel, entries in panels.items():
        lines += [f"## {panel}\n", *entries]
    lines += ["## Common options\n", "Every command has them, but a few that need no server.\n"]
    lines += [*_options(shared), "## Options of the program\n", *_options(own)]
    lines += ["## Exit codes\n", "| code | |\n| ---: | --- |"]
    lines += [f"| {code} | {meaning} |" for code, meaning in MEANINGS.items()]
    return "\n".join(lines) + "\n"


def _command(path: str, command: Any, shared: list[Any], level: int) -> Iterator[str]:
    yield f"{'#' * level} `{path}`\n"
    below = getattr(command, "commands", None)
    told = {each.name for each in shared}
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    options = [
        each
        for each in command.params
        if each.param_type_name == "option" and each.name not in told and not each.hidden
    ]
    words = ["COMMAND"] if below else [each.metavar or "" for each in arguments]
    yield f"```text\n{' '.join([path, *(['[OPTIONS]'] if options else []), *words])}\n```\n"
    yield f"{_help(command)}\n"
    for each in arguments:
        if each.help:
            yield f"`{each.metavar}`\n: {_plain(each.help)}\n"
    yield from _options(options)
    for name, child in (below or {}).items():
        yield from _command(f"{path} {name}", child, shared, level + 1)


def _help(command: Any) -> str:
    return _plain(inspect.cleandoc(command.help or ""))


def _plain(text: str | None) -> str:
    """What has stars in it has patterns, and no emphasis."""
    return (text or "").replace("*", r"\*")


def _options(options: list[Any]) -> Iterator[str]:
    for each in options:
        value = f" {each.metavar}" if each.metavar else ""
        yield f"`{', '.join(sorted(each.opts, key=len))}{value}`\n: {_plain(each.help)}\n"


def _fill(_: Sphinx, __: str, content: list[str]) -> None:
    if PLACE in content[0]:
        content[0] = content[0].replace(PLACE, reference())


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("source-read", _fill)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
