"""How typer's commands look and end here: help in sections, wrong usage in one sentence."""

from __future__ import annotations

import sys
from collections import defaultdict
from typing import Any, Final

from typer.core import TyperCommand, TyperGroup

from jetstow.cli import errors

COMMON: Final = "Common options"


class Command(TyperCommand):
    """A command, whose arguments look as their metavars are written."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """What stands behind the command's name on its usage line."""
        parameters = self.get_params(ctx)
        names = [each.metavar for each in parameters if each.param_type_name == "argument"]
        return ["[OPTIONS]", *(name or "" for name in names)]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Arguments that need a word, then options."""
        _write_parameters(self, ctx, formatter)


class Group(TyperGroup):
    """Commands, in sections by their panels, before the options."""

    command_class = Command

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Commands, then options."""
        sections: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for name in self.list_commands(ctx):
            listed: Any = self.get_command(ctx, name)
            summary = listed.get_short_help_str(formatter.width - 12)
            sections[listed.rich_help_panel or "Commands"].append((f"{name:<7}", summary))
        for title, commands in sections.items():
            with formatter.section(title):
                formatter.write_dl(commands)
        _write_parameters(self, ctx, formatter)


class Program(Group):
    """The group at the root: it ends the process, with an exit code that it tells of."""

    def format_epilog(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002
        """The exit codes."""
        with formatter.section("Exit codes"):
            formatter.write_dl(
                [(f"{code:>3}", meaning) for code, meaning in errors.MEANINGS.items()]
            )

    def main(self, *args: Any, **options: Any) -> Any:
        """Run, and exit. What a command raises has been seen to by then."""
        options["standalone_mode"] = False
        try:
            code = super().main(*args, **options)
        except errors.WrongUsage as error:
            errors.report(error)
            code = errors.USAGE
        except Exception as error:
            # The exceptions of click, whichever module they come from.
            if not hasattr(error, "format_message"):
                raise
            code = _tell_usage(error)
        sys.exit(code)


def _write_parameters(command: Any, ctx: Any, formatter: Any) -> None:
    sections: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for each in command.get_params(ctx):
        if each.param_type_name == "argument":
            if each.help:
                sections["Arguments"].append((each.metavar, each.help))
        elif not each.hidden:
            names = ", ".join(sorted(each.opts, key=len))
            value = f" {each.metavar}" if each.metavar else ""
            section = getattr(each, "rich_help_panel", None) or "Options"
            sections[section].append((f"{names}{value}", each.help or ""))
    for title in ("Arguments", "Options", COMMON):
        if sections[title]:
            with formatter.section(title):
                formatter.write_dl(sections[title])


def _tell_usage(error: Any) -> int:
    message = " ".join(error.format_message().replace("Value error, ", "").split())
    if type(error).__name__ == "NoArgsIsHelpError":
        error.show()
        return errors.USAGE
    path = error.ctx.command_path if getattr(error, "ctx", None) else "jetstow"
    message = message[:1].lower() + message[1:].removesuffix(".")
    errors.complain(f"{message} (see {path} --help)")
    return errors.USAGE
