"""Credentials and certificates of a connection: the options that have them, and their files."""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

# The options of nats-py that identify the user.
_OPTIONS: Final = frozenset({
    "user", "password", "token", "user_credentials", "nkeys_seed", "nkeys_seed_str",
    "signature_cb", "user_jwt_cb",
})  # fmt: skip

_CREDS_MARKERS: Final = (b"BEGIN NATS USER JWT", b"BEGIN USER NKEY SEED")
_SEED_LINE: Final = re.compile(rb"^\s*(S[A-Z2-7]{57})\s*$", re.MULTILINE)
_MAX_FILE_SIZE: Final = 1024 * 1024


def override_options(defaults: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Return options of `connect` in which `own` ones replace the defaults.

    If one of them identifies the user, those of the defaults that do are left out.
    """
    if _OPTIONS & own.keys():
        defaults = {name: value for name, value in defaults.items() if name not in _OPTIONS}
    return {**defaults, **own}


def read_credentials(path: str | os.PathLike[str]) -> bytes:
    """Return the content of a file with credentials: 1 MiB at most, as /dev/full never ends.

    Raises: `OSError`.
    """
    with Path(path).open("rb") as file:
        return file.read(_MAX_FILE_SIZE)


def has_jwt_and_seed(content: bytes) -> bool:
    """Return whether credentials have both parts: nats-py loops forever if one is missing."""
    return all(marker in content for marker in _CREDS_MARKERS)


def starts_with_seed(text: str) -> bool:
    """Return whether the first line is an NKey seed."""
    return _SEED_LINE.match(text.encode()) is not None


def read_seed(path: Path) -> str | None:
    """Return the seed in a file with an NKey, or None if it has none.

    nats-py reads only a bare seed from a file, not one with header and footer lines.

    Raises: `OSError`.
    """
    match = _SEED_LINE.search(read_credentials(path))
    return None if match is None else match[1].decode()


def load_client_certificate(
    context: ssl.SSLContext, cert: str | os.PathLike[str], key: str | os.PathLike[str]
) -> None:
    """Load a certificate and its key, which must not be encrypted.

    Raises: `OSError`, `ValueError`.
    """
    # Without a password, OpenSSL prompts for one on the terminal and blocks.
    context.load_cert_chain(cert, key, password="")
