"""The arguments and options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from jetstow.cli import completion, locations, parsers
from jetstow.cli.help import COMMON
from jetstow.cli.parsers import Address

# -- arguments ---------------------------------------------------------------------------

Bucket = Annotated[
    str,
    typer.Argument(
        metavar="BUCKET", parser=parsers.bucket_name, autocompletion=completion.buckets
    ),
]  # fmt: skip
Object = Annotated[
    Address,
    typer.Argument(
        metavar="BUCKET/NAME", parser=parsers.object_address, autocompletion=completion.objects
    ),
]  # fmt: skip
Objects = Annotated[
    list[Address],
    typer.Argument(
        metavar="BUCKET/NAME...", parser=parsers.object_address, autocompletion=completion.objects
    ),
]  # fmt: skip
Prefix = Annotated[
    Address,
    typer.Argument(
        metavar="BUCKET[/PREFIX]", parser=parsers.address, autocompletion=completion.objects
    ),
]  # fmt: skip
Sources = Annotated[
    list[str],
    typer.Argument(
        metavar="SOURCE...", autocompletion=completion.locations,
        help=f"Files or objects. {locations.LOCATION_RULE}",
    ),
]  # fmt: skip
Target = Annotated[
    str,
    typer.Argument(
        metavar="TARGET", autocompletion=completion.locations,
        help="File or object. For more than one source: a folder, a bucket, or a name that ends "
        "in a slash.",
    ),
]  # fmt: skip

# -- options -----------------------------------------------------------------------------

DryRun = Annotated[
    bool,
    typer.Option("--dry-run", "-n", help="Show what would change, without changing anything."),
]
ForceDelete = Annotated[
    bool,
    typer.Option("--force", help="With --delete: proceed if the source is empty."),
]
Long = Annotated[bool, typer.Option("--long", "-l", help="Show size and time.")]
MaxDelete = Annotated[
    int | None,
    typer.Option(
        metavar="N", parser=parsers.whole_number,
        help="With --delete: change nothing if more than N names would be deleted.",
    ),
]  # fmt: skip
Metadata = Annotated[
    list[str] | None, typer.Option(metavar="KEY=VALUE", help="Metadata entry; may be repeated.")
]
Recursive = Annotated[
    bool,
    typer.Option(
        "--recursive", "-r",
        help="Include folders and everything in them. If a source ends in a slash, only its "
        "contents.",
    ),
]  # fmt: skip
Replicas = Annotated[
    int | None,
    typer.Option(
        metavar="N", parser=parsers.whole_number,
        help="Copies of the data in a cluster (default: 1).",
    ),
]  # fmt: skip
Resume = Annotated[
    bool,
    typer.Option("--resume", help="Continue an earlier, interrupted transfer with --resume."),
]
Storage = Annotated[
    Literal["file", "memory"] | None,
    typer.Option(metavar="file|memory", help="Storage type (default: file)."),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")]

# -- common options ----------------------------------------------------------------------

Server = Annotated[
    str | None,
    typer.Option(
        "--server", "-s", metavar="URL", parser=parsers.server_url, rich_help_panel=COMMON,
        help="NATS server (default: NATS_URL, else the selected nats context, else the embedded "
        "server).",
    ),
]  # fmt: skip
Creds = Annotated[
    Path | None,
    typer.Option(
        "--creds", metavar="FILE", exists=True, dir_okay=False, readable=True,
        rich_help_panel=COMMON, help="Credentials file (.creds), as nsc creates it.",
    ),
]  # fmt: skip
Timeout = Annotated[
    float | None,
    typer.Option(
        "--timeout", metavar="TIME", parser=parsers.duration, rich_help_panel=COMMON,
        help="How long to wait for each response of the server: 500ms, 10s (default: 5s).",
    ),
]  # fmt: skip
Json = Annotated[
    bool, typer.Option("--json", rich_help_panel=COMMON, help="Print JSON; sizes are in bytes.")
]
Verbose = Annotated[
    bool,
    typer.Option(
        "--verbose", "-v", rich_help_panel=COMMON,
        help="Print debug messages and tracebacks on stderr.",
    ),
]  # fmt: skip
KeyFile = Annotated[
    bytes | None,
    typer.Option(
        "--key-file", metavar="FILE", parser=parsers.key_file, rich_help_panel=COMMON,
        help="Encrypt and decrypt objects with this key (see keygen).",
    ),
]  # fmt: skip
AllowPlain = Annotated[
    bool,
    typer.Option(
        "--allow-plain", rich_help_panel=COMMON,
        help="With --key-file: also read objects that are not encrypted.",
    ),
]  # fmt: skip
OriginalBucket = Annotated[
    str | None,
    typer.Option(
        "--original-bucket", metavar="BUCKET", parser=parsers.bucket_name, rich_help_panel=COMMON,
        help="With --key-file: also read objects that were encrypted in this bucket, of which "
        "yours is a mirror or a restored backup.",
    ),
]  # fmt: skip
