"""The arguments that several commands have."""

from __future__ import annotations

from typing import Annotated

import typer

from jetstow.cli import complete, values
from jetstow.cli.values import Address

Bucket = Annotated[
    str,
    typer.Argument(
        metavar="BUCKET", parser=values.bucket_name, autocompletion=complete.buckets
    ),
]  # fmt: skip
Object = Annotated[
    Address,
    typer.Argument(
        metavar="BUCKET/NAME", parser=values.object_address, autocompletion=complete.objects
    ),
]  # fmt: skip
Objects = Annotated[
    list[Address],
    typer.Argument(
        metavar="BUCKET/NAME...", parser=values.object_address, autocompletion=complete.objects
    ),
]  # fmt: skip
Place = Annotated[
    Address,
    typer.Argument(
        metavar="BUCKET/[NAME]", parser=values.address, autocompletion=complete.objects
    ),
]  # fmt: skip
