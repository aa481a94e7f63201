"""The arguments that several commands have."""

from __future__ import annotations

from typing import Annotated

import typer

from jetstow.cli import completion, parsers
from jetstow.cli.parsers import Address

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
Place = Annotated[
    Address,
    typer.Argument(
        metavar="BUCKET/[NAME]", parser=parsers.address, autocompletion=completion.objects
    ),
]  # fmt: skip
