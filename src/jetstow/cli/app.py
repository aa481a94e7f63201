"""The typer application: its commands and the options before a command."""

from __future__ import annotations

from typing import Annotated

import typer

from jetstow.cli.arguments import Creds, Json, Server, Timeout, Verbose
from jetstow.cli.commands import (
    backup,
    bench,
    buckets,
    cat,
    cp,
    demo,
    du,
    find,
    gc,
    get,
    info,
    keygen,
    ln,
    ls,
    mb,
    mirror,
    mv,
    put,
    rb,
    restore,
    rm,
    seal,
    server,
    status,
    sync,
    verify,
    watch,
)
from jetstow.cli.help import RootGroup
from jetstow.cli.session import Settings

# In the order of `jetstow --help`.
COMMANDS = (
    put, get, cat, ls, info, find, du, cp, mv, rm, ln, sync, watch, keygen,
    mb, rb, buckets, status, seal,
    backup, restore, mirror, verify, gc,
    server, bench, demo,
)  # fmt: skip

app = typer.Typer(
    cls=RootGroup,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"]},
)


def _print_version(requested: bool) -> None:
    if requested:
        import jetstow

        print(f"jetstow {jetstow.__version__}")
        raise typer.Exit


Version = Annotated[
    bool,
    typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version."),
]


@app.callback()
def root(
    ctx: typer.Context,
    *,
    version: Version = False,  # noqa: ARG001 - the callback prints it
    server: Server = None,
    creds: Creds = None,
    timeout: Timeout = None,
    json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Object store for NATS JetStream.

    Store bytes of any size under a name, read them back verified, watch a bucket change.

    An object is written as BUCKET/NAME; the name may contain slashes. A dash (-) is standard
    input for put and standard output for get.
    """
    ctx.obj = Settings(server, creds, timeout, json, verbose)


for module in COMMANDS:
    module.register(app)
