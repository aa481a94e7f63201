"""The files of a gateway: its keys and its certificate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from jetstow.cli.errors import UsageError

if TYPE_CHECKING:
    from jetstow.s3.auth.keys import Keys
    from jetstow.s3.server import Certificate


def default_key_file() -> Path:
    """Return the file of the key that `serve` makes."""
    from jetstow import _embedded

    return _embedded.home() / "s3-keys.toml"


def load_gateway_keys(path: Path | None) -> tuple[Keys, Path, bool]:
    """Return the keys, their file, and whether it was made now.

    Raises: `UsageError`.
    """
    from jetstow.s3.auth.keys import KeyFileError, load_keys, load_or_generate_key

    try:
        if path is not None:
            return load_keys(path), path, False
        path = default_key_file()
        loaded, is_new = load_or_generate_key(path)
    except KeyFileError as error:
        raise UsageError(str(error)) from error
    return loaded, path, is_new


def load_certificate(chain: Path | None, key: Path | None) -> Certificate | None:
    """Return the certificate, which can be loaded. Raises: `UsageError`."""
    from jetstow.s3.server import Certificate

    if chain is None and key is None:
        return None
    if chain is None or key is None:
        raise UsageError("--https-cert and --https-key need each other")
    certificate = Certificate(chain, key)
    try:
        certificate.new_context()
    except (OSError, ValueError) as error:
        raise UsageError(f"--https-cert {chain} and --https-key {key}: {error}") from error
    return certificate
