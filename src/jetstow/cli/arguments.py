"""The arguments and options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final, Literal

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

Version = Annotated[
    str | None,
    typer.Option(metavar="ID", help="Version of the object, as ls --versions shows it."),
]
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


def _common(*names: str, **attributes: Any) -> Any:
    return typer.Option(*names, rich_help_panel=COMMON, **attributes)


def _common_file(name: str, text: str) -> Any:
    return _common(name, metavar="FILE", exists=True, dir_okay=False, readable=True, help=text)


# By their names in `Settings`: the annotation and the default.
COMMON_OPTIONS: Final[dict[str, tuple[Any, Any]]] = {
    "server": (
        Annotated[
            str | None,
            _common(
                "--server", "-s", metavar="URL", parser=parsers.server_url,
                help="NATS server (default: NATS_URL, else the selected nats context, else the "
                "embedded server).",
            ),
        ],
        None,
    ),
    "context": (
        Annotated[
            str | None,
            _common(
                "--context", metavar="NAME", autocompletion=completion.contexts,
                help="Context of the nats tool: server, credentials, TLS files and domain.",
            ),
        ],
        None,
    ),
    "creds": (
        Annotated[
            Path | None, _common_file("--creds", "Credentials file (.creds), as nsc creates it.")
        ],
        None,
    ),
    "nkey": (
        Annotated[Path | None, _common_file("--nkey", "File with the NKey seed of the user.")],
        None,
    ),
    "tls_ca": (
        Annotated[
            Path | None,
            _common_file("--tlsca", "CA certificates (PEM) that sign the server's certificate."),
        ],
        None,
    ),
    "tls_cert": (
        Annotated[Path | None, _common_file("--tlscert", "Client certificate (PEM).")],
        None,
    ),
    "tls_key": (
        Annotated[Path | None, _common_file("--tlskey", "Private key (PEM) of --tlscert.")],
        None,
    ),
    "js_domain": (
        Annotated[
            str | None,
            _common("--js-domain", metavar="NAME", help="JetStream domain of the buckets."),
        ],
        None,
    ),
    "timeout": (
        Annotated[
            float | None,
            _common(
                "--timeout", metavar="TIME", parser=parsers.timeout,
                help="Longest silence of a connected server: 500ms, 10s (default: 5s). It does "
                "not limit a transfer.",
            ),
        ],
        None,
    ),
    "json": (
        Annotated[bool, _common("--json", help="Print JSON; sizes are in bytes.")],
        False,
    ),
    "quiet": (
        Annotated[
            bool,
            _common("--quiet", "-q", help="Print only results and errors, without progress bars."),
        ],
        False,
    ),
    "verbose": (
        Annotated[
            bool,
            _common("--verbose", "-v", help="Print debug messages and tracebacks on stderr."),
        ],
        False,
    ),
}  # fmt: skip

# Those that a command without a server does not have.
CONNECTION_OPTIONS: Final = frozenset(COMMON_OPTIONS) - {"json", "quiet", "verbose"}

KeyFile = Annotated[
    bytes | None,
    _common(
        "--key-file", metavar="FILE", parser=parsers.key_file,
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
