"""Check that a home and the files in it belong to the user, and that only the user can change them.

A user who can write to the home controls the server: the configuration has the token and the paths
that the server writes to, and `*.ports` decide where clients send the token.
"""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

from jetstow.errors import EmbeddedServerError

if sys.platform != "win32":  # `acquire` raises on Windows before it uses this module
    import pwd

WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


def check_folder(home: Path, path: Path) -> None:
    """Check the home or a folder in it. The folder may be a symbolic link of the user.

    Raises: `EmbeddedServerError`, `OSError` (the folder is missing, or not a folder).
    """
    _check_owner(home, path, path.lstat())
    with os.scandir(path):  # raises if it is not a folder
        status = path.stat()
    _check_owner(home, path, status)
    _check_mode(home, path, status)


def check_file(home: Path, path: Path) -> None:
    """Check a file in the home, if it exists.

    Raises: `EmbeddedServerError`, `OSError`.
    """
    try:
        status = path.lstat()
    except FileNotFoundError:
        return
    _check_owner(home, path, status)
    if not stat.S_ISREG(status.st_mode):
        kind = "symbolic link" if stat.S_ISLNK(status.st_mode) else "special file or folder"
        raise _refused(home, f"{path} is a {kind}, not a file: remove it")
    _check_mode(home, path, status)


def _check_owner(home: Path, path: Path, status: os.stat_result) -> None:
    if status.st_uid != os.geteuid():
        raise _refused(
            home,
            f"{path} belongs to user {_user(status.st_uid)}, not to {_user(os.geteuid())}, and "
            "its owner could control the server",
        )


def _check_mode(home: Path, path: Path, status: os.stat_result) -> None:
    if status.st_mode & WRITABLE_BY_OTHERS:
        raise _refused(home, f"other users may write to {path}: run 'chmod go-w' on it")


def _refused(home: Path, reason: str) -> EmbeddedServerError:
    return EmbeddedServerError(
        f"the embedded server cannot use {home}: {reason}; set JETSTOW_HOME to use another folder"
    )


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:  # a user of another machine or container
        return str(uid)
