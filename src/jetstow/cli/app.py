"""The program: its commands, and the options before them."""

from __future__ import annotations

from typing import Annotated

import typer

from jetstow.cli import (
    bench,
    buckets,
    copying,
    demo,
    finding,
    keeping,
    keys,
    moving,
    objects,
    server,
    syncing,
    transfer,
    watching,
)
from jetstow.cli.command import Creds, Json, Server, Timeout, Verbose
from jetstow.cli.help import Program
from jetstow.cli.session import Settings

app = typer.Typer(
    cls=Program,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
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
moving.register(app)
keeping.register(app)
transfer.register(app)
objects.register(app)
copying.register(app)
finding.register(app)
syncing.register(app)
watching.register(app)
keys.register(app)
server.register(app)
bench.register(app)
