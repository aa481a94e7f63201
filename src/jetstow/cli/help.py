"""The format of help texts and usage errors."""

from __future__ import annotations

import sys
from collections import defaultdict
from typing import Any, Final

from typer.core import TyperCommand, TyperGroup

from jetstow.cli import errors
from jetstow.cli.synonyms import SYNONYMS

# The sections of `jetstow --help`.
OBJECTS: Final = "Objects"
BUCKETS: Final = "Buckets"
MAINTENANCE: Final = "Backup and maintenance"
SERVER: Final = "Server"

# The section of the options that every command has.
COMMON: Final = "Common options"


class Command(TyperCommand):
    """A command whose help shows arguments by their metavars."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the arguments of the command.

        click assigns the only argument of `put FILE... TARGET` to TARGET, and reports FILE.
        """
        given = list(args)
        try:
            return super().parse_args(ctx, args)
        except Exception as error:
            last = [param for param in self.params if param.param_type_name == "argument"][-1:]
            missing: Any = getattr(error, "param", None)
            if last and type(error).__name__ == "MissingParameter" and missing is not last[0]:
                values, _, _ = self.make_parser(ctx).parse_args(args=given)
                if isinstance(values.get(last[0].name), str):
                    error.param = last[0]  # type: ignore[attr-defined]
            raise

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return the usage line after the command's name."""
        parameters = self.get_params(ctx)
        names = [param.metavar for param in parameters if param.param_type_name == "argument"]
        return ["[OPTIONS]", *(name or "" for name in names)]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the arguments that have a help text, then the options."""
        _write_parameters(self, ctx, formatter)


class Group(TyperGroup):
    """Commands, listed in sections by panel, before the options."""

    command_class = Command

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the commands, then the options."""
        sections: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for name in self.list_commands(ctx):
            command: Any = self.get_command(ctx, name)
            summary = command.get_short_help_str(sys.maxsize)  # wrapped, not cut
            sections[command.rich_help_panel or "Commands"].append((f"{name:<7}", summary))
        for title, commands in sections.items():
            with formatter.section(title):
                formatter.write_dl(commands)
        _write_parameters(self, ctx, formatter)


class RootGroup(Group):
    """The `jetstow` command: it lists the exit codes and ends the process."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return a command by its name.

        Raises: `UsageError` (the name is that of a command of another tool).
        """
        if args and args[0] not in self.commands and (ours := SYNONYMS.get(args[0].lower())):
            raise errors.UsageError(f"no such command {args[0]!r}: did you mean {ours}?")
        return super().resolve_command(ctx, args)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002
        """Write the exit codes."""
        with formatter.section("Exit codes"):
            formatter.write_dl(
                [(f"{code:>3}", meaning) for code, meaning in errors.EXIT_CODES.items()]
            )

    def main(self, *args: Any, **options: Any) -> Any:
        """Run a command and exit. The command itself reports what it raises."""
        options["standalone_mode"] = False
        try:
            code = super().main(*args, **options)
        except (errors.UsageError, OSError) as error:
            # OSError: the parser of an option cannot read the file that it names.
            errors.report(error)
            code = errors.exit_code(error)
        except Exception as error:
            # click's exceptions. typer contains a copy of click, so their module varies.
            if not hasattr(error, "format_message"):
                raise
            code = _report_usage(error)
        sys.exit(code)


def _write_parameters(command: Any, ctx: Any, formatter: Any) -> None:
    sections: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for parameter in command.get_params(ctx):
        if parameter.param_type_name == "argument":
            if parameter.help:
                sections["Arguments"].append((parameter.metavar, parameter.help))
        elif not parameter.hidden:
            names = ", ".join([*sorted(parameter.opts, key=len), *parameter.secondary_opts])
            value = f" {parameter.metavar}" if parameter.metavar else ""
            section = getattr(parameter, "rich_help_panel", None) or "Options"
            sections[section].append((f"{names}{value}", parameter.help or ""))
    for title in ("Arguments", "Options", COMMON):
        if sections[title]:
            with formatter.section(title):
                formatter.write_dl(sections[title])


def _report_usage(error: Any) -> int:
    message = " ".join(error.format_message().replace("Value error, ", "").split())
    if type(error).__name__ == "NoArgsIsHelpError":
        error.show()
        return errors.USAGE
    path = error.ctx.command_path if getattr(error, "ctx", None) else "jetstow"
    message = message[:1].lower() + message[1:].removesuffix(".")
    errors.print_message(f"{message} (see {path} --help)")
    return errors.USAGE
