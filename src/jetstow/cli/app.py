"""The typer application: its commands and the options before a command."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from jetstow.cli import completion_scripts
from jetstow.cli.arguments import COMMON_OPTIONS
from jetstow.cli.command import add_options
from jetstow.cli.commands import (
    backup,
    bench,
    browse,
    buckets,
    cat,
    console,
    cp,
    demo,
    du,
    edit,
    find,
    gc,
    get,
    info,
    keygen,
    lifecycle,
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
    serve,
    server,
    status,
    sync,
    top,
    verify,
    watch,
)
from jetstow.cli.connection import Settings
from jetstow.cli.help import RootGroup
from jetstow.cli.version import print_version

# In the order of `jetstow --help`.
COMMANDS = (
    put, get, cat, ls, info, find, du, cp, mv, rm, edit, ln, sync, watch, browse, keygen,
    mb, rb, buckets, status, seal,
    backup, restore, mirror, verify, gc, lifecycle,
    server, serve, console, top, bench, demo,
)  # fmt: skip

completion_scripts.use_scripts()

app = typer.Typer(
    cls=RootGroup,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"]},
)


def _print_version(requested: bool) -> None:
    if requested:
        print_version()
        raise typer.Exit


Version = Annotated[
    bool,
    typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version."),
]


def root(ctx: typer.Context, *, version: bool, **options: Any) -> None:  # noqa: ARG001
    """Object store for NATS JetStream.

    Store bytes of any size under a name, read them back verified, watch a bucket change.

    An object is written as BUCKET/NAME; the name may contain slashes. A dash (-) is standard
    input for put and standard output for get.
    """
    ctx.obj = Settings(**options)


add_options(root, {"version": (Version, False), **COMMON_OPTIONS})
app.callback()(root)

for module in COMMANDS:
    module.register(app)
