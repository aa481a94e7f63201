"""Files that a page takes as given: the output of tools that the tests do not run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from tests.support.certs import make_certificates
from tests.support.credentials import Operator


def _certificates_and_credentials(folder: Path) -> None:
    """Write what an authority and `nsc` write."""
    make_certificates(folder)
    operator = Operator()
    (folder / "operator.conf").write_text(operator.server_config(), encoding="utf-8")
    operator.creds_file(folder).rename(folder / "ada.creds")


def _certificates(folder: Path) -> None:
    make_certificates(folder)


PREPARED: Final[dict[str, Callable[[Path], None]]] = {
    "guides/connecting.md": _certificates_and_credentials,
    "guides/s3.md": _certificates,
}
