"""The program: its commands, the options before them, and its usage errors."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from jetstow.cli import buckets, demo, failure, objects, server, transfer
from jetstow.cli.command import Creds, Json, Server, Timeout, Verbose
from jetstow.cli.session import Settings

EXIT_CODES = "\n\n".join(
    ["Exit codes:", *(f"{code:>5}  {meaning}" for code, meaning in failure.MEANINGS.items())]
)


class Program(TyperGroup):
    """typer's group of commands, which tells of wrong usage in one sentence."""

    def main(self, *args: Any, **options: Any) -> Any:
        """Run, and exit; what a command raises has been seen to by then."""
        options["standalone_mode"] = False
        try:
            code = super().main(*args, **options)
        except Exception as error:
            if not hasattr(error, "format_message"):
                raise
            code = _usage(error)
        sys.exit(code)


def _usage(error: Any) -> int:
    context = getattr(error, "ctx", None)
    path = context.command_path if context else "jetstow"
    message = error.format_message().strip()
    if not message:  # it was the help that was shown
        return failure.USAGE
    message = message[0].lower() + message[1:].removesuffix(".")
    failure.complain(f"{' '.join(message.split())} (see {path} --help)")
    return failure.USAGE


app = typer.Typer(
    cls=Program,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    epilog=EXIT_CODES,
    context_settings={"help_option_names": ["--help", "-h"]},
)


def _show_version(asked: bool) -> None:
    if asked:
        import jetstow

        print(f"jetstow {jetstow.__version__}")
        raise typer.Exit


Version = Annotated[
    bool,
    typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version."),
]


@app.callback()
def program(
    ctx: typer.Context,
    *,
    version: Version = False,  # noqa: ARG001 - its callback does it
    server: Server = None,
    creds: Creds = None,
    timeout: Timeout = None,
    json: Json = False,
    verbose: Verbose = False,
) -> None:
    """The object store for NATS JetStream: any size under a name, verified, watched.

    Objects are addressed as BUCKET/NAME; the name may have slashes. A dash (-) is standard
    input for put and standard output for get.
    """
    ctx.obj = Settings(server, creds, timeout, json, verbose)


demo.register(app)
buckets.register(app)
transfer.register(app)
objects.register(app)
server.register(app)
